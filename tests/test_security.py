"""What no module may do: load pickles, fetch at import, read XML or YAML that runs code; and what hostile files cannot do."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from io import BytesIO
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from voc.config import Source, load_config
from voc.errors import ConfigError, SourceError
from voc.sources.archives import unpack
from voc.sources.files import find_files

ROOT = Path(__file__).parent.parent
CODE = sorted(path for room in ("voc", "flows", "models") for path in (ROOT / room).rglob("*.py"))
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "telnetlib", "ftplib"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load", "pd.read_pickle", "pandas.read_pickle",
                "subprocess.getoutput", "tempfile.mktemp", "ssl._create_unverified_context", "archive.extractall"}  # fmt: skip
DENIED_PACKAGES = {"pyyaml-include", "jsonpickle", "dill", "presidio-analyzer", "openai", "pycrypto", "python-jwt"}
"""Packages that run what they load, are abandoned with known holes, or would send customers' text out of the house."""


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_loads_what_could_run(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.split(".")[0] not in UNSAFE_MODULES, f"{path}:{node.lineno} imports {name}"
    for node, name in calls(tree):
        where = f"{path}:{node.lineno} calls {name}"
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg in {"allow_pickle", "weights_only", "shell", "verify"}}
        assert name not in UNSAFE_CALLS, where
        if name in ("np.load", "numpy.load"):
            assert given.get("allow_pickle") == "False", f"{where} without allow_pickle=False"
        if name == "torch.load":
            assert given.get("weights_only") == "True", f"{where} without weights_only=True"
        assert given.get("shell", "False") == "False", f"{where} with a shell"
        assert given.get("verify", "True") != "False", f"{where} without looking at the certificate"


def pins():
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def test_every_package_of_the_ci_is_pinned_exactly():
    assert [pin for pin in pins() if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)] == []


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_dependency_has_its_pin_within_its_bounds():
    pinned = {canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in pins())}
    optional = (text for texts in project()["optional-dependencies"].values() for text in texts)
    for text in [*project()["dependencies"], *optional]:
        one = Requirement(text)
        if one.name == "voc":  # one set of extras in another
            continue
        found = pinned.get(canonicalize_name(one.name))
        is_exact = [spec.operator for spec in one.specifier] == ["=="]  # the carriers of the models pin themselves
        assert is_exact or (found and one.specifier.contains(found, prereleases=True)), f"{text}: pinned is {found}"


def test_no_denied_package_comes_with_voc():
    """All that the dependencies draw in, as installed here."""
    open_, seen = [Requirement(text) for text in project()["dependencies"]], set()
    while open_:
        name = canonicalize_name(open_.pop().name)
        if name not in seen:
            seen.add(name)
            drawn = [Requirement(text) for text in metadata.requires(name) or []]
            open_ += [one for one in drawn if one.marker is None or one.marker.evaluate({"extra": ""})]
    assert len(seen) > 100 and seen & DENIED_PACKAGES == set()


def zipped(*members):
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "..\\x.csv", "C:/x.csv", "C:\\x.csv"])
def test_a_zip_that_points_out_of_its_folder_gives_a_fault(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (file,) = unpack("s", "a.zip", zipped((name, "x")), max_bytes=1000)
    assert file.fault and not file.data and list(tmp_path.rglob("*")) == []


def test_bombs_are_cut_at_their_size():
    bomb = zipped(("a.csv", b"0" * 5_000_000))
    assert len(bomb) < 10_000
    (file,) = unpack("s", "a.zip", bomb, max_bytes=100_000)
    assert "上限" in file.fault and not file.data
    many = unpack("s", "a.zip", zipped(*((f"{i}.csv", b"0" * 60_000) for i in range(3))), max_bytes=100_000)
    assert sum(len(file.data) for file in many) <= 100_000


def test_a_link_in_a_zip_is_read_as_its_text(tmp_path):
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = 0o120777 << 16
    (file,) = unpack("s", "a.zip", zipped((info, "/etc/passwd")), max_bytes=1000)
    assert file.data == b"/etc/passwd"


@pytest.mark.parametrize("written", ["../out/*.json", "in/../../out/x.json", "link/*.json", "linked.json"])
def test_a_relative_source_stays_under_the_configuration(tmp_path, written):
    base, out = tmp_path / "base", tmp_path / "out"
    (base / "in").mkdir(parents=True)
    out.mkdir()
    (out / "x.json").write_text("[]")
    (base / "link").symlink_to(out)
    (base / "linked.json").symlink_to(out / "x.json")
    with pytest.raises(SourceError, match="外を指しています"):
        find_files(Source(name="s", format="transcript", path=written), base=base)


@pytest.mark.parametrize("text", ["x = " + "[" * 20_000, "a" * 1_000_000, "x = 1\n" * 3, "\x00", "x = \"\\ud800\"", "x" + ".y" * 5_000 + " = 1"])
def test_a_hostile_configuration_is_a_told_fault(tmp_path, text):
    path = tmp_path / "voc.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_config(path)


URL = "postgresql+psycopg://voc:sekret-db-77@127.0.0.1:9/nothing"


@pytest.mark.slow
def test_a_failing_source_tells_no_password(tmp_path, monkeypatch, capfd):
    """The address of the database, with its password, in nothing that a failed run leaves or says."""
    from flows.cli import main

    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "crm"\nformat = "ticket"\n[sources.sql]\nurl_env = "CRM_URL"\nquery = "select 1"\n', encoding="utf-8")
    monkeypatch.setenv("CRM_URL", URL)
    assert main(["check", str(path)]) == 2 and main(["doctor", str(path)]) == 2
    said = capfd.readouterr()
    assert "crm" in said.out and "sekret-db-77" not in said.out + said.err
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in left if b"sekret-db-77" in file.read_bytes()]


@pytest.mark.slow
def test_the_installed_packages_fit_together():
    """`pip check`. Known holes are looked up by a person with network: `pip-audit -r .ci/constraints.txt`."""
    found = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
