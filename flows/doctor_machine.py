"""Checks of the machine: versions, models, fonts, file modes."""

import ctypes.util
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from voc.config import Config
from voc.embeddings import model_files, registry
from voc.errors import VocError
from voc.opinions import load_heads

FINE, WARN, FAULT = "OK", "注意", "異常"
_EXTRA = "extra"
_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: `state` (OK, 注意, 異常), what was looked at, what was found and what to do."""

    state: str
    place: str
    told: str


def python() -> list[Line]:
    found = ".".join(map(str, sys.version_info[:3]))
    is_fine = (3, 11) <= sys.version_info[:2] < (3, 13)
    return [Line(FINE if is_fine else FAULT, "Python", found if is_fine else f"{found}。3.11 か 3.12 を使ってください")]


def packages() -> list[Line]:
    """Installed versions against what voc asks for (its own metadata; the environment decides nothing else)."""
    try:
        asked = [Requirement(text) for text in requires("voc") or []]
    except PackageNotFoundError:
        return [Line(WARN, "パッケージ", "voc がインストールされていません。pip install -e . -c .ci/constraints.txt を実行してください")]
    asked = [one for one in asked if one.marker is None or one.marker.evaluate({_EXTRA: ""})]
    faults = []
    for one in asked:
        try:
            found = version(one.name)
        except PackageNotFoundError:
            faults.append(Line(FAULT, "パッケージ", f"{one.name} がありません。pip install \"{one}\" -c .ci/constraints.txt を実行してください"))
            continue
        if not one.specifier.contains(found, prereleases=True):
            faults.append(Line(FAULT, "パッケージ", f"{one.name} は {found} です（必要なのは {one.specifier}）。入れ直してください"))
    return faults or [Line(FINE, "パッケージ", f"{len(asked)} 個の版が条件に合っています")]


def models() -> list[Line]:
    """Hashes of the model files against models/registry.toml, of the trained heads against what they name."""
    lines = []
    for name, entry in registry().items():
        try:
            n = len(model_files(name))
        except VocError as error:
            lines.append(Line(FAULT, "モデル", str(error)))
        else:
            lines.append(Line(FINE, "モデル", f"{name}（{entry['package']} {entry['version']}）: ハッシュが一致（{n} ファイル）"))
    load_heads()  # raises VocError where the adapter is not the one that the heads were trained on
    return [*lines, Line(FINE, "モデル", "opinions: 学習済みの判定と適応層が対応しています")]


def fonts() -> list[Line]:
    pango = all(ctypes.util.find_library(name) for name in ("pango-1.0", "pangoft2-1.0"))
    lines = [Line(FINE, "PDF", "libpango があります") if pango else
             Line(WARN, "PDF", "libpango がありません。PDF を作りません（Debian 系: apt-get install libpango-1.0-0 libpangoft2-1.0-0）")]  # fmt: skip
    lister = shutil.which("fc-list")
    if lister is None:
        return [*lines, Line(WARN, "フォント", "fc-list がなく、日本語のフォントがあるか分かりません（Debian 系: apt-get install fontconfig fonts-noto-cjk）")]
    listed = subprocess.run([lister, ":lang=ja", "family"], capture_output=True, text=True, check=False, timeout=_SECONDS).stdout
    n = len({line for line in listed.splitlines() if line.strip()})
    return [*lines, Line(FINE, "フォント", f"日本語のフォント {n} 種") if n else
            Line(WARN, "フォント", "日本語のフォントがありません。PDF の文字が出ません（Debian 系: apt-get install fonts-noto-cjk）")]  # fmt: skip


def modes(config: Config, *, base: Path, store: str) -> list[Line]:
    """Who may read what voc keeps: the key and the map of pseudonyms their owner alone, the rest nobody but user and group."""
    closed = [base / config.privacy.pseudonym_key_file]
    closed += [base / config.privacy.pseudonym_map, *(base / config.privacy.pseudonym_map).glob("*")] if config.privacy.pseudonym_map else []
    shared = [base / config.reports.path, base / config.reports.path / "logs"] + ([Path(store)] if "://" not in store else [])
    lines = [
        Line(FAULT, "ファイルの権限", f"{path} を所有者以外が読めます。chmod go= \"{path}\" を実行してください")
        for path in closed if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    ]  # fmt: skip
    lines += [
        Line(WARN, "ファイルの権限", f"{path} を誰でも読めます。chmod -R o= \"{path}\" を実行してください")
        for path in shared if path.exists() and path.stat().st_mode & stat.S_IRWXO
    ]  # fmt: skip
    return lines or [Line(FINE, "ファイルの権限", "鍵と仮名の対応表は所有者だけ、保存先とレポートは所有者とグループだけが読めます")]
