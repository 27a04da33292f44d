"""The store on S3 and the work on Dask: the same tables as on one machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.servers]
ROOT = Path(__file__).parents[2]


def run(config: Path, **environ: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "AWS_"))}
    done = subprocess.run([sys.executable, "-m", "flows.cli", "run", str(config)], capture_output=True, text=True, check=False, timeout=1500,
                          env={**kept, "PYTHONPATH": str(ROOT), **environ})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def hashes(store: str, **environ: str) -> dict[str, str]:
    """`content_hashes` in a process of its own: deltalake holds Python's lock while it asks the server, which runs in this one."""
    code = "import json, sys; from voc.store import content_hashes; print(json.dumps(content_hashes(store=sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", code, store], capture_output=True, text=True, check=False, timeout=300,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environ})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_a_store_on_s3_filled_by_dask_holds_what_a_local_run_stores(s3_server, small_company, prefect_server, tmp_path):
    pytest.importorskip("prefect_dask")
    local, remote = small_company(tmp_path / "local"), small_company(tmp_path / "remote")
    text = remote.read_text(encoding="utf-8").replace("workers = 1", 'workers = 2\ndask = "local"')
    place = f'[store]\npath = "s3://voices/store"\nendpoint = "{s3_server.endpoint}"\nregion = "ap-northeast-1"\n'
    remote.write_text(text + place, encoding="utf-8")
    run(local, PREFECT_API_URL=prefect_server)
    remote.with_name("pseudonym.key").write_bytes(local.with_name("pseudonym.key").read_bytes())
    keys = {"AWS_ACCESS_KEY_ID": s3_server.key, "AWS_SECRET_ACCESS_KEY": s3_server.secret}
    run(remote, PREFECT_API_URL=prefect_server, **keys)
    address = {"AWS_ENDPOINT_URL": s3_server.endpoint, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "ap-northeast-1"}
    found, expected = hashes("s3://voices/store", **keys, **address), hashes(str(tmp_path / "local/store"))
    assert found == expected and len(expected) > 30
    assert not (tmp_path / "remote/store").exists()
