"""Archives: what is in them, and nothing that a hostile one wants."""

import gzip
import io
import random
import struct
import zipfile

import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.sources.archives import unpack
from voc.sources.pull import pull
from voc.tables import WATERMARKS, empty


def read(source, *, base):
    return pull(source, base=base, environ={}, watermark=empty(WATERMARKS)).files


def zipped(members, **options):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return data.getvalue()


def unzipped(members, *, max_bytes=10_000, wanted=None):
    return unpack("s", "x.zip", zipped(members), max_bytes=max_bytes, members=wanted)


def test_members_come_sorted_under_the_archives_name():
    files = unzipped([("b/2.csv", b"2"), ("a.csv.gz", gzip.compress(b"1")), ("b/", b""), ("__MACOSX/b", b""), (".x", b"")])
    assert [(file.name, file.data) for file in files] == [("x.zip/a.csv", b"1"), ("x.zip/b/2.csv", b"2")]


def test_a_glob_picks_members():
    assert [file.name for file in unzipped([("a.csv", b""), ("b.txt", b"")], wanted="*.csv")] == ["x.zip/a.csv"]


def test_names_of_japanese_windows_are_read():
    data = zipped([("AAAA.csv", b"1")]).replace(b"AAAA", "回答".encode("cp932"))
    assert unpack("s", "x.zip", data, max_bytes=99)[0].name == "x.zip/回答.csv"


@pytest.mark.parametrize("name", ["../a.csv", "a/../../b.csv", "/etc/a.csv", "C:/a.csv", "..\\a.csv"])
def test_a_name_that_leaves_the_folder_is_refused(name):
    bad, good = sorted(unzipped([(name, b"x"), ("zz.csv", b"ok")]), key=lambda file: file.data)
    assert "外を指しています" in bad.fault
    assert good.data == b"ok"


@pytest.mark.parametrize(("members", "told"), [
    ([("a.csv", b"0" * 20_000)], "上限"), ([("a.csv", b"0" * 6_000), ("b.csv", b"0" * 6_000)], "上限"),
    ([("a.zip", zipped([("b.csv", b"")]))], "zip の中の zip"), ([], "ファイルがありません"),
    ([("a.gz", gzip.compress(b"0" * 20_000))], "上限"),
])  # fmt: skip
def test_what_is_too_large_or_nested_is_told(members, told):
    assert told in unzipped(members)[-1].fault


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_unpacks_without_bound_is_not_opened(packing):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", b"0" * 5_000, compress_type=packing)
        archive.writestr("b.csv", b"1")
    bad, good = unpack("s", "x.zip", data.getvalue(), max_bytes=10_000)
    assert "圧縮方式" in bad.fault and bad.data == b"" and good.data == b"1"


def test_a_size_that_lies_is_not_believed():
    data = zipped([("a.csv", b"0" * 50_000)])
    lying = data.replace(struct.pack("<I", 50_000), struct.pack("<I", 10))
    assert lying != data
    [file] = unpack("s", "x.zip", lying, max_bytes=1_000)
    assert file.fault
    assert file.data == b""


def test_an_encrypted_member_is_told():
    data = bytearray(zipped([("a.csv", b"1")]))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "暗号化" in unpack("s", "x.zip", bytes(data), max_bytes=99)[0].fault


def test_mutated_archives_never_crash():
    plain = zipped([("a.csv", b"abc" * 99), ("b/c.csv", b"x" * 500), ("回.csv", b"")])
    outcomes = set()
    for seed in range(1000):
        rng, data = random.Random(seed), bytearray(plain)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        files = unpack("s", "x.zip", bytes(data[: rng.choice([len(data), len(data), rng.randrange(len(data))])]), max_bytes=5000)
        outcomes |= {bool(file.fault) for file in files}
        assert sum(len(file.data) for file in files) <= 5000
    assert outcomes == {True, False}


def test_archives_are_found_by_a_path(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped([("a.csv", b"1"), ("b.txt", b"2")]))
    plain = Source(name="s", format="chat", path="*.zip")
    assert [file.name for file in read(plain, base=tmp_path)] == ["x.zip/a.csv", "x.zip/b.txt"]
    chosen = Source(name="s", format="chat", path="zip://*.csv::x.zip")
    assert [file.name for file in read(chosen, base=tmp_path)] == ["x.zip/a.csv"]


@pytest.mark.parametrize("path", ["zip://a.csv", "ftp://host/a.csv", "zip://*::gs://b/x.zip", "zip://*::../x.zip"])
def test_a_place_that_is_not_known_is_told(tmp_path, path):
    with pytest.raises(SourceError, match=r"ソース s: "):
        read(Source(name="s", format="chat", path=path), base=tmp_path)
