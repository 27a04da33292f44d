"""Before a run: whether every source can be reached and read as configured, and every folder written."""

import fnmatch
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from voc.config import Config, Privacy, Source
from voc.drafting.layout import read_layout
from voc.drafting.trial import try_source
from voc.errors import VocError
from voc.parts import check_configured, configured_parts
from voc.sources.categories import read_category_file
from voc.sources.dictionary import load_terms
from voc.sources.files import find_files, split_path
from voc.sources.folder_heads import read_heads
from voc.sources.pseudonym_key import pseudonym_key
from voc.sources.pull import reach

_LOOKED_AT = 5
"""Files of a source whose beginning is read."""


@dataclass(frozen=True)
class Finding:
    """One line of the checkup: `is_fine`, what was looked at, what was found (Japanese)."""

    is_fine: bool
    place: str
    told: str


def check_up(config: Config, *, base: Path, environ: Mapping[str, str]) -> list[Finding]:
    """Every finding, faults among them, in the order of the configuration. Writes and creates nothing."""
    return [
        *(_source(source, config, base=base, environ=environ) for source in config.sources),
        *_named_files(config, base=base),
        _key(config.privacy, base=base, environ=environ),
        _folder("保存先（store）", config.store.path, base=base),
        _folder("レポート（reports）", config.reports.path, base=base),
        *(_part(*part) for part in configured_parts(config.parts, config.value)),
        *([_folder("仮名の対応表（pseudonym_map）", config.privacy.pseudonym_map, base=base)] if config.privacy.pseudonym_map else []),
    ]


def _source(source: Source, config: Config, *, base: Path, environ: Mapping[str, str]) -> Finding:
    place = f"{source.name}（{source.format}）"
    try:
        told = reach(source, base=base, environ=environ)
        if source.path is not None and "://" not in split_path(source)[1]:
            told += _read(source, base=base, timezone=config.company.timezone)
    except VocError as error:
        return Finding(False, place, _one_line(str(error), source.name))
    return Finding(True, place, told)


def _read(source: Source, *, base: Path, timezone: str) -> str:
    """Parse the beginning of the first and the last files. Raises SourceError where none can be used."""
    found = find_files(source, base=base)
    names = list(found)
    if len(names) > _LOOKED_AT:  # the newest files have the newest header
        names = [names[0], *names[1 - _LOOKED_AT :]]
    members, _ = split_path(source)
    heads = [head for name in names for head in read_heads(found[name], name) if _is_wanted(head.member, members)]
    layouts = [read_layout(head) for head in heads[: 4 * _LOOKED_AT]]
    trial = try_source([layout.file for layout in layouts], source, timezone=timezone)
    if not trial.n:
        raise VocError(f"読める行がありません。{trial.faults[0] if trial.faults else 'ファイルの中身を確かめてください。'}")
    return f"（注意: {trial.n_rejects:,} 件の指摘。{_one_line(trial.faults[0], source.name)}）" if trial.n_rejects else ""


def _is_wanted(member: str, members: str | None) -> bool:
    return members is None or fnmatch.fnmatchcase(member, members)


def _named_files(config: Config, *, base: Path) -> list[Finding]:
    """The files that [japanese] terms and [issues] categories name, read as a run reads them."""
    named = [
        ("用語集（[japanese] terms）", config.japanese.terms, lambda name: len(load_terms(base / name).kinds), "語"),
        ("分類の表（[issues] categories）", config.issues.categories, lambda name: len(read_category_file(name, base=base)), "課題"),
    ]
    findings = []
    for place, name, count, unit in named:
        if name is None:
            continue
        try:
            findings.append(Finding(True, place, f"{name} に {count(name):,} {unit}あります"))
        except VocError as error:
            findings.append(Finding(False, place, _one_line(str(error), "")))
    return findings


def _key(privacy: Privacy, *, base: Path, environ: Mapping[str, str]) -> Finding:
    place = "仮名の鍵"
    if privacy.pseudonym_key_env is None and not (base / privacy.pseudonym_key_file).exists():
        folder = _folder(place, str(Path(privacy.pseudonym_key_file).parent), base=base)
        told = f"鍵ファイル {privacy.pseudonym_key_file} は最初の実行で作ります"
        return Finding(True, place, told) if folder.is_fine else folder
    try:
        pseudonym_key(privacy, base=base, environ=environ)  # reads it: the file is there, or a variable is named
    except VocError as error:
        return Finding(False, place, _one_line(str(error), ""))
    if privacy.pseudonym_key_env is not None:
        return Finding(True, place, f"環境変数 {privacy.pseudonym_key_env} にあります")
    return Finding(True, place, f"鍵ファイル {privacy.pseudonym_key_file} にあります")


def _part(setting: str, name: str, contract: Callable) -> Finding:
    try:
        check_configured(setting, name, contract)
    except VocError as error:
        return Finding(False, f"部品（{setting}）", _one_line(str(error), ""))
    return Finding(True, f"部品（{setting}）", f"{name} は約束どおりに動きます")


def _folder(place: str, written: str, *, base: Path) -> Finding:
    """Whether files can be made in a folder that may not be there yet."""
    if "://" in written:
        return Finding(True, place, f"{written}（書き込めるかは実行のときに分かります）")
    folder = base / written
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir():
        return Finding(False, place, f"{existing} はフォルダーではありません。別の場所を設定に書いてください")
    if not os.access(existing, os.W_OK | os.X_OK):
        return Finding(False, place, f"フォルダー {existing} に書き込めません。権限を確かめてください")
    return Finding(True, place, f"{written} に書き込めます" if existing == folder else f"{written} は最初の実行で作ります")


def _one_line(reason: str, name: str) -> str:
    lines = [line.strip(" -") for line in reason.splitlines() if line.strip()]
    return " ".join(lines).removeprefix(f"ソース {name}: ")
