import gzip
import hashlib

import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.sources.pull import pull
from voc.tables import WATERMARKS, empty


def source(path):
    return Source(name="calls", format="transcript", path=path)


def read(one, *, base, **limits):
    return pull(one, base=base, environ={}, watermark=empty(WATERMARKS), **limits).files


def test_files_come_sorted_with_their_hash(tmp_path):
    (tmp_path / "raw").mkdir()
    for name in ("b.json", "a.json", ".hidden.json"):
        (tmp_path / "raw" / name).write_bytes(name.encode())
    files = read(source("raw/*.json"), base=tmp_path)
    assert [file.name for file in files] == ["raw/a.json", "raw/b.json"]
    assert files[0].data == b"a.json"
    assert files[0].sha256 == hashlib.sha256(b"a.json").hexdigest()


def test_gzip_is_unpacked_all_members(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"one") + gzip.compress(b"two"))
    [file] = read(source("*.gz"), base=tmp_path)
    assert (file.name, file.data, file.fault) == ("a.jsonl", b"onetwo", None)


@pytest.mark.parametrize(("data", "reason"), [
    (gzip.compress(b"x" * 5000), "上限 1,000"),
    (gzip.compress(b"hello world" * 50)[:-12], "gzip"),
    (b"no gzip", "gzip"),
])  # fmt: skip
def test_a_broken_or_huge_file_has_a_fault_and_the_others_go_on(tmp_path, data, reason):
    (tmp_path / "a.json.gz").write_bytes(data)
    (tmp_path / "b.json").write_bytes(b"ok")
    files = read(source("*.json*"), base=tmp_path, max_bytes=1000)
    assert reason in files[0].fault
    assert files[0].data == b""
    assert files[1].data == b"ok"


def test_nothing_found_names_the_folder_and_what_is_there(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "calls.csv").write_bytes(b"")
    with pytest.raises(SourceError, match=r"raw/2024/\*\.json.*raw にあるもの: calls\.csv"):
        read(source("raw/2024/*.json"), base=tmp_path)


def test_relative_paths_stay_under_the_base_and_absolute_ones_may_not(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "secret.json").write_bytes(b"x")
    (tmp_path / "config" / "link.json").symlink_to(tmp_path / "secret.json")
    for path in ("../secret.json", "link.json", "*.json"):
        with pytest.raises(SourceError, match="外を指しています"):
            read(source(path), base=tmp_path / "config")
    [file] = read(source(str(tmp_path / "secret.json")), base=tmp_path / "config")
    assert file.data == b"x"
