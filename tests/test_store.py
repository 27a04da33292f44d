import pandas as pd
import pytest

from voc.errors import TableError
from voc.store import append_rows, forget_history, read_table, write_table
from voc.tables import SENTENCES, TABLES, USAGE, check, content_sha, empty

ROW = {"sentence_id": "s", "turn_id": "t", "contact_id": "c", "position": 0, "start": 0, "end": 2, "text": "あ🙂"}


def usage(ids, n):
    return check(pd.DataFrame({"customer_id": ids, "month_on": "2026-01-01", "n_logins": n}), USAGE)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_an_empty_table_comes_back_as_it_was(table, tmp_path):
    write_table(empty(table), table, store=str(tmp_path))
    assert content_sha(read_table(table, store=str(tmp_path))) == content_sha(empty(table))


def test_a_table_never_written_is_empty(tmp_path):
    assert read_table(USAGE, store=str(tmp_path)).empty


@pytest.mark.parametrize("terms", [[], ["請求書", "PDF"]])
@pytest.mark.parametrize("set_aside", [None, "greeting"])
def test_values_come_back_as_they_were(terms, set_aside, tmp_path):
    frame = check(pd.DataFrame([{**ROW, "terms": terms, "set_aside": set_aside}]), SENTENCES)
    write_table(frame, SENTENCES, store=str(tmp_path))
    assert content_sha(read_table(SENTENCES, store=str(tmp_path))) == content_sha(frame)


def test_an_older_version_can_still_be_read(tmp_path):
    first = write_table(usage(["a"], [1.0]), USAGE, store=str(tmp_path))
    write_table(usage(["a", "b"], [2.0, 3.0]), USAGE, store=str(tmp_path))
    assert read_table(USAGE, store=str(tmp_path), version=first)["n_logins"].tolist() == [1.0]


def test_appending_replaces_rows_of_the_same_key(tmp_path):
    append_rows(usage(["a", "b"], [1.0, 2.0]), USAGE, store=str(tmp_path))
    append_rows(usage(["b", "c"], [9.0, 3.0]), USAGE, store=str(tmp_path))
    stored = read_table(USAGE, store=str(tmp_path))
    assert dict(zip(stored["customer_id"], stored["n_logins"], strict=True)) == {"a": 1.0, "b": 9.0, "c": 3.0}


def test_a_frame_that_breaks_its_contract_is_not_written(tmp_path):
    with pytest.raises(TableError):
        write_table(pd.DataFrame({"customer_id": ["a"]}), USAGE, store=str(tmp_path))
    assert read_table(USAGE, store=str(tmp_path)).empty


def test_a_forgotten_history_leaves_the_current_rows_alone(tmp_path):
    for n in range(3):
        write_table(usage([f"customer-{n}"], [1.0]), USAGE, store=str(tmp_path))
    folder = tmp_path / USAGE.name
    for name in ("part-00000.snappy.parquet#1", "_delta_log/00000000000000000002.json#12"):  # left by a killed writer
        (folder / name).write_bytes(b"customer-0")
    (folder / "part-of-nothing.parquet").write_bytes(b"customer-0")
    forget_history(USAGE, store=str(tmp_path))
    assert read_table(USAGE, store=str(tmp_path))["customer_id"].tolist() == ["customer-2"]
    left = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"customer-2" in left and b"customer-0" not in left and b"customer-1" not in left
    assert forget_history(USAGE, store=str(tmp_path / "none")) == -1
