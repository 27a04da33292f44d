"""The README as its reader follows it: each command is run in its order, each piece of code, each setting."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.benchmarks.worlds import WORLDS, simulate, write_folder
from voc.config import Config
from voc.config_reference import config_reference
from voc.store import read_table
from voc.tables import CUSTOMERS, ISSUES, TABLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.S | re.M)
COMMANDS = [re.split(r"\s#", line)[0].strip() for kind, text in BLOCKS if not kind for line in text.splitlines() if line.startswith("voc ")]


def test_the_reference_of_settings_is_that_of_the_code():
    assert config_reference() in README, "renew it: python -c 'from voc.config_reference import config_reference; print(config_reference())'"


def test_the_example_of_a_configuration_is_one():
    import tomllib

    (example,) = [text for kind, text in BLOCKS if kind == "toml"]
    assert {source.name for source in Config.model_validate(tomllib.loads(example)).sources} == {"calls", "survey", "customers"}


def test_the_map_names_every_table():
    named = set(re.search(r"\*\*Tables\.\*\*.*", README)[0].replace("`", " ").split())
    assert set(TABLES) <= named


def test_every_place_it_names_is_there():
    places = re.findall(r"`((?:voc|flows|models|tests|notebooks|\.github)/[\w./-]*)`", README) + re.findall(r"\]\((\.github/[^)]+)\)", README)
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_it_names_every_command():
    told = subprocess.run([sys.executable, "-m", "flows.cli", "--help"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    known = set(re.findall(r"^    (\w+)  ", told, re.M))
    assert known - {"demo"} == {command.split()[1] for command in COMMANDS}


@pytest.mark.slow
def test_a_newcomers_path_from_the_first_file_to_the_second_run(demo, voc, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    shutil.copytree(demo[1] / "raw", room / "exports")
    write_folder(simulate(WORLDS["tiny"], seed=3), room / "labelled")
    pd.DataFrame({"ご意見": ["請求書をまとめて発行したい", "電話がつながらない", "助かっています"] * 20}).to_csv(room / "answers.csv", index=False)
    for command in COMMANDS:
        words = shlex.split(_with_real_names(command, room))
        if words[1] == "schedule":
            _starts_and_stops(words[1:], room)
            continue
        done = voc(*words[1:], *(["--yes"] if words[1] == "erase" else []), cwd=room, home=tmp_path / "home")
        allowed = (0, 1) if words[1] in {"doctor", "status"} else (0,)
        assert done.returncode in allowed, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    store = str(room / "store")
    first = read_table(ISSUES, store=store)["issue_id"].iloc[0]
    assert voc("issues", "rename", first, "直した名前", "--config", "voc.toml", cwd=room, home=tmp_path / "home").returncode == 0
    assert voc("run", "voc.toml", cwd=room, home=tmp_path / "home").returncode == 0
    assert read_table(ISSUES, store=store).set_index("issue_id").loc[first, "label"] == "直した名前"
    assert "直した名前" in (room / "reports" / "product.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_code_for_data_scientists_runs(demo_copy, monkeypatch):
    pytest.importorskip("duckdb")
    monkeypatch.chdir(demo_copy.parent)
    codes = [text for kind, text in BLOCKS if kind == "python"]
    assert codes
    known = set(read_table(ISSUES, store=str(demo_copy / "store"))["issue_id"])
    for code in codes:
        assert set(re.findall(r"VOC-\d{4}", code)) <= known
        exec(compile(code, "README.md", "exec"), {})  # noqa: S102 - the README's own code


def _with_real_names(command: str, room: Path) -> str:
    """The README's 0042 and K3f… stand for a number and a pseudonym of the reader's own."""
    if "0042" in command:
        numbers = pd.read_csv(next((room / "exports").glob("customers*.csv")), dtype=str, encoding="utf-8-sig")
        return command.replace("0042", numbers["顧客番号"].iloc[3])
    if "K3f…" in command:
        return command.replace("K3f…", read_table(CUSTOMERS, store=str(room / "store"))["customer_id"].iloc[0])
    return command


def _starts_and_stops(words: list[str], room: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "HF_", "VOC_"))}
    served = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *words], cwd=room, stderr=subprocess.PIPE, text=True, env={**clean, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    told = ""
    for line in served.stderr:
        told += line
        if "止めるには" in line:
            break
    served.send_signal(signal.SIGTERM)
    served.communicate(timeout=120)
    assert "止めるには" in told, told

