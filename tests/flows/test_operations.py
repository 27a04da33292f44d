"""The log, the lock, alerts of a run, status and doctor, over small stores."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from flows.alert import ROWS, alert, rows_by_source
from flows.logs import read_lines, write_line
from flows.one_run import is_running, one_run
from flows.record import RunRecord
from flows.status import status
from voc.config import load_config
from voc.errors import VocError
from voc.store import append_rows, read_table, write_table
from voc.tables import ALERTS, CONTACTS, REJECTS, RUNS, TABLES, check, empty

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # ten in the morning
SECRET, WORDS = "sekret-pw-91", "通帳の再発行に三週間もかかりました"


@pytest.fixture
def place(tmp_path):
    """(config, folder) of a company with one source."""
    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "calls"\nformat = "transcript"\npath = "calls/*.json"\n', encoding="utf-8")
    return load_config(path), tmp_path


def logged(folder):
    return list(read_lines(folder / "reports" / "logs"))


def text_of_log(folder):
    return "".join(path.read_text(encoding="utf-8") for path in (folder / "reports" / "logs").glob("*"))


def run_row(config, started_at, **counts):
    record = RunRecord(config, started_at=started_at, is_quiet=True)
    record.counts |= {"parse": 10, **counts}
    return record.row(as_of_on=pd.Timestamp("2026-11-01"), status="completed")


def test_a_stage_leaves_a_line_with_figures_alone(place):
    config, folder = place
    record = RunRecord(config, is_quiet=True, log_folder=folder / "reports" / "logs")
    with record.stage("read", of="calls"):
        pass
    with pytest.raises(VocError), record.stage("parse", of="calls"):
        raise VocError(f"「{WORDS}」 {SECRET}")
    record.log("run_completed", counts={"new": 3, "mask": {"PHONE": 2}, ROWS: {"calls": [3, 0]}, WORDS + "！": 1, "note": WORDS})
    read, parse, done = logged(folder)
    assert (read["event"], read["stage"], read["of"], read["run_id"]) == ("stage", "read", "calls", record.run_id)
    assert (parse["event"], parse["error"]) == ("stage_failed", "VocError")
    assert done["counts"] == {"new": 3, "mask": {"PHONE": 2}, ROWS: {"calls": [3, 0]}}
    assert WORDS not in text_of_log(folder) and SECRET not in text_of_log(folder)


def test_a_log_that_cannot_be_written_is_told_and_stops_nothing(place, capsys):
    config, folder = place
    (folder / "file").write_text("x")
    record = RunRecord(config, log_folder=folder / "file" / "logs")
    with record.stage("read"):
        pass
    assert "ログを書けません" in capsys.readouterr().err and "read" in record.seconds


@pytest.mark.parametrize("text", [f"{WORDS}。", "a b", "https://u:pw@h/", "x" * 65, "a\nb"])
def test_a_text_never_enters_the_log(tmp_path, text):
    write_line(tmp_path / "reports" / "logs", "stage", stage=text, of=text, error=text)
    assert text not in text_of_log(tmp_path) and logged(tmp_path)[0]["stage"] == "?"


def test_a_new_field_has_to_be_thought_about(tmp_path):
    with pytest.raises(ValueError, match="message"):
        write_line(tmp_path, "stage", message="x")


def test_a_torn_line_is_left_out_and_the_log_is_closed_to_others(tmp_path):
    folder = tmp_path / "reports" / "logs"
    write_line(folder, "stage", stage="read")
    path = next(folder.glob("*"))
    path.write_text(path.read_text() + '{"at": "20')
    assert [line["stage"] for line in logged(tmp_path)] == ["read"]
    assert path.stat().st_mode & 0o037 == 0


def test_one_run_at_a_time_and_a_killed_one_leaves_no_lock(tmp_path):
    code = f"import sys, pathlib; sys.path.insert(0, {str(Path.cwd())!r})\nfrom flows.one_run import one_run\n" \
           "with one_run(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); input()"  # fmt: skip
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"held\n"
        assert is_running(tmp_path)
        with pytest.raises(VocError, match="実行中"), one_run(tmp_path):
            pytest.fail("two runs at once")
    finally:
        other.kill()
        other.communicate()
    assert not is_running(tmp_path)
    with one_run(tmp_path, wait_seconds=1, pause_seconds=0.01):
        assert is_running(tmp_path)


def test_a_full_disk_is_told_before_a_run_and_after_a_fault_that_came_of_it(tmp_path, monkeypatch):
    free = iter([10 * 2**20, 100 * 2**20, 1000, 100 * 2**20, 100 * 2**20])
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 0, next(free)))
    with pytest.raises(VocError, match=r"残り 10\.0 MB"), one_run(tmp_path):
        pytest.fail("there is no room")
    with pytest.raises(VocError, match=r"残り 0\.0 MB"), one_run(tmp_path):
        raise RuntimeError("database or disk is full")
    with pytest.raises(ZeroDivisionError), one_run(tmp_path):
        raise ZeroDivisionError


def test_rows_are_counted_by_source(place):
    config, _ = place
    contacts = pd.DataFrame({"source": ["calls", "calls", "old"]})
    rejects = check(pd.DataFrame([{"source": "calls", "source_row": "1", "stage": stage, "reason": "x"} for stage in ("parse", "clean")]), REJECTS)
    assert rows_by_source(config, {"contacts": contacts, "rejects": rejects}) == {"calls": [2, 1]}


def test_an_alert_goes_out_once_and_a_channel_that_fails_is_a_notice_tried_again(place, monkeypatch):
    config, folder = place
    path = folder / "voc.toml"
    path.write_text(path.read_text() + '[alerts]\nfile = "alerts.jsonl"\n[alerts.webhook]\nurl_env = "HOOK"\n')
    config, store = load_config(path), str(folder / "store")
    contacts = [{"contact_id": f"C{i}", "channel": "call", "started_at": day, "source": "calls", "source_row": str(i), "content_sha": "x"}
                for i, day in enumerate(pd.date_range("2026-09-01", "2026-11-01", tz="UTC"))]  # fmt: skip
    tables = {name: empty(table) for name, table in TABLES.items()} | {"contacts": check(pd.DataFrame(contacts), CONTACTS)}
    monkeypatch.setenv("HOOK", f"gopher://{SECRET}")
    told = []
    for _ in range(2):
        record = RunRecord(config, is_quiet=True, started_at=NOW)
        alert(config, tables, base=folder, store=store, record=record, as_of_on=pd.Timestamp("2026-11-02"))
        told.append((record.counts["alerts"], record.notices))
    assert [counts["sent"] for counts, _ in told] == [{"file": 1}, {}] and [counts["new"] for counts, _ in told] == [1, 0]
    assert all(len(notices) == 1 and SECRET not in notices[0] for _, notices in told)
    stored = read_table(ALERTS, store=store)
    assert stored["subject"].tolist() == ["calls"] and list(stored["sent_to"][0]) == ["file"]
    assert len((folder / "alerts.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_status_before_the_first_run(place):
    config, folder = place
    found = status(config, base=folder, now=NOW)
    assert found.status == 1 and any("voc run を実行してください" in line for line in found.lines)
    assert any("2026-11-23 06:00" in line for line in found.lines)


def test_status_of_a_night_that_was_missed_and_of_one_that_was_not(place):
    config, folder = place
    append_rows(run_row(config, datetime(2026, 11, 20, 21, 0, tzinfo=UTC)), RUNS, store=str(folder / "store"))
    late = status(config, base=folder, now=NOW)
    assert late.status == 1 and any("予定の時刻に実行されていません" in line for line in late.lines)
    append_rows(run_row(config, datetime(2026, 11, 21, 21, 0, 3, tzinfo=UTC), new=7), RUNS, store=str(folder / "store"))
    fine = status(config, base=folder, now=NOW)
    assert fine.status == 0 and "2026-11-22 06:00 完了" in fine.lines[3] and "新規7" in fine.lines[3]


def test_status_tells_where_a_run_was_cut_off(place):
    config, folder = place
    append_rows(run_row(config, datetime(2026, 11, 21, 21, 0, tzinfo=UTC)), RUNS, store=str(folder / "store"))
    record = RunRecord(config, is_quiet=True, log_folder=folder / "reports" / "logs")
    record.log("run_started", pid=1)
    with record.stage("read"):
        pass
    found = status(config, base=folder, now=NOW)
    assert found.status == 1 and any("段階 read の後で途切れました" in line for line in found.lines)


@pytest.mark.parametrize(("left", "word"), [("running", "途中で途切れた"), ("interrupted", "途中で途切れた"), ("failed", "失敗")])
def test_status_of_a_run_that_did_not_come_through(place, left, word):
    """A run writes its row when it begins; killed, it leaves it as `running`."""
    config, folder = place
    append_rows(run_row(config, datetime(2026, 11, 21, 21, 0, 3, tzinfo=UTC)), RUNS, store=str(folder / "store"))
    record = RunRecord(config, is_quiet=True, log_folder=folder / "reports" / "logs")
    append_rows(record.row(as_of_on=None, status=left), RUNS, store=str(folder / "store"))
    record.log("run_started", pid=1)
    found = status(config, base=folder, now=NOW)
    assert found.status == 1 and word in found.lines[3] and "nan" not in found.lines[3] and "完了" in found.lines[4]
    assert any("始めてすぐで途切れました" in line for line in found.lines)


def test_status_names_silent_sources_and_open_alerts(place):
    config, folder = place
    contacts = [{"contact_id": f"C{i}", "channel": "call", "started_at": day, "source": "calls", "source_row": str(i), "content_sha": "x"}
                for i, day in enumerate(pd.date_range("2026-09-01", "2026-11-01", tz="UTC"))]  # fmt: skip
    write_table(check(pd.DataFrame(contacts), CONTACTS), CONTACTS, store=str(folder / "store"))
    row = {"alert_id": "a", "kind": "nps_drop", "subject": "nps", "period": "2026-10", "raised_on": "2026-11-01", "last_on": "2026-11-01",
           "is_open": True, "severity": "重大", "text": "NPSが下がりました", "evidence": [], "sent_to": ["mail"]}  # fmt: skip
    write_table(check(pd.DataFrame([row, row | {"alert_id": "b", "is_open": False, "text": "閉じたもの"}]), ALERTS), ALERTS, store=str(folder / "store"))
    lines = "\n".join(status(config, base=folder, now=NOW).lines)
    assert "⚠ 21日間届いていません" in lines and "NPSが下がりました（mail）" in lines and "閉じたもの" not in lines


@pytest.mark.slow
def test_doctor_finds_what_is_wrong_and_goes_on(place, monkeypatch):
    from flows.doctor import diagnose
    from flows.doctor_machine import FAULT, WARN

    config, folder = place
    write_table(empty(REJECTS), REJECTS, store=str(folder / "store"))
    append_rows(run_row(config, datetime(2027, 1, 1, tzinfo=UTC)), RUNS, store=str(folder / "store"))
    next((folder / "store" / "runs").glob("*.parquet")).write_bytes(b"torn")
    (folder / "store" / "rejects" / "left.parquet#1").write_bytes(b"x" * 10)
    (folder / "pseudonym.key").write_text("0" * 64)
    (folder / "pseudonym.key").chmod(0o644)
    shutil.rmtree(folder / "calls", ignore_errors=True)
    found = diagnose(config, base=folder, now=NOW)
    told = {line.place: [] for line in found.lines}
    for line in found.lines:
        told[line.place].append((line.state, line.told))
    assert found.status == 2
    assert any(state == FAULT and "表 runs を読めません" in text for state, text in told["保存先"])
    assert any("どの版にも属さないファイル 1 個" in text for _, text in told["保存先"])
    assert any(state == FAULT and "chmod go=" in text for state, text in told["ファイルの権限"])
    assert told["calls（transcript）"][0][0] == FAULT
    assert all(state != FAULT for place_ in ("Python", "モデル", "ディスク") for state, _ in told[place_])
    assert any(state in (FAULT, WARN) for state, _ in told["時刻"])  # the table of runs cannot be read: told, and nothing stops


@pytest.mark.slow
def test_doctor_sees_a_model_file_that_was_changed(tmp_path, monkeypatch):
    from flows import doctor_machine
    from voc.embeddings import registry

    changed = {name: entry | {"sha256": dict.fromkeys(entry["sha256"], "0" * 64)} for name, entry in registry().items()}
    monkeypatch.setattr("voc.embeddings.registry", lambda: changed)
    states = [line.state for line in doctor_machine.models()]
    assert states[: len(changed)] == [doctor_machine.FAULT] * len(changed)


def test_doctor_sees_an_old_package(monkeypatch):
    from flows import doctor_machine

    monkeypatch.setattr(doctor_machine, "requires", lambda _: ["pandas<2", "no-such-package-here", 'boto3; extra == "test"'])
    told = [line.told for line in doctor_machine.packages()]
    assert len(told) == 2 and "必要なのは <2" in told[0] and "no-such-package-here がありません" in told[1]


def test_files_are_closed_to_others(tmp_path):
    code = "import sys, pathlib\nfrom flows.settings import prepare\nprepare(pathlib.Path('.'))\n" \
           "pathlib.Path('a').write_text('x'); pathlib.Path('d').mkdir()"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640 and (tmp_path / "d").stat().st_mode & 0o777 == 0o750


def test_the_counts_of_a_run_hold_what_the_next_alert_compares_with(place):
    config, _ = place
    row = run_row(config, NOW, **{ROWS: {"calls": [5, 1]}})
    assert json.loads(row["counts"][0])[ROWS] == {"calls": [5, 1]}
