"""Shared by all tests: programs that may be missing, and the flags that make their absence a failure."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

_OWN_THREADS = {} if "OPENBLAS_NUM_THREADS" in os.environ else {"OPENBLAS_NUM_THREADS": "1"}
os.environ.update(_OWN_THREADS)  # read when numpy loads: on matrices as small as ours the threads cost several times what they save

# few examples, the same ones every time, while one works; many new ones where a CI asks for everything
settings.register_profile("quick", max_examples=8, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=150, deadline=None, print_blob=True)
settings.load_profile("thorough" if {"CI", "VOC_REQUIRE_PROGRAMS"} & os.environ.keys() else "quick")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Whatever asks a real server waits for it, to start, to answer and to end: it is slow."""
    for item in items:
        if item.get_closest_marker("servers"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def program_environment(tmp_path_factory) -> dict[str, str]:
    """The environment of a program of its own: ours without settings of voc, of Prefect and of models.

    Where Python may leave nothing compiled beside its sources, the programs of one session share what they compile:
    each would compile torch, spaCy and Prefect anew otherwise.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "HF_", "VOC_")) and k not in _OWN_THREADS}
    if clean.pop("PYTHONDONTWRITEBYTECODE", ""):
        clean.setdefault("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
    return clean | {"PYTHONPATH": str(Path(__file__).parents[1])}


@pytest.fixture(scope="session")
def voc(program_environment):
    """`voc(*arguments, cwd, home)`: the console program as its user runs it, with a home of its own."""

    def run(*arguments: str, cwd: Path, home: Path, timeout: float = 900) -> subprocess.CompletedProcess:
        home.mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments], cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False,
            env={**program_environment, "HOME": str(home)},
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def demo_size() -> list[str]:
    """The smallest company that passes the minimum for churn numbers."""
    return ["--customers", "1150", "--months", "14", "--seed", "5"]


@pytest.fixture(scope="session")
def demo(voc, demo_size, tmp_path_factory) -> tuple[subprocess.CompletedProcess, Path]:
    """`voc demo` once for all tests, and its folder, which they only read."""
    room = tmp_path_factory.mktemp("demo")
    return voc("demo", *demo_size, cwd=room, home=room / "home"), room / "voc-demo"


@pytest.fixture
def demo_copy(demo, tmp_path) -> Path:
    """A copy of the demo's folder that a test may change, as `voc-demo` in its own folder."""
    return shutil.copytree(demo[1], tmp_path / "voc-demo")


@pytest.fixture(scope="session")
def small_company():
    """`small_company(folder)` -> voc.toml of a company so small that a run costs little but the loading of models."""
    spec = importlib.util.spec_from_file_location("kills", Path(__file__).parent / "benchmarks" / "kills.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_small_company


@pytest.fixture(scope="session")
def prefect_server(server_folder) -> str:
    """The PREFECT_API_URL of one server for all runs that are processes of their own: each would start one, and its database."""
    pytest.importorskip("prefect")
    from flows.settings import SETTINGS

    folder, port = server_folder / "prefect", _free_port()
    folder.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")} | SETTINGS | {"PREFECT_HOME": str(folder)}
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
    with _running(command, port=port, log=folder / "out.log", environ=environ, start_seconds=180, limit_seconds=3600):
        yield f"http://127.0.0.1:{port}/api"


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of headless Chromium; the test is skipped where it is missing, or fails with VOC_REQUIRE_PROGRAMS=1."""
    return _program("chromium", "chromium-browser", "google-chrome")


def _program(*names: str) -> str:
    found = next((path for path in map(shutil.which, names) if path), None)
    if found:
        return found
    if os.environ.get("VOC_REQUIRE_PROGRAMS") == "1":
        pytest.fail(f"none of {names} is installed, and VOC_REQUIRE_PROGRAMS=1 asks for it")
    pytest.skip(f"none of {names} is installed")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def _running(
    command: list[str], *, port: int, log: Path, user: str | None = None, environ: dict[str, str] | None = None,
    start_seconds: int = 30, limit_seconds: int = 3600,
):  # fmt: skip
    """A server in the foreground on loopback, ended with the tests and in any case after `limit_seconds`."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [_program("timeout"), "-s", "INT", "-k", "10", str(limit_seconds), *command], stdout=output, stderr=output, user=user, cwd=log.parent, umask=0o022, env=environ,
        )  # fmt: skip
    try:
        for _ in range(10 * start_seconds):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if server.poll() is not None:
                pytest.fail(f"{command[0]} ended with {server.returncode}: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        else:
            pytest.fail(f"{command[0]} does not answer: {log.read_text()[-2000:]}")
        yield
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL takes SIGTERM as "when the last client is gone"
        server.wait(timeout=30)


@pytest.fixture(scope="session")
def server_folder():
    """A folder that the servers' own users may enter (pytest's folders are closed to them)."""
    with tempfile.TemporaryDirectory(prefix="voc-servers-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def mail_server(server_folder) -> SimpleNamespace:
    """Dovecot on loopback: `port` (no TLS, STARTTLS), `tls_port`, `ca_file`, `password` of every user."""
    dovecot, openssl = _program("dovecot", "/usr/sbin/dovecot"), _program("openssl")
    folder = server_folder / "dovecot"
    folder.mkdir()
    folder.chmod(0o755)  # whatever umask a flow of another test left
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    place = SimpleNamespace(
        host="127.0.0.1", port=_free_port(), tls_port=_free_port(), ca_file=folder / "cert.pem",
        password="sekret-pw-77",  # noqa: S106
    )  # fmt: skip
    mail_user, mail_group = ("nobody", "nogroup") if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    (folder / "mail").mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder / "mail", mail_user, mail_group)
    own = "" if os.geteuid() == 0 else f"default_internal_user = {mail_user}\ndefault_login_user = {mail_user}\n"
    (folder / "dovecot.conf").write_text(f"""
{own}protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
log_path = {folder}/mail.log
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = static
  args = password={place.password}
}}
userdb {{
  driver = static
  args = uid={mail_user} gid={mail_group} home={folder}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {place.port}
  }}
  inet_listener imaps {{
    port = {place.tls_port}
    ssl = yes
  }}
}}
""")
    with _running([dovecot, "-F", "-c", str(folder / "dovecot.conf")], port=place.port, log=folder / "out.log"):
        yield place


@pytest.fixture(scope="session")
def postgres(server_folder) -> SimpleNamespace:
    """PostgreSQL on loopback with password log-in: `url` (with the password), `port`, `password`."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    found = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")))
    server = Path(_program("postgres", *found)).resolve()
    folder, port, password = server_folder / "postgres", _free_port(), "sekret-db-88"
    folder.mkdir()
    (folder / "password").write_text(password)
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    subprocess.run(
        [server.with_name("initdb"), "-D", folder / "data", "-U", "voc", "-A", "scram-sha-256", "--no-sync",
         "--locale=C.UTF-8", "-E", "UTF8", f"--pwfile={folder / 'password'}"],
        check=True, capture_output=True, user=user, cwd=folder,
    )  # fmt: skip
    command = [str(server), "-D", str(folder / "data"), "-p", str(port), "-c", "listen_addresses=127.0.0.1",
               "-c", "unix_socket_directories=", "-c", "fsync=off"]  # fmt: skip
    with _running(command, port=port, user=user, log=folder / "out.log"):
        url = f"postgresql+psycopg://voc:{password}@127.0.0.1:{port}/postgres"
        for _ in range(100):  # it answers before it takes connections
            with suppress(sqlalchemy.exc.OperationalError), sqlalchemy.create_engine(url).connect():
                break
            time.sleep(0.1)
        yield SimpleNamespace(url=url, port=port, password=password)


@pytest.fixture(scope="session")
def moto_server() -> SimpleNamespace:
    """Moto's S3 on loopback for all tests, with whatever the last one left there."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    place = SimpleNamespace(endpoint=f"http://{host}:{port}", key="AKIASEKRETKEY99", secret="sekret-s3-99")  # noqa: S106
    place.client = pytest.importorskip("boto3").client(
        "s3", endpoint_url=place.endpoint, region_name="ap-northeast-1",
        aws_access_key_id=place.key, aws_secret_access_key=place.secret,
    )  # fmt: skip
    yield place
    server.stop()


@pytest.fixture
def s3_server(moto_server) -> SimpleNamespace:
    """S3 on loopback: `endpoint`, `key`, `secret` and `client`, with nothing but an empty bucket `voices`."""
    reset = urllib.request.Request(f"{moto_server.endpoint}/moto-api/reset", method="POST")  # noqa: S310 - loopback
    urllib.request.urlopen(reset, timeout=10).close()  # noqa: S310 - loopback
    place = {"LocationConstraint": "ap-northeast-1"}
    moto_server.client.create_bucket(Bucket="voices", CreateBucketConfiguration=place)
    return moto_server


@pytest.fixture
def cutting_proxy():
    """`cutting_proxy(port, cuts)` -> a port before `port`; its n-th connection breaks after cuts[n] bytes of answers."""
    listeners = []

    def start(port: int, cuts: list[int]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        left = list(cuts)

        def serve():
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    server = socket.create_connection(("127.0.0.1", port))
                    limit = left.pop(0) if left else None
                    for pair in ((client, server, None), (server, client, limit)):
                        threading.Thread(target=_carry, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        listener.close()


def _carry(origin: socket.socket, target: socket.socket, limit: int | None) -> None:
    n_left = limit
    with suppress(OSError):
        while data := origin.recv(4096):
            if n_left is not None:
                data, n_left = data[:n_left], n_left - len(data)
            target.sendall(data)
            if n_left is not None and n_left <= 0:
                break
    for end in (origin, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
