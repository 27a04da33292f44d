"""`voc erase` and `voc reveal` as their user meets them."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from flows import cli
from voc.identity import pseudonyms_of
from voc.privacy import pseudonymise
from voc.sources.pseudonym_map import read_pseudonyms, write_pseudonyms
from voc.store import read_table, write_table
from voc.tables import CONTACTS, CUSTOMERS, ERASED, TURNS, check

KEY = b"0123456789abcdef"
ONE, TWO = pseudonymise(pd.Series(["A-1", "B-2"]), KEY)
NOW = pd.Timestamp("2026-01-01", tz="UTC")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """The folder of a company with two customers after a run."""
    base = tmp_path_factory.mktemp("company")
    (base / "pseudonym.key").write_bytes(KEY)
    (base / "voc.toml").write_text('[[sources]]\nname = "m"\nformat = "email"\npath = "m/*.eml"\n', encoding="utf-8")
    both = pd.DataFrame({"customer_id": [ONE, TWO], "contact_id": ["C1", "C2"]})
    contacts = both.assign(channel="email", started_at=NOW, source="m", source_row=["1", "2"], content_sha="")
    turns = both[["contact_id"]].assign(turn_id=["T1", "T2"], position=0, speaker="customer", text="声")
    for table, frame in ((CONTACTS, contacts), (TURNS, turns), (CUSTOMERS, both[["customer_id"]])):
        write_table(check(frame, table), table, store=str(base / "store"))
    write_pseudonyms(pseudonyms_of(pd.Series(["A-1", "B-2"]), key=KEY), folder=base / "identity")
    (base / "reports").mkdir()
    (base / "reports" / "product.html").write_text("声", encoding="utf-8")
    return base


@pytest.fixture
def config(company, tmp_path):
    return shutil.copytree(company, tmp_path, dirs_exist_ok=True) / "voc.toml"


def run(*arguments, config):
    return cli.main([*arguments, "--config", str(config)])


def contacts(config):
    return read_table(CONTACTS, store=str(config.parent / "store"))["contact_id"].tolist()


def test_erase_asks_first_and_tells_what_went_and_what_is_left_to_do(config, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("はい\n"))
    assert run("erase", "A-1", config=config) == 0
    asked = capsys.readouterr()
    assert f"顧客「A-1」（仮名 {ONE}）を、すべての表" in asked.err and "問い合わせ 1 件、発言 1 件、顧客の表 1 件、利用状況 0 件" in asked.err
    assert asked.out == (
        f"顧客「A-1」（仮名 {ONE}）を消しました。\n  顧客の表: 1 件\n  発言: 1 件\n  問い合わせ: 1 件\n  仮名の対応表: 1 件\n"
        "消した印を残したので、取り込み元に残っていても、次の取り込みでは保存しません（取り込み元のデータは消していません）。\n"
        "すべての表の過去の版は消しました。今より前の版は読めません。\n"
        "作成済みのレポートには、この顧客の声の引用や、この顧客を含む数字が残っていることがあります。"
        "voc run で作り直すか、ファイルを消してください（配布済みの写しも同じです）:\n"
        f"  {config.parent / 'reports' / 'product.html'}\n"
    )
    assert contacts(config) == ["C2"] and read_pseudonyms(folder=config.parent / "identity")["customer_id"].tolist() == [TWO]


@pytest.mark.parametrize("typed", ["", "\n", "いいえ\n", "yes\n"])
def test_without_a_yes_nothing_is_erased(config, capsys, monkeypatch, typed):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert run("erase", "A-1", config=config) == 1
    assert "消さずに終わりました" in capsys.readouterr().err
    assert contacts(config) == ["C1", "C2"] and read_table(ERASED, store=str(config.parent / "store")).empty


def test_an_unknown_customer_is_told_and_marked_only_on_demand(config, capsys):
    assert run("erase", "A-9\x1b[31m", "--yes", config=config) == 2
    told = capsys.readouterr().err
    assert "A-9" in told and "--even-if-unknown" in told and "\x1b" not in told
    assert run("erase", "A-9", "--yes", "--even-if-unknown", config=config) == 0
    assert "行は残っていません" in capsys.readouterr().out and contacts(config) == ["C1", "C2"]
    assert len(read_table(ERASED, store=str(config.parent / "store"))) == 1


def test_no_new_key_is_made_to_look_a_customer_up(config, capsys):
    (config.parent / "pseudonym.key").unlink()
    assert run("erase", "A-1", "--yes", config=config) == 2
    assert "取り込みに使った鍵が必要です" in capsys.readouterr().err
    assert not (config.parent / "pseudonym.key").exists() and contacts(config) == ["C1", "C2"]


def test_reveal_names_the_known_and_says_which_are_unknown(config, capsys):
    assert run("reveal", ONE, TWO, config=config) == 0
    assert capsys.readouterr().out == f"{ONE} -> A-1\n{TWO} -> B-2\n"
    assert run("reveal", "K0", ONE, config=config) == 1
    assert capsys.readouterr().out == f"K0 -> （対応表にありません）\n{ONE} -> A-1\n"


def test_reveal_without_a_map_says_what_to_do(config, capsys):
    (config.parent / "identity" / "pseudonyms.csv").unlink()
    assert run("reveal", ONE, config=config) == 2
    assert "voc run で取り込むと作られます" in capsys.readouterr().err
    with config.open("a", encoding="utf-8") as file:
        file.write('[privacy]\npseudonym_map = ""\n')
    assert run("reveal", ONE, config=config) == 2
    assert "残さない設定" in capsys.readouterr().err


@pytest.mark.slow
def test_neither_starts_prefect(config):
    code = (
        "import sys; from flows import cli\n"
        f"cli.main(['reveal', '{ONE}', '--config', 'voc.toml']); cli.main(['erase', 'A-1', '--yes'])\n"
        "print([name for name in ('prefect', 'torch', 'spacy', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=config.parent, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.stdout.startswith(f"{ONE} -> A-1\n") and done.stdout.endswith("\n[]\n")


def test_every_table_has_a_japanese_name():
    from flows.customers import NAMES
    from voc.removal import PSEUDONYM_MAP
    from voc.tables import TABLES

    assert NAMES.keys() == TABLES.keys() | {PSEUDONYM_MAP}
    assert len(set(NAMES.values())) == len(NAMES) and not any(name.isascii() for name in NAMES.values())
