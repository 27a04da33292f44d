"""`voc plan`, `voc status` and `voc doctor` over small stores: what they say of nights that were not as usual."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pandas as pd
import pytest

from flows.doctor import diagnose
from flows.doctor_machine import FAULT
from flows.logs import write_line
from flows.masking import STORE_ITSELF, masking_sha
from flows.plan import plan, plan_lines
from flows.record import RunRecord
from flows.status import status
from voc.config import Config, Source
from voc.privacy import hidden_name
from voc.sources.pseudonym_key import pseudonym_key
from voc.sources.pull import pull
from voc.sources.watermarks import Pulled, advance, rows
from voc.store import append_rows, write_table
from voc.store_health import unknown_folders
from voc.tables import CUSTOMERS, ERASED, RUNS, WATERMARKS, check, empty

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)  # a Sunday, ten in the morning in Japan
CALLS = {"name": "calls", "format": "transcript", "path": "calls/*.json"}
OWN = Source.model_construct(name=STORE_ITSELF, format="transcript", path="-")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "calls").mkdir()
    for number in range(3):
        (tmp_path / "calls" / f"{number}.json").write_text("{}")
    return tmp_path


def ran(folder, config, started_at, *, seconds=None, **counts):
    record = RunRecord(config, started_at=started_at, is_quiet=True)
    record.counts |= counts
    record.seconds |= seconds or {}
    append_rows(record.row(as_of_on=pd.Timestamp("2026-11-01"), status="completed"), RUNS, store=str(folder / "store"))


def planned(folder, config):
    return plan(config, base=folder, store=str(folder / "store"), environ={})


def test_a_plan_after_a_change_of_what_is_masked_reads_all_again(folder):
    config = Config(sources=[CALLS])
    key = pseudonym_key(config.privacy, base=folder, environ={})
    marks = pull(config.sources[0], base=folder, environ={}, watermark=empty(WATERMARKS), mark_of=partial(hidden_name, key=key))
    stored = advance(empty(WATERMARKS), config.sources[0], marks, at=None)
    stored = advance(stored, OWN, Pulled((), rows(OWN, "made", {"masking": masking_sha(config)})), at=None)
    write_table(stored, WATERMARKS, store=str(folder / "store"))
    assert planned(folder, config).sources[0].n_new == 0
    for changed in (config.model_copy(update={"privacy": config.privacy.model_copy(update={"id_patterns": {"会員": r"M-\d+"}})}),
                    config.model_copy(update={"company": config.company.model_copy(update={"timezone": "UTC"})})):  # fmt: skip
        made = planned(folder, changed)
        assert made.sources[0].n_new == 3 and any("始めから読み直します" in note for note in made.notes)


def test_a_plan_takes_rows_per_file_from_a_night_that_read_some(folder):
    config = Config(sources=[CALLS])
    ran(folder, config, NOW - timedelta(days=2), seconds={"read": 4.0, "embeddings": 20.0}, read=2, new_texts=10)
    one_night = planned(folder, config).seconds
    assert one_night == pytest.approx(3 * 2.0 + 3 * 5 * 2.0)  # 3 files; 2 s and 5 texts a file, 2 s a text
    ran(folder, config, NOW - timedelta(days=1), seconds={"read": 0.1}, read=0, new_texts=0)
    assert planned(folder, config).seconds == pytest.approx(one_night)


def test_a_plan_names_an_embedder_of_the_companys_own(folder, monkeypatch):
    (folder / "own_embedder.py").write_text("def vectors(texts):\n    return texts\n")
    monkeypatch.syspath_prepend(str(folder))
    config = Config(sources=[CALLS], parts={"embedder": "own_embedder:vectors"})
    assert "ベクトル（own_embedder:vectors）: 新しい発言だけ" in "\n".join(plan_lines(planned(folder, config)))


@pytest.mark.parametrize(("job", "status_", "days", "expected"), [
    ("weekly", "done", 1, 0), ("weekly", "failed", 1, 1), ("weekly", "done", 30, 1), ("monthly", "failed", 1, 1), ("monthly", "done", 60, 1),
    ("daily", "failed", 0.01, 1),
])  # fmt: skip
def test_the_exit_status_asks_for_every_job_that_is_switched_on(folder, job, status_, days, expected):
    config = Config(sources=[CALLS])
    ran(folder, config, NOW - timedelta(hours=3))
    at = NOW - timedelta(days=days)
    write_line(folder / "reports" / "logs", "job", run_id=f"R{at:%Y%m%dT%H%M%S%f}", job=job, status=status_)
    found = status(config, base=folder, now=NOW)
    assert found.status == expected
    off = Config(sources=[CALLS], schedule={"daily": "", "weekly": "", "monthly": ""})
    assert status(off, base=folder, now=NOW).status == 0


def test_sources_of_the_companys_own_tables_are_told_by_their_rows(folder):
    config = Config(sources=[CALLS, {"name": "crm", "format": "customers", "path": "crm.csv"},
                             *({"name": name, "format": "usage", "path": "u.csv"} for name in ("u1", "u2"))])  # fmt: skip
    write_table(check(pd.DataFrame({"customer_id": ["A", "B"]}), CUSTOMERS), CUSTOMERS, store=str(folder / "store"))
    lines = "\n".join(status(config, base=folder, now=NOW).lines)
    assert "crm（customers）: 2行、" in lines and "u1（usage）: 同じ形式の取り込み元と合わせて0行" in lines and "calls（transcript）: 声はありません" in lines


def test_a_lock_in_the_store_is_no_unknown_table(folder):
    write_table(empty(CUSTOMERS), CUSTOMERS, store=str(folder / "store"))
    (folder / "store" / ".lock").write_text("")
    assert unknown_folders(store=str(folder / "store")) == []
    (folder / "store" / "mine").mkdir()
    assert unknown_folders(store=str(folder / "store")) == ["mine"]


def tear(folder, table):
    for path in (folder / "store" / table).rglob("*.parquet"):
        path.write_bytes(b"torn")


def test_what_no_source_can_give_again_is_to_be_restored_not_moved_away(folder):
    write_table(check(pd.DataFrame({"kind": ["customer"], "value": ["x"], "erased_at": [pd.Timestamp(NOW)]}), ERASED), ERASED, store=str(folder / "store"))
    tear(folder, "erased")
    [told] = [line.told for line in diagnose(Config(sources=[CALLS]), base=folder, now=NOW).lines if line.state == FAULT and "erased" in line.told]
    assert "バックアップから戻して" in told and "--full" not in told


@pytest.mark.slow
@pytest.mark.parametrize("table", ["contacts", "turns", "customer_keys", "watermarks", "customers"])
def test_the_advice_for_a_table_that_cannot_be_read_works(folder, table):
    from flows import settings

    settings.prepare(folder)
    from flows.ingest import ingest

    turn = {"speaker": "customer", "text": "画面が開きません"}
    for number in range(3):
        one = {"contact_id": str(number), "customer_id": "A", "started_at": "2026-04-01T10:00:00+09:00", "turns": [turn]}
        (folder / "calls" / f"{number}.json").write_text(json.dumps(one, ensure_ascii=False))
    (folder / "crm.csv").write_text("customer_id,started_on\nA,2025-01-01\n,\n")
    config, store = Config(sources=[CALLS, {"name": "crm", "format": "customers", "path": "crm.csv"}]), folder / "store"

    def full():
        ingest(config, base=folder, store=str(store), record=RunRecord(config, is_quiet=True), is_full=True)

    def faults():
        return [line.told for line in diagnose(config, base=folder, now=NOW).lines if line.state == FAULT and f"表 {table} " in line.told]

    full()
    tear(folder, table)
    [told] = faults()
    assert f"{store}/{table} を保存先の外へ移してから voc run --full" in told
    with pytest.raises(Exception, match=r"(?s)."):  # --full alone does not help: it reads the table first
        full()
    (store / table).rename(folder / "aside")
    full()
    assert faults() == []
