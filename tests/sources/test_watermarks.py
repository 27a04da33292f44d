"""What is new, and how far each source was read."""

import pandas as pd
import pytest

from voc.config import Source
from voc.sources.pull import pull
from voc.sources.watermarks import Changes, advance, changes, read_watermark
from voc.tables import WATERMARKS, empty


@pytest.mark.parametrize(("known", "found", "expected"), [
    ({}, {"b": "1", "a": "1"}, Changes(("a", "b"), (), (), ())),
    ({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2"}, Changes((), ("b",), ("c",), ("a",))),
    ({"a": "1"}, {"a": ""}, Changes((), ("a",), (), ())),
    ({}, {}, Changes((), (), (), ())),
])  # fmt: skip
def test_changes(known, found, expected):
    assert changes(known, found) == expected


def calls(**options):
    return Source(name="calls", format="transcript", path="*.json", **options)


@pytest.fixture
def folder(tmp_path):
    class Folder:
        watermarks = empty(WATERMARKS)

        def pull(self, source, **options):
            return pull(source, base=tmp_path, environ={}, watermark=read_watermark(self.watermarks, source), **options)

        def store(self, source, result, at="2026-01-01T00:00Z"):
            self.watermarks = advance(self.watermarks, source, result, at=pd.Timestamp(at))

        def write(self, **files):
            for name, data in files.items():
                (tmp_path / f"{name}.json").write_bytes(data)

    return Folder()


def names(result):
    return [file.name for file in result.files]


def test_new_changed_and_deleted_files(folder, tmp_path):
    folder.write(a=b"1", b=b"2", c=b"3")
    first = folder.pull(calls())
    assert names(first) == ["a.json", "b.json", "c.json"]
    assert names(folder.pull(calls())) == names(first)  # before the watermark is stored all is new
    folder.store(calls(), first)
    assert names(folder.pull(calls())) == []
    folder.write(b=b"changed", d=b"4", a=b"1")
    (tmp_path / "c.json").unlink()
    second = folder.pull(calls())
    assert (names(second), second.deleted, second.n_found) == (["b.json", "d.json"], ("c.json",), 3)
    folder.store(calls(), second, "2026-01-02T00:00Z")
    assert folder.watermarks["name"].tolist() == ["a.json", "b.json", "d.json"]
    assert folder.watermarks["at"].dt.day.tolist() == [1, 2, 2]
    assert names(folder.pull(calls())) == []


def test_a_pull_is_cut_at_its_size(folder):
    folder.write(a=b"11", b=b"22", c=b"33")
    first = folder.pull(calls(), pull_bytes=3)
    assert (names(first), first.is_more) == (["a.json", "b.json"], True)
    folder.store(calls(), first)
    rest = folder.pull(calls(), pull_bytes=3)
    assert (names(rest), rest.is_more, rest.deleted) == (["c.json"], False, ())


def test_a_file_that_could_not_be_read_is_tried_again(folder):
    folder.write(a=b"1", b=b"2" * 100)
    folder.store(calls(), folder.pull(calls(), max_bytes=50))
    assert folder.watermarks["name"].tolist() == ["a.json"]
    assert names(folder.pull(calls())) == ["b.json"]


def test_other_settings_read_all_again(folder):
    folder.write(a=b"1")
    folder.store(calls(), folder.pull(calls()))
    assert names(folder.pull(calls(encoding="cp932"))) == ["a.json"]


def test_sources_do_not_touch_each_other(folder):
    folder.write(a=b"1")
    other = Source(name="chats", format="chat", path="*.json")
    for source in (calls(), other):
        folder.store(source, folder.pull(source))
    assert folder.watermarks["source"].tolist() == ["calls", "chats"]


def test_customers_words_are_in_no_repr(folder):
    folder.write(a="山田花子".encode())
    assert "\\xe5" not in repr(folder.pull(calls()))
