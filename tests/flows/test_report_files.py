"""`voc report`: pages from a store, without Prefect and without a language model."""

import subprocess
import sys

import pandas as pd
import pytest

from flows import cli
from voc import tables as contract
from voc.store import write_table

CONFIG = '[company]\nname = "試し"\n[[sources]]\nname = "a"\nformat = "survey"\npath = "x.csv"\n[sources.texts]\n"感想" = "ご感想"\n'


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "voc.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def finished(folder, status="completed"):
    blank = dict.fromkeys(("inputs", "versions", "models", "counts", "seconds", "settings"), "{}")
    row = {**blank, "run_id": "R1", "as_of_on": pd.Timestamp("2026-10-01"), "started_at": pd.Timestamp("2026-10-01", tz="UTC"), "status": status, "config_sha": "c", "seed": 1}
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
