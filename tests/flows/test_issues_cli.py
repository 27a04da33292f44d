"""`voc issues` on a small store. Prefect, torch and GiNZA are not needed."""

import shutil
import subprocess
import sys

import numpy as np
import openpyxl
import pandas as pd
import pytest

from flows import cli
from flows.ledger_store import read_ledger, write_ledger
from tests.issues.ledgers import ledger, mentions
from voc.issues.events import append_events, event_row
from voc.issues.sample_sheet import SHEET as SAMPLE_SHEET
from voc.issues.sheet import COLUMNS, SHEET
from voc.reports.issues_sheet import write_issues_sheet
from voc.store import read_table, write_table
from voc.tables import (
    ACTIONS,
    EMBEDDINGS,
    ISSUE_CALIBRATION,
    ISSUE_EVENTS,
    ISSUE_LABELS,
    ISSUES,
    MENTIONS,
    OPINIONS,
    SENTENCES,
    check,
)

TEXTS = {f"p{i}": f"PDFが文字化けする その{i}" for i in range(4)} | {f"w{i}": f"画面が白くなる その{i}" for i in range(6)}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The folder of a company with a ledger of two issues."""
    base = tmp_path_factory.mktemp("company")
    (base / "voc.toml").write_text('[[sources]]\nname = "a"\nformat = "review"\npath = "a.csv"\n', encoding="utf-8")
    store = str(base / "store")
    issues, events = ledger("画面の表示がおかしい", "電話がつながらない")
    said = mentions(*[("VOC-0001", key, f"2026-0{1 + i % 3}-10") for i, key in enumerate(TEXTS)], ("VOC-0002", "t", "2026-02-01"))
    texts = {**TEXTS, "t": "電話がつながらない"}
    sentences = pd.DataFrame([
        {"sentence_id": key, "turn_id": key, "contact_id": f"C{key}", "position": 0, "start": 0, "end": 1, "text": text, "terms": []}
        for key, text in texts.items()
    ])  # fmt: skip
    opinions = pd.DataFrame([
        {"sentence_id": key, "p_negative": 0.9, "p_neutral": 0.1, "p_positive": 0.0, "polarity": "negative", "strength": -0.8, "p_complaint": 0.9,
         "p_request": 0.0, "p_question": 0.0, "p_praise": 0.0, "p_cancel": 0.0, "p_other": 0.1, "intent": "complaint", "flags": [], "is_abstained": False}
        for key in texts
    ])  # fmt: skip
    rng = np.random.default_rng(1)
    vectors = pd.DataFrame([
        {"sentence_id": key, "model": model, "vector": np.round(unit(rng.normal(size=size) * 0.2 + (1 if key[0] == "p" else -1)), 4).tolist()}
        for key in texts for model, size in (("e5", 384), ("use", 512))
    ])  # fmt: skip
    write_ledger(issues, events, said, store=store)
    for frame, table in ((sentences, SENTENCES), (opinions, OPINIONS), (vectors, EMBEDDINGS)):
        write_table(check(frame, table), table, store=store)
    return base


@pytest.fixture
def config(company, tmp_path):
    return shutil.copytree(company, tmp_path, dirs_exist_ok=True) / "voc.toml"


def unit(vector):
    return vector / np.linalg.norm(vector)


def store(config):
    return str(config.parent / "store")


def voc(config, *arguments):
    operation, *rest = arguments
    by = [] if operation in {"list", "show", "sample"} else ["--by", "佐藤"]
    return cli.main(["issues", operation, *rest, "--config", str(config), *by])


def issue(config, issue_id="VOC-0001"):
    return read_table(ISSUES, store=store(config)).set_index("issue_id").loc[issue_id]


OPERATIONS = "list show rename merge split lock unlock exclude reopen close set-area assign-owner fix effort due sample import".split()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_japanese_help(operation, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["issues", operation, "--help"])
    assert stop.value.code == 0 and any("ぁ" <= character <= "ん" for character in capsys.readouterr().out)


def test_list_and_show(config, capsys):
    assert voc(config, "list") == 0
    assert "VOC-0001" in (told := capsys.readouterr().out) and "画面の表示がおかしい" in told and "10  画面" in told
    assert voc(config, "show", "1") == 0
    told = capsys.readouterr().out
    assert "2026-01       4" in told and told.count("  ・") == 5 and "誕生: 画面の表示がおかしい（voc）" in told


@pytest.mark.slow
def test_edits_apply_at_once_and_stand_in_the_history(config, capsys):
    assert [voc(config, *one) for one in (
        ["rename", "1", "画面が白くなる"], ["lock", "1"], ["assign-owner", "1", "開発部"], ["effort", "1", "2"], ["due", "1", "2030-01-01"],
        ["fix", "1", "--on", "2026-04-01", "--note", "直した"], ["close", "1", "--on", "2026-04-02"],
    )] == [0] * 7  # fmt: skip
    row = issue(config)
    assert (row["label"], row["status"], row["owner"], row["effort"], row["label_by"]) == ("画面が白くなる", "closed", "開発部", 2.0, "佐藤")
    assert read_table(ACTIONS, store=store(config))["note"].tolist() == ["直した"]
    assert voc(config, "reopen", "1") == 0 and issue(config)["status"] == "locked"
    capsys.readouterr()
    voc(config, "show", "1")
    told = capsys.readouterr().out
    assert "名前の変更: 画面の表示がおかしい → 画面が白くなる（佐藤）" in told and "解決: 固定 → 解決済み" in told and "対応: 2026-04-01　直した" in told


def test_a_merge_restates_mentions_at_once(config, capsys):
    assert voc(config, "merge", "2", "1") == 0
    assert set(read_table(MENTIONS, store=store(config))["issue_id"]) == {"VOC-0001"}
    assert issue(config)["n_sentences"] == 11 and issue(config, "VOC-0002")["merged_into"] == "VOC-0001"
    assert voc(config, "rename", "2", "x") == 2 and "VOC-0001 に統合済み" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("rename", "9", "名"), ("merge", "1", "1"), ("close", "1", "--on", "いつか"), ("split", "1", "--label", "x", "--keyword", "ない語")]
)
def test_a_wrong_edit_changes_nothing(config, arguments, capsys):
    before = read_table(ISSUE_EVENTS, store=store(config))
    assert voc(config, *arguments) == 2
    assert "何も変更していません" in capsys.readouterr().err
    pd.testing.assert_frame_equal(read_table(ISSUE_EVENTS, store=store(config)), before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "kept"), [((), "画面の表示がおかしい"), (("--keep", "part"), "PDFが文字化けする")]
)
@pytest.mark.parametrize("chosen", [("--keyword", "pdf"), ("--sentence", "p0")])
def test_a_split_takes_effect_at_once(config, options, kept, chosen, capsys):
    assert voc(config, "split", "1", "--label", "PDFが文字化けする", *chosen, *options) == 0
    said = read_table(MENTIONS, store=store(config))
    parts = said[said["sentence_id"] != "t"].groupby("issue_id")["sentence_id"].agg(lambda ids: "".join(sorted({one[0] for one in ids}))).to_dict()
    assert issue(config)["label"] == kept
    assert parts == ({"VOC-0001": "w", "VOC-0003": "p"} if not options else {"VOC-0001": "p", "VOC-0003": "w"})
    assert set(issue(config, "VOC-0003")["exemplar_ids"]) <= set(said.loc[said["issue_id"] == "VOC-0003", "sentence_id"])
    issues, events = read_ledger(store(config))
    assert issues["n_sentences"].sum() == 11 and len(events) == len(read_table(ISSUE_EVENTS, store=store(config)))


def test_the_sheet_comes_back(config, capsys):
    tables = {table.name: read_table(table, store=store(config)) for table in (ISSUES, ISSUE_EVENTS, MENTIONS, SENTENCES)}
    path = write_issues_sheet(tables, config.parent, run_id="R1", as_of_on=pd.Timestamp("2026-03-01"), timezone="Asia/Tokyo")
    book = openpyxl.load_workbook(path)
    book[SHEET].cell(2, COLUMNS.index("課題名") + 1).value = "画面が白くなる"
    book[SHEET].cell(3, COLUMNS.index("統合先") + 1).value = "VOC-0099"
    book.save(path)
    assert voc(config, "import", str(path)) == 2
    assert "課題シート 3 行目「統合先」: VOC-0099 は台帳にありません" in capsys.readouterr().err and issue(config)["label"] == "画面の表示がおかしい"
    book[SHEET].cell(3, COLUMNS.index("統合先") + 1).value = "VOC-0001"
    book.save(path)
    assert voc(config, "import", str(path)) == 0 and "2 件の変更を台帳に反映しました" in capsys.readouterr().out
    assert issue(config)["label"] == "画面が白くなる" and issue(config, "VOC-0002")["status"] == "merged"
    assert voc(config, "import", str(path)) == 0 and "変更されたセルはありません" in capsys.readouterr().out


def test_an_area_is_set_listed_and_taken_away(config, capsys):
    assert voc(config, "set-area", "1", "画面") == 0 and issue(config)["parent"] == "画面"
    capsys.readouterr()
    voc(config, "list")
    assert "画面            不具合" in capsys.readouterr().out
    assert voc(config, "set-area", "1", "画面") == 2 and "すでに「画面」" in capsys.readouterr().err
    assert voc(config, "set-area", "1", "あ" * 16) == 2 and "15 文字以内" in capsys.readouterr().err
    assert voc(config, "set-area", "1", "") == 0 and pd.isna(issue(config)["parent"])


def answered(path, answers):
    book = openpyxl.load_workbook(path)
    page = book[SAMPLE_SHEET]
    column = [cell.value for cell in page[1]].index("合っている") + 1
    for row, answer in enumerate(answers, start=2):
        page.cell(row, column).value = answer
    book.save(path)


@pytest.mark.slow
def test_a_sample_is_written_answered_and_taken_in(config, capsys):
    path = config.parent / "sample.xlsx"
    assert voc(config, "sample", "--n", "8", "--out", str(path)) == 0 and "8 件" in capsys.readouterr().out
    assert voc(config, "sample", "--out", str(path)) == 2 and "上書きしません" in capsys.readouterr().err
    assert voc(config, "import", str(path)) == 2 and "1 件もありません" in capsys.readouterr().err
    answered(path, ["はい"] * 5 + ["いいえ", "どちらでもない", None])
    assert voc(config, "import", str(path)) == 2 and "8 行目「どちらでもない」" in capsys.readouterr().err
    assert read_table(ISSUE_LABELS, store=store(config)).empty and read_table(ISSUE_CALIBRATION, store=store(config)).empty
    answered(path, ["はい"] * 5 + ["いいえ"] * 2)
    assert voc(config, "import", str(path)) == 0
    assert "7 件の答え" in (told := capsys.readouterr().out) and "あと 93 件" in told
    assert len(read_table(ISSUE_LABELS, store=store(config))) == 7
    calibration = read_table(ISSUE_CALIBRATION, store=store(config))
    assert calibration["n_labels"].sum() == 7 and "*" in set(calibration["issue_id"])
    # a second sample asks for what is not answered yet
    assert voc(config, "sample", "--out", str(config.parent / "b.xlsx")) == 0 and "4 件" in capsys.readouterr().out
    assert voc(config, "import", str(path)) == 0 and len(read_table(ISSUE_LABELS, store=store(config))) == 7


def test_other_names_of_a_sample_are_refused(config, capsys):
    assert voc(config, "sample", "--out", str(config.parent / "sample.csv")) == 2 and ".xlsx" in capsys.readouterr().err
    assert voc(config, "sample", "--n", "0", "--out", str(config.parent / "s.xlsx")) == 2 and "--n 0" in capsys.readouterr().err


@pytest.mark.slow
def test_what_people_write_is_masked(config, capsys):
    assert voc(config, "fix", "1", "--on", "2026-04-01", "--note", "佐藤花子様（090-1234-5678）に返金した") == 0
    assert "伏せて記録します" in capsys.readouterr().out
    note = read_table(ACTIONS, store=store(config))["note"].iloc[0]
    assert "花子" not in note and "1234" not in note and "返金した" in note
    assert voc(config, "rename", "1", "taro@example.com に届かない") == 0 and "taro" not in issue(config)["label"]
    tables = {table.name: read_table(table, store=store(config)) for table in (ISSUES, ISSUE_EVENTS, MENTIONS, SENTENCES)}
    path = write_issues_sheet(tables, config.parent, run_id="R1", as_of_on=pd.Timestamp("2026-03-01"), timezone="Asia/Tokyo")
    book = openpyxl.load_workbook(path)
    book[SHEET].cell(3, COLUMNS.index("課題名") + 1).value = "hanako@example.com の件"
    book.save(path)
    assert voc(config, "import", str(path)) == 0 and "伏せて" in capsys.readouterr().out
    assert "hanako" not in issue(config, "VOC-0002")["label"]
    assert voc(config, "import", str(path)) == 0 and "変更されたセルはありません" in capsys.readouterr().out


def test_a_command_that_was_cut_off_after_the_events_is_completed(config):
    _, events = read_ledger(store(config))
    cut = append_events(events, [event_row("VOC-0001", "rename", at=pd.Timestamp("2026-05-01", tz="UTC"), by="佐藤", to="新しい名前")])
    write_table(cut, ISSUE_EVENTS, store=store(config))
    assert read_ledger(store(config))[0]["label"].tolist() == ["新しい名前", "電話がつながらない"]


def test_an_edit_during_a_run_is_not_lost(config):
    issues, events = read_ledger(store(config))  # the run begins
    said = read_table(MENTIONS, store=store(config))
    voc(config, "merge", "2", "1")
    voc(config, "rename", "1", "人の名前")
    write_ledger(issues, events, said, store=store(config))  # the run ends
    assert issue(config)["label"] == "人の名前" and issue(config)["n_sentences"] == 11


def test_without_a_run_it_is_told(tmp_path, capsys):
    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "a"\nformat = "review"\npath = "a.csv"\n', encoding="utf-8")
    assert voc(path, "list") == 2 and "voc run" in capsys.readouterr().err


@pytest.mark.slow
def test_editing_loads_neither_prefect_nor_torch(config):
    code = f"import sys; from flows import cli; cli.main(['issues', 'list', '--config', {str(config)!r}]); print([m for m in ('prefect', 'torch', 'spacy') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip().endswith("[]")
