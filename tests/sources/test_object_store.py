"""Objects in moto's S3: new and changed ones only; keys from the named variables, and in no text."""

import io
import logging
import subprocess
import sys
import traceback
import zipfile

import pytest

from voc.config import Source
from voc.errors import SourceError
from voc.sources.pull import pull, reach
from voc.sources.watermarks import advance, read_watermark
from voc.tables import WATERMARKS, empty

ENV = {"endpoint_env": "S3_URL", "key_env": "S3_KEY", "secret_env": "S3_SECRET", "region": "ap-northeast-1"}


def source(path):
    return Source(name="calls", format="transcript", path=path, s3=ENV)


@pytest.fixture
def bucket(s3_server, tmp_path):
    class Bucket:
        client, watermarks = s3_server.client, empty(WATERMARKS)

        def __init__(self):
            self.environ = {"S3_URL": s3_server.endpoint, "S3_KEY": s3_server.key, "S3_SECRET": s3_server.secret}

        def put(self, **objects):
            for key, data in objects.items():
                s3_server.client.put_object(Bucket="voices", Key=f"calls/2026/{key}.json", Body=data)

        def pull(self, path="s3://voices/calls/*/*.json", **options):
            return pull(source(path), base=tmp_path, environ=self.environ,
                        watermark=read_watermark(self.watermarks, source(path)), **options)  # fmt: skip

        def store(self, result, path="s3://voices/calls/*/*.json"):
            self.watermarks = advance(self.watermarks, source(path), result, at=None)

    return Bucket()


@pytest.mark.servers
def test_new_and_changed_objects_only(bucket, tmp_path):
    bucket.put(a=b"1", b=b"2")
    first = bucket.pull()
    assert [(file.name, file.data) for file in first.files] == [
        ("s3://voices/calls/2026/a.json", b"1"), ("s3://voices/calls/2026/b.json", b"2"),
    ]  # fmt: skip
    bucket.store(first)
    again = bucket.pull()
    assert (again.files, again.n_found) == ((), 2)
    assert reach(source("s3://voices/calls/*/*.json"), base=tmp_path, environ=bucket.environ) == "ファイル 2 個"
    bucket.put(b=b"changed", c=b"3")
    bucket.client.delete_object(Bucket="voices", Key="calls/2026/a.json")
    second = bucket.pull()
    assert [file.data for file in second.files] == [b"changed", b"3"]
    assert second.deleted == ("s3://voices/calls/2026/a.json",)
    bucket.store(second)
    assert bucket.pull().files == ()


@pytest.mark.servers
def test_an_object_that_is_too_large_is_told_every_time(bucket):
    bucket.put(a=b"1" * 100, b=b"2")
    first = bucket.pull(max_bytes=50)
    assert ["大きすぎます" in (file.fault or "") for file in first.files] == [True, False]
    bucket.store(first)
    assert [file.name for file in bucket.pull(max_bytes=50).files] == ["s3://voices/calls/2026/a.json"]


@pytest.mark.servers
def test_a_pull_is_cut_at_its_size_and_the_next_ones_take_the_rest(bucket):
    bucket.put(**{f"n{number}": b"x" * 10 for number in range(7)})
    names, n_pulls, is_more = [], 0, True
    while is_more:
        result = bucket.pull(pull_bytes=20)
        bucket.store(result)
        names += [file.name for file in result.files]
        is_more, n_pulls = result.is_more, n_pulls + 1
    assert (len(names), len(set(names)), n_pulls) == (7, 7, 4)


@pytest.mark.servers
def test_an_archive_in_the_store(bucket):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("in/a.json", b"1")
        archive.writestr("readme.txt", b"2")
    bucket.client.put_object(Bucket="voices", Key="export.zip", Body=data.getvalue())
    [file] = bucket.pull("zip://*.json::s3://voices/export.zip").files
    assert (file.name, file.data) == ("s3://voices/export.zip/in/a.json", b"1")


@pytest.mark.servers
@pytest.mark.parametrize("path", ["s3://voices/none/*.json", "s3://nobucket/*.json"])
def test_nothing_found_is_told(bucket, path):
    with pytest.raises(SourceError, match=r"ソース calls: .*s3://"):
        bucket.pull(path)


@pytest.mark.servers
@pytest.mark.parametrize("environ", [{"S3_URL": "http://127.0.0.1:1"}, {"S3_SECRET": ""}])
def test_no_key_in_any_text(bucket, environ, caplog):
    caplog.set_level(logging.INFO)
    bucket.environ |= environ
    with pytest.raises(SourceError, match="ソース calls") as fault:
        bucket.pull()
    told = "".join(traceback.format_exception(fault.value)) + caplog.text + repr(source("s3://b/x"))
    assert "sekret-s3" not in told
    assert "AKIASEKRET" not in told


@pytest.mark.slow
def test_local_files_do_not_load_what_servers_need(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}")
    code = f"""
import sys, pathlib
from voc.config import Source
from voc.sources.pull import pull
from voc.tables import WATERMARKS, empty
source = Source(name="s", format="transcript", path="*.json")
assert pull(source, base=pathlib.Path({str(tmp_path)!r}), environ={{}}, watermark=empty(WATERMARKS)).files
print([name for name in ("s3fs", "botocore", "sqlalchemy", "imap_tools") if name in sys.modules])
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
