"""The texts of the demo company: the truth is really in the files, and the files are what a company would hand over."""

import csv
import email
import email.policy
import hashlib
import io
import json
import random
import re
import statistics

import pandas as pd
import pytest

from voc.config import load_config
from voc.demo.company import write_company
from voc.demo.phrases import (
    Hand,
    as_spoken,
    as_written,
    draw_identity,
    fill,
    load_book,
    misheard,
    mistyped,
    with_fillers,
)

HALF_WIDTH_KANA = re.compile("[\uff61-\uff9f]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("company")
    write_company(path, seed=5, n_customers=250, n_months=12)
    return path


@pytest.fixture(scope="module")
def sentences(folder):
    return [json.loads(line) for line in (folder / "truth/sentences.jsonl").read_text(encoding="utf-8").splitlines()]


def _calls(folder):
    return {call["contact_id"]: call for path in sorted((folder / "raw/calls").glob("*.json"))
            for call in json.loads(path.read_text(encoding="utf-8"))}


def _chats(folder):
    return {chat["contact_id"]: chat for path in sorted((folder / "raw/chats").glob("*.json"))
            for chat in json.loads(path.read_text(encoding="utf-8"))}


def _mails(folder):
    return {path.stem: email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted((folder / "raw/mails").glob("*.eml"))}


def _surveys(folder):
    rows = [row for path in sorted((folder / "raw/survey").glob("*.csv"))
            for row in csv.DictReader(io.StringIO(path.read_bytes().decode("cp932"), newline=""))]
    return {row["回答番号"]: [row["満足・不満の理由"], row["ご要望"]] for row in rows}


def _digest(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
def test_the_same_arguments_write_the_same_bytes(folder, tmp_path):
    write_company(tmp_path, seed=5, n_customers=250, n_months=12)
    assert _digest(tmp_path) == _digest(folder)


def test_every_planted_sentence_stands_where_the_truth_says(folder, sentences):
    texts = {name: [turn["text"] for turn in call["turns"]] for name, call in _calls(folder).items()}
    speakers = {name: [turn["speaker"] for turn in call["turns"]] for name, call in _calls(folder).items()}
    texts |= {name: [one["text"] for one in chat["messages"]] for name, chat in _chats(folder).items()}
    speakers |= {name: [one["author"] for one in chat["messages"]] for name, chat in _chats(folder).items()}
    texts |= {name: [mail.get_content()] for name, mail in _mails(folder).items()}
    texts |= _surveys(folder)
    assert len(sentences) > 500
    for one in sentences:
        assert one["text"] in texts[one["contact_id"]][one["turn"]], one
        assert speakers.get(one["contact_id"], ["customer"] * 99)[one["turn"]] == "customer"
    assert {one["role"] for one in sentences} == {"core", "detail", "wish"}
    assert {one["file"].split("/")[1] for one in sentences} == {"calls", "chats", "mails", "survey"}


def test_every_contact_with_an_issue_states_it(folder, sentences):
    truth = pd.read_csv(folder / "truth/issues.csv").set_index("key")
    stated = pd.DataFrame([one for one in sentences if one["role"] == "core"]).groupby("key")["contact_id"].nunique()
    assert stated.reindex(truth.index).fillna(0).astype(int).tolist() == truth["n_contacts"].tolist()


def test_calls_are_conversations(folder):
    calls = list(_calls(folder).values())
    assert statistics.median(len(call["turns"]) for call in calls) >= 10
    assert len({json.dumps([turn["text"] for turn in call["turns"]]) for call in calls}) == len(calls)
    for call in calls:
        starts = [turn["start_seconds"] for turn in call["turns"]]
        assert starts == sorted(starts)
        assert {turn["speaker"] for turn in call["turns"]} == {"operator", "customer"}
        assert call["started_at"].endswith("+09:00")


def test_what_customers_say_varies(sentences):
    spoken = [one["text"] for one in sentences if "/calls/" in one["file"]]
    assert len(set(spoken)) / len(spoken) > 0.6


def test_mails_come_in_two_charsets_and_decode_back(folder):
    mails = _mails(folder)
    charsets = pd.Series([mail.get_content_charset() for mail in mails.values()]).value_counts(normalize=True)
    assert 0.25 <= charsets["iso-2022-jp"] <= 0.5
    assert set(charsets.index) == {"utf-8", "iso-2022-jp"}
    for mail in mails.values():
        assert "\ufffd" not in mail.get_content() + mail["Subject"]
        assert mail["From"].addresses[0].addr_spec.endswith(".example")
        assert mail["Date"].datetime.utcoffset().total_seconds() == 9 * 3600
    raw = b"".join(path.read_bytes() for path in (folder / "raw/mails").glob("*.eml"))
    assert b"=?iso-2022-jp?" in raw
    assert b"\x1b$B" in raw


def test_quoted_mail_is_not_in_the_truth(folder, sentences):
    quoted = {name: [line for line in mail.get_content().splitlines() if line.startswith(">")]
              for name, mail in _mails(folder).items()}
    assert sum(map(bool, quoted.values())) > 20
    for one in sentences:
        assert not any(one["text"] in line for line in quoted.get(one["contact_id"], []))


def test_a_few_writers_are_unknown(folder):
    known = set(pd.read_csv(folder / "raw/customers.csv", encoding="utf-8-sig")["メールアドレス"])
    writers = [mail["From"].addresses[0].addr_spec for mail in _mails(folder).values()]
    assert 0 < sum(writer not in known for writer in writers) < 0.1 * len(writers)
    chats = [chat["customer_id"] for chat in _chats(folder).values()]
    assert 0 < sum(not name for name in chats) < 0.1 * len(chats)


def test_no_half_width_kana_and_no_open_slot(folder, sentences):
    for one in sentences:
        assert not HALF_WIDTH_KANA.search(one["text"])
        assert "{" not in one["text"]
    for call in _calls(folder).values():
        for turn in call["turns"]:
            assert not HALF_WIDTH_KANA.search(turn["text"])
            assert "{" not in turn["text"]


def test_configuration_loads_and_names_every_file(folder):
    config = load_config(folder / "voc.toml")
    assert config.company.as_of_on == "2025-11-01"
    assert [source.name for source in config.sources] == [
        "calls", "mails", "chats", "survey", "customers", "usage", "faq", "faq-logs", "options"]
    for source in config.sources:
        files = sorted(folder.glob(source.path))
        assert files
        if source.columns:
            encoding = "cp932" if source.name == "survey" else "utf-8-sig"
            header = pd.read_csv(files[0], encoding=encoding, nrows=0).columns
            assert set(source.columns.values()) | set(source.texts) <= set(header)


def test_build_and_held_wordings_do_not_meet():
    build, held = load_book(use="build"), load_book(use="held")
    texts = [{text for some in book.phrases.values() for text in some} for book in (build, held)]
    assert not texts[0] & texts[1]
    every = {text for some in load_book(use="all").phrases.values() for text in some}
    assert texts[0] | texts[1] == every
    for book in (build, held):
        spoken = {key for key, role, register in book.phrases if role == "core" and register in {"spoken", "any"}}
        assert spoken == set(book.topics)
    with pytest.raises(ValueError, match="held"):
        load_book(use="test")


@pytest.mark.parametrize(("text", "register", "expected"), [
    ("明細が反映されない", "any", r"^明細が反映されないん(です|ですけど|ですよ|ですが)$"),
    ("連携解除の繰り返し", "any", r"^連携解除の繰り返しなん(です|ですけど|ですよ|ですが)$"),
    ("効いていないようだ", "any", r"^効いていないようなん(です|ですけど|ですよ|ですが)$"),
    ("質問です", "any", "^質問です$"),
    ("提出先は？", "any", "^提出先は？$"),
    ("どこにあるか", "any", "^どこにあるか$"),
    ("また切れちゃって", "spoken", "^また切れちゃって$"),
])
def test_notes_become_speech(text, register, expected):
    for seed in range(5):
        assert re.search(expected, as_spoken(random.Random(seed), text, register))


def test_slips_fillers_and_typos_keep_their_rates():
    book, rng = load_book(), random.Random(1)
    heard = [misheard(book, rng, "請求書") for _ in range(4000)]
    assert 0.025 < sum(text != "請求書" for text in heard) / len(heard) < 0.055
    filled = [with_fillers(book, rng, "銀行の明細が全部届かない") for _ in range(500)]
    assert 0.3 < sum(text != "銀行の明細が全部届かない" for text in filled) / 500 < 0.7
    typed = [mistyped(book, rng, "教えてください") for _ in range(2000)]
    assert 0.05 < sum(text != "教えてください" for text in typed) / 2000 < 0.15


@pytest.mark.parametrize(("text", "expected"), [
    ("三日前から二回試した", "3日前から2回試した"),
    ("十分な値でした", "十分な値でした"),
    ("三百件あります", "三百件あります"),
    ("二重に請求された", "二重に請求された"),
    ("修正してください", "修正して下さい"),
])
def test_a_writer_keeps_to_one_spelling(text, expected):
    book = load_book()
    book.talk["typos"] = []
    hand = Hand({"ください": "下さい"}, writes_digits=True)
    assert as_written(book, random.Random(1), text, hand=hand, leads=[]) == expected
    led = {as_written(book, random.Random(seed), text, hand=hand, leads=["確認ですが、"]) for seed in range(20)}
    assert led <= {expected, "確認ですが、" + expected}


def test_identities_are_invented_and_unknown_slots_are_refused():
    book = load_book()
    who = draw_identity(book, random.Random(3), "M100001", segment="小規模法人")
    assert who == draw_identity(book, random.Random(3), "M100001", segment="小規模法人")
    assert re.fullmatch(r"0\d{1,2}-\d{3,4}-\d{4}", who.phone)
    assert who.email.endswith("@m100001.example")
    with pytest.raises(KeyError, match="nothing"):
        fill("{nothing}", who.slots())


@pytest.mark.slow
def test_default_company_is_large_enough(tmp_path):
    counts = write_company(tmp_path)
    assert counts["customers"] >= 3000
    assert counts["contacts"] >= 8000
    calls = _calls(tmp_path)
    assert len({json.dumps([turn["text"] for turn in call["turns"]]) for call in calls.values()}) == len(calls)
