"""What a scheduled job does: once a due time, under the lock, and a failure that is heard of."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from flows.prefect_file import POOL, prefect_file
from voc.config import load_config
from voc.errors import VocError
from voc.operations_config import Schedule
from voc.store import append_rows, read_table
from voc.tables import ALERTS, RUNS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scheduled(tmp_path_factory):
    """flows.scheduled, with Prefect's home in a folder of the tests."""
    from flows import settings

    kept, mask = dict(os.environ), os.umask(0o022)
    settings.prepare(tmp_path_factory.mktemp("prefect"))
    from flows import scheduled

    yield scheduled
    os.umask(mask)
    for name in set(os.environ) - set(kept):
        del os.environ[name]


@pytest.fixture
def place(tmp_path, scheduled, monkeypatch):
    """A folder whose runs are counted instead of made."""
    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "calls"\nformat = "transcript"\npath = "calls/*.json"\n[alerts]\nfile = "alerts.jsonl"\n', encoding="utf-8")
    begun = []

    def run(config_path):
        begun.append(config_path)
        record = scheduled.RunRecord(load_config(path), is_quiet=True)
        append_rows(record.row(as_of_on=pd.Timestamp("2026-11-01"), status="completed"), RUNS, store=str(tmp_path / "store"))

    monkeypatch.setattr(scheduled, "run", run)
    return path, begun


@pytest.mark.slow
def test_late_runs_of_an_outage_do_the_work_once(place, scheduled):
    path, begun = place
    said = [scheduled.daily.fn(str(path), cron="0 6 * * *") for _ in range(4)]
    assert said == [scheduled.DONE] + [scheduled.SKIPPED] * 3 and len(begun) == 1


@pytest.mark.slow
def test_what_was_missed_is_made_up_at_the_start_and_what_never_ran_waits(place, scheduled, monkeypatch):
    from flows import schedule
    from flows.schedule import catch_up

    path, begun = place
    crons = {"daily": "0 6 * * *", "weekly": "0 7 * * 1"}
    monkeypatch.setattr(schedule, "_came_through", lambda job, where, cron: getattr(scheduled, job).fn(str(where), cron=cron) == scheduled.DONE)
    assert catch_up(path, crons=crons) == [] and begun == []
    record = scheduled.RunRecord(load_config(path), started_at=datetime.now(UTC) - timedelta(days=5), is_quiet=True)
    append_rows(record.row(as_of_on=pd.Timestamp("2026-11-01"), status="completed"), RUNS, store=str(path.parent / "store"))
    assert catch_up(path, crons=crons) == ["daily"]
    assert catch_up(path, crons=crons) == [] and len(begun) == 1


@pytest.mark.slow
def test_a_failure_is_raised_logged_and_told_once_a_day_then_closed(place, scheduled, monkeypatch, capsys):
    path, _ = place
    store, fine = str(path.parent / "store"), scheduled.run

    def broken(_):
        raise VocError("お客様の言葉「通帳」 sekret-pw-12")

    monkeypatch.setattr(scheduled, "run", broken)
    for _ in range(2):
        with pytest.raises(VocError):
            scheduled.daily.fn(str(path), cron="0 6 * * *")
    told = (path.parent / "alerts.jsonl").read_text(encoding="utf-8")
    log = "".join(file.read_text(encoding="utf-8") for file in (path.parent / "reports" / "logs").glob("*"))
    assert told.count("\n") == 1 and json.loads(told)["kind"] == "run_failed" and "毎日の実行" in told
    assert "VocError" in log and "通帳" not in log + told and "sekret" not in log + told
    assert "通帳" in capsys.readouterr().err  # whoever stands at the terminal hears the reason
    assert read_table(ALERTS, store=store)["is_open"].tolist() == [True]
    monkeypatch.setattr(scheduled, "run", fine)
    monkeypatch.setattr(scheduled, "render_period", lambda *_, **__: ([], []))
    scheduled.weekly.fn(str(path))
    assert read_table(ALERTS, store=store)["is_open"].tolist() == [True]  # the daily one is still open


def test_the_committed_prefect_file_is_the_one_that_is_written():
    made = prefect_file(dict(Schedule()), timezone="Asia/Tokyo", config_path="voc.toml", folder=".", name="voc")
    assert (ROOT / "flows" / "prefect.yaml").read_text(encoding="utf-8") == made


def test_a_prefect_file_holds_any_path_and_name():
    yaml = pytest.importorskip("yaml")
    odd = '/srv/声 "a": {b}\\c'
    made = yaml.safe_load(prefect_file({"daily": "0 6 * * *", "monthly": "0 7 1 * *"}, timezone="Asia/Tokyo", config_path=odd, folder=odd, name="声: #1"))
    first, second = made["deployments"]
    assert [one["entrypoint"] for one in (first, second)] == ["flows.scheduled.daily", "flows.scheduled.monthly"]
    assert first["parameters"] == {"config_path": odd, "cron": "0 6 * * *"} and first["name"] == "声: #1"
    assert first["schedules"] == [{"cron": "0 6 * * *", "timezone": "Asia/Tokyo"}] and first["work_pool"]["name"] == POOL
    assert second["work_pool"]["job_variables"]["env"]["DO_NOT_TRACK"] == "1"
    assert second["work_pool"]["job_variables"]["env"]["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_a_prefect_file_is_written_without_prefect(tmp_path, capsys):
    from flows.cli import main

    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "s"\nformat = "chat"\npath = "x"\n[schedule]\nweekly = ""\n', encoding="utf-8")
    assert main(["schedule", str(path), "--prefect-file", str(tmp_path / "p.yaml"), "--cron", "30 5 * * *"]) == 0
    text = (tmp_path / "p.yaml").read_text(encoding="utf-8")
    assert "30 5 * * *" in text and "flows.scheduled.weekly" not in text and "flows.scheduled.monthly" in text
    assert main(["schedule", str(path), "--cron", "61 5 * * *"]) == 2
    assert "61 5 * * *" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["voc.service", "voc-schedule.service"])
def test_the_units_for_systemd_are_sound(tmp_path, name):
    program = shutil.which("systemd-analyze") or pytest.skip("systemd-analyze is not installed")
    for file in (ROOT / "flows" / "examples").glob("*.[st]*"):
        # the program and the user of the example are not on this machine
        text = file.read_text(encoding="utf-8").replace("/srv/voc/.venv/bin/voc", "/bin/true").replace("User=voc\n", "")
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    files = [tmp_path / name, tmp_path / "voc.timer"]
    found = subprocess.run([program, "verify", "--man=no", *map(str, files)], capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if str(tmp_path) in line or "voc" in line]
    assert found.returncode == 0 and ours == []


def test_the_crontab_is_sound():
    from voc.due import next_due

    lines = (ROOT / "flows" / "examples" / "voc.crontab").read_text(encoding="utf-8").splitlines()
    jobs = [line for line in lines if re.match(r"^[0-9*]", line)]
    assert len(jobs) == 2 and "CRON_TZ=Asia/Tokyo" in lines
    for job in jobs:
        cron, command = " ".join(job.split()[:5]), " ".join(job.split()[5:])
        assert next_due(cron, now=datetime.now(UTC), timezone="Asia/Tokyo") and "%" not in command  # cron ends a command at %
        assert subprocess.run(["/bin/sh", "-n", "-c", command], check=False).returncode == 0


def test_a_job_from_the_command_line_sets_prefects_environment_before_prefect_reads_it(tmp_path):
    """By hand or from cron: telemetry off and a home beside the configuration, not in $HOME."""
    (tmp_path / "prefect.py").write_text("import os\nprint(os.environ.get('DO_NOT_TRACK'), os.environ.get('PREFECT_HOME'))\nraise SystemExit(3)\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DO_NOT"))} | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    found = subprocess.run([sys.executable, "-m", "flows.scheduled", "daily", str(tmp_path / "company" / "voc.toml"), ""],
                           capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)  # fmt: skip
    assert (found.returncode, found.stdout.split()) == (3, ["1", str(tmp_path / "company" / "prefect")])
