"""`voc report`: pages from a store, without Prefect and without a language model."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from flows import cli, report_files
from flows.report_files import render_period, tables_for_reports
from voc import tables as contract
from voc.config import load_config
from voc.store import append_rows, forget_history, read_table, write_table

AT = pd.Timestamp("2026-10-01", tz="UTC")

CONFIG = '[company]\nname = "試し"\n[[sources]]\nname = "a"\nformat = "survey"\npath = "x.csv"\n[sources.texts]\n"感想" = "ご感想"\n'


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "voc.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def finished(folder, status="completed", tables=None):
    blank = dict.fromkeys(("inputs", "versions", "models", "counts", "seconds", "settings"), "{}")
    row = {**blank, "run_id": "R1", "as_of_on": pd.Timestamp("2026-10-01"), "started_at": pd.Timestamp("2026-10-01", tz="UTC"), "status": status, "config_sha": "c", "seed": 1,
           "tables": json.dumps(tables) if tables else None}  # fmt: skip
    write_table(contract.check(pd.DataFrame([row]), contract.RUNS), contract.RUNS, store=str(folder / "store"))


@pytest.mark.parametrize(("period", "file"), [("daily", "daily.html"), ("weekly", "weekly.html")])
def test_a_page_is_written_from_the_store_alone(config, period, file, capsys):
    finished(config.parent)
    assert cli.main(["report", str(config), "--period", period]) == 0
    assert str(config.parent / "reports" / file) in capsys.readouterr().out
    assert sorted(path.name for path in (config.parent / "reports").iterdir()) == [file]
    assert "該当なし" in (config.parent / "reports" / file).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_month_is_the_three_packs(config):
    finished(config.parent)
    assert cli.main(["report", str(config)]) == 0
    names = {path.name for path in (config.parent / "reports").iterdir()} - {"executive.pdf"}
    assert names == {"product.html", "executive.html", "executive.pptx", "cs.html", "product.xlsx", "cs.xlsx", "issues.xlsx"}


@pytest.mark.parametrize("status", [None, "running"])
def test_without_a_finished_run_the_reader_is_told_what_to_do(config, status, capsys):
    if status:
        finished(config.parent, status)
    assert cli.main(["report", str(config), "--period", "daily"]) == 2
    assert "voc run を実行してください" in capsys.readouterr().err


def issue(label):
    row = {"issue_id": "VOC-1", "label": label, "kind": "complaint", "status": "open", "first_seen_at": "2026-01-01T00:00Z", "centroid": [0.5],
           "threshold": 0.5, "exemplar_ids": [], "keywords": [], "n_sentences": 3}  # fmt: skip
    return contract.check(pd.DataFrame([row]), contract.ISSUES)


def test_a_page_tells_of_its_run_whatever_was_written_since(config):
    store = str(config.parent / "store")
    write_table(issue("前の名"), contract.ISSUES, store=store)
    finished(config.parent, tables={"issues": 0})
    write_table(issue("後の名"), contract.ISSUES, store=store)  # of a run that failed after its ledger
    write_table(contract.empty(contract.REJECTS), contract.REJECTS, store=store)
    found = tables_for_reports(load_config(config), store=store, started_at=AT, versions={"issues": 0, "rejects": 0})
    assert found["issues"]["label"].tolist() == ["前の名"] and len(found["runs"]) == 1 and "embeddings" not in found
    forget_history(contract.ISSUES, store=store)  # an erasure since: there is nothing older to tell of
    found = tables_for_reports(load_config(config), store=store, started_at=AT, versions={"issues": 0})
    assert found["issues"]["label"].tolist() == ["後の名"]


@pytest.mark.parametrize(("later", "label"), [("failed", "前の名"), ("interrupted", "前の名"), (None, "後の名")])
def test_what_a_failed_run_wrote_is_not_shown_and_what_a_person_renamed_is(config, monkeypatch, later, label):
    store, seen = str(config.parent / "store"), []
    write_table(issue("前の名"), contract.ISSUES, store=store)
    finished(config.parent, tables={"issues": 0})
    write_table(issue("後の名"), contract.ISSUES, store=store)
    if later:
        done = read_table(contract.RUNS, store=store)
        append_rows(done.assign(run_id="R2", started_at=AT + pd.Timedelta(days=1), status=later, tables=None), contract.RUNS, store=store)
    monkeypatch.setattr(report_files, "write_daily", lambda tables, *_, **__: seen.append(tables["issues"]["label"].item()))
    render_period(load_config(config), base=config.parent, period="daily")
    assert seen == [label]


@pytest.mark.parametrize(("given", "n"), [("", 1), ('as_of_on = "2026-09-01"\n', 2)])
def test_contacts_dated_after_the_run_are_in_no_report(config, given, n):
    config.write_text(CONFIG.replace("[company]\n", "[company]\n" + given), encoding="utf-8")
    rows = [{"contact_id": at, "channel": "call", "source": "a", "source_row": at, "started_at": at, "content_sha": ""} for at in ("2026-09-30T00:00Z", "2062-01-01T00:00Z")]
    write_table(contract.check(pd.DataFrame(rows), contract.CONTACTS), contract.CONTACTS, store=str(config.parent / "store"))
    found = tables_for_reports(load_config(config), store=str(config.parent / "store"), started_at=AT)
    assert len(found["contacts"]) == n


def test_an_unknown_period_is_refused(config):
    with pytest.raises(SystemExit):
        cli.main(["report", str(config), "--period", "hourly"])


@pytest.mark.slow
def test_it_starts_neither_prefect_nor_a_language_model(config):
    finished(config.parent)
    code = (f"import sys; from flows import cli; cli.main(['report', {str(config)!r}, '--period', 'daily']); "
            "print([m for m in ('prefect', 'torch', 'spacy', 'bertopic') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
