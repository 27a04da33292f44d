import errno
import subprocess
import sys

import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from voc.errors import StoreError, TableError
from voc.store import (
    add_rows,
    append_rows,
    content_hashes,
    forget_history,
    read_table,
    replace_table,
    table_version,
    write_table,
)
from voc.tables import CUSTOMERS, OPINIONS, SENTENCES, TABLES, USAGE, WATERMARKS, check, content_sha, empty

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


def opinion_rows(**marks):
    rows = [{"sentence_id": own, **{column: 0.5 for column in OPINIONS.columns if column.startswith(("p_", "strength"))}, "polarity": "neutral",
             "intent": "other", "flags": [], "is_abstained": False, "made_from": mark} for own, mark in marks.items()]  # fmt: skip
    return check(pd.DataFrame(rows), OPINIONS)


@pytest.mark.parametrize(
    ("before", "after", "files"),
    [
        ({"a": "1"}, {"a": "1"}, 1),
        ({"a": "1"}, {"a": "1", "b": "2"}, 2),
        ({"a": "1", "b": "2"}, {"b": "2"}, 1),
        ({"a": "1"}, {"a": "9"}, 1),
        ({"a": "1"}, {"b": "1", "c": "1"}, 1),
    ],
    ids=["same: not written", "came: added", "went: written anew", "changed: written anew", "other ids: written anew"],
)
def test_a_table_is_written_by_what_differs(before, after, files, tmp_path):
    store = str(tmp_path)
    assert replace_table(opinion_rows(**before), OPINIONS, store=store)
    version = table_version(OPINIONS, store=store)
    assert replace_table(opinion_rows(**after), OPINIONS, store=store) == (before != after)
    assert table_version(OPINIONS, store=store) == version + (before != after)
    assert content_sha(read_table(OPINIONS, store=store)) == content_sha(opinion_rows(**after))
    assert len(DeltaTable(str(tmp_path / OPINIONS.name)).file_uris()) == files


def test_a_table_of_an_earlier_version_without_marks_is_written_anew(tmp_path):
    old = opinion_rows(a="1").drop(columns="made_from")
    write_deltalake(str(tmp_path / OPINIONS.name), old)
    assert replace_table(opinion_rows(a="1", b="2"), OPINIONS, store=str(tmp_path))
    assert read_table(OPINIONS, store=str(tmp_path))["made_from"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("ids", "n", "files"),
    [("ac", [1.0, 3.0], 1), ("abc", [1.0, 2.0, 3.0], 2), ("ac", [1.0, 9.0], 1), ("a", [1.0], 1), ("abc", [1.0, 2.0, 9.0], 1), ("bd", [1.0, 3.0], 1)],
    ids=["same: not written", "came: added", "changed: written anew", "went: written anew", "changed and came", "other ids"],
)
def test_a_table_without_marks_is_written_by_what_differs(ids, n, files, tmp_path):
    store, before = str(tmp_path), usage(list("ac"), [1.0, 3.0])
    assert replace_table(before, USAGE, store=store)
    after = usage(list(ids), n)
    assert replace_table(after, USAGE, store=store) == (content_sha(after) != content_sha(before))
    assert table_version(USAGE, store=store) == int(content_sha(after) != content_sha(before))
    assert content_sha(read_table(USAGE, store=store)) == content_sha(after)
    assert len(DeltaTable(str(tmp_path / USAGE.name)).file_uris()) == files


def test_no_value_and_an_empty_word_are_two(tmp_path):
    none, word = (check(pd.DataFrame([{"customer_id": "A", "plan": plan}]), CUSTOMERS) for plan in (None, ""))
    assert content_sha(none) == content_sha(word)
    assert [replace_table(frame, CUSTOMERS, store=str(tmp_path)) for frame in (none, none, word, word)] == [True, False, True, False]
    assert read_table(CUSTOMERS, store=str(tmp_path))["plan"].tolist() == [""]


def test_content_hashes_tell_content_and_neither_clocks_nor_the_way_it_was_written(tmp_path):
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    write_table(opinion_rows(a="1", b="2"), OPINIONS, store=one)
    replace_table(opinion_rows(b="2"), OPINIONS, store=other)
    assert content_hashes(store=one) != content_hashes(store=other)
    replace_table(opinion_rows(a="1", b="2"), OPINIONS, store=other)
    for store, at in ((one, "2026-01-01T00:00Z"), (other, "2026-02-01T00:00Z")):
        mark = {"source": "s", "kind": "file", "name": "n", "value": "v", "settings_sha": "x", "at": at}
        write_table(check(pd.DataFrame([mark]), WATERMARKS), WATERMARKS, store=store)
    assert content_hashes(store=one) == content_hashes(store=other)


def test_many_additions_become_one_file_again(tmp_path):
    for n in range(33):
        add_rows(opinion_rows(**{f"s{n:02d}": str(n)}), OPINIONS, store=str(tmp_path))
    assert len(DeltaTable(str(tmp_path / OPINIONS.name)).file_uris()) < 10
    assert len(read_table(OPINIONS, store=str(tmp_path))) == 33


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "空き"),
        (OSError("Generic LocalFileSystem error: Unable to copy data: Read-only file system (os error 30)"), "書き込み禁止"),
        (DeltaError("Kernel error: No space left on device (os error 28)"), "空き"),
    ],
)
def test_a_full_or_closed_disk_is_told_with_its_path_and_what_to_do(fault, told, tmp_path, monkeypatch):
    def failing(*_, **__):
        raise fault

    monkeypatch.setattr("voc.store.write_deltalake", failing)
    with pytest.raises(StoreError, match=told) as caught:
        write_table(usage(["a"], [1.0]), USAGE, store=str(tmp_path))
    assert str(tmp_path) in str(caught.value) and "voc run" in str(caught.value)


def test_a_real_limit_on_what_may_be_written_is_told_and_tears_nothing(tmp_path):
    write_table(usage(["a"], [1.0]), USAGE, store=str(tmp_path))
    code = f"""
import resource, signal
import numpy as np, pandas as pd
from voc.errors import StoreError
from voc.store import write_table
from voc.tables import USAGE
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
frame = pd.DataFrame({{"customer_id": [f"{{n:x}}" for n in np.random.default_rng(0).integers(0, 2**60, 50_000)], "month_on": "2026-01-01"}})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    write_table(frame, USAGE, store={str(tmp_path)!r})
except StoreError as error:
    print("told", error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("told") and "空き" in done.stdout, done.stderr[-1000:]
    assert read_table(USAGE, store=str(tmp_path))["customer_id"].tolist() == ["a"]
