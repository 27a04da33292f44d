"""Files on disk: a source's path or glob -> the bytes of every file, with their origin."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from voc.config import Source
from voc.errors import SourceError
from voc.raw import RawFile
from voc.sources.archives import faulty, too_large, unpack
from voc.sources.watermarks import Pulled, changes, rows


def pull_files(
    source: Source, *, base: Path, known: Mapping[str, str], max_bytes: int, pull_bytes: int, mark_of: Callable[[str], str] = str
) -> Pulled:
    """New and changed files only, sorted by name: those whose SHA-256 is not the one in `known` (mark -> SHA-256).

    `source.path` (a path or a glob, relative to `base`) names them. `.gz` and `.zip` are unpacked. A file that cannot be
    read is given with its `fault`. Raises SourceError as `find_files`.
    """
    found = find_files(source, base=base)
    return take(
        source, known, file_signatures(source, base=base, max_bytes=max_bytes), mark_of=mark_of,
        pull_bytes=pull_bytes, read=lambda name: _read(name, found[name], source, max_bytes=max_bytes),
    )  # fmt: skip


def take(
    source: Source, known: Mapping[str, str], found: Mapping[str, str], *, mark_of: Callable[[str], str], pull_bytes: int,
    read: Callable[[str], tuple[list[RawFile], str]],
) -> Pulled:  # fmt: skip
    """Read what is new or changed among `found` (name -> signature), in order of name, until `pull_bytes` are held.

    `mark_of(name)` stands for the name in the watermark. `read(name)` gives (raw files, signature); an empty signature
    (the file could not be read) is no watermark, so the file is tried again the next time.

    Of records with one key in several files the last file's stay (a correction, a newer list). A file that is new or
    changed among older ones would put its records over those of the files after it: those are named in `Pulled.later`,
    and whoever stores the rows lets them be read again where records overlap. Only then: in a folder with a file for
    each contact new names fall anywhere, and every night would read half of all.
    """
    names = {mark_of(name): name for name in found}
    decided = changes(known, {mark: found[name] for mark, name in names.items()})
    files, held, n_read = [], 0, 0
    marks = {mark: known[mark] for mark in (*decided.unchanged, *decided.changed)}
    wanted = sorted((*decided.new, *decided.changed), key=names.__getitem__)
    for n_read, mark in enumerate(wanted, start=1):
        got, signature = read(names[mark])
        files += got
        held += sum(len(file.data) for file in got)
        marks.pop(mark, None)
        if signature:
            marks[mark] = signature
        if held >= pull_bytes and n_read < len(wanted):
            break
    return Pulled(tuple(files), rows(source, "file", marks), (), decided.deleted, len(found), n_read < len(wanted),
                  tuple(mark for mark in decided.unchanged if wanted and names[mark] > names[wanted[0]]))  # fmt: skip


def file_signatures(source: Source, *, base: Path, max_bytes: int) -> dict[str, str]:
    """name -> SHA-256 of every file that the source names, empty where it is too large or cannot be read."""
    return {name: _sha256(path, max_bytes=max_bytes) for name, path in find_files(source, base=base).items()}


def split_path(source: Source) -> tuple[str | None, str]:
    """(glob over the members of an archive or None, path): `zip://*.csv::raw/x.zip` -> `*.csv`, `raw/x.zip`."""
    if not source.path.startswith("zip://"):
        return None, source.path
    members, divider, path = source.path.removeprefix("zip://").partition("::")
    if not divider or not path:
        raise SourceError(
            f"ソース {source.name}: パス「{source.path}」を読めません。"
            "zip://（中のファイル）::（zip のパス）の形で書いてください。例: zip://*.csv::raw/export.zip"
        )
    return members or None, path


def find_files(source: Source, *, base: Path) -> dict[str, Path]:
    """name -> path of every file that the source names, sorted by path.

    A relative path must stay under `base`; an absolute one may point anywhere. Raises SourceError where nothing matches
    or a path leaves `base`.
    """
    base, (_, path) = base.resolve(), split_path(source)
    if "://" in path:
        allowed = "設定ファイルからのパス、絶対パス、s3://、zip://"
        raise SourceError(f"ソース {source.name}: パス「{source.path}」の場所は読めません。使える書き方: {allowed}")
    pattern = Path(path)
    root = Path(pattern.anchor) if pattern.is_absolute() else base
    inside = pattern.relative_to(pattern.anchor) if pattern.is_absolute() else pattern
    matches = [] if not inside.parts or ".." in inside.parts else _matches(root, inside)
    outside = [] if pattern.is_absolute() else [path for path in matches if not path.resolve().is_relative_to(base)]
    if outside or ".." in inside.parts:
        raise SourceError(
            f"ソース {source.name}: パス「{source.path}」は設定ファイルのフォルダー {base} の外を指しています"
            f"{f'（{outside[0]}）' if outside else ''}。フォルダーの中のパスにするか、絶対パスで書いてください。"
        )
    if not matches:
        raise SourceError(_nothing_found(source, root / inside))
    return {_name(path, base=base): path for path in matches}


def _name(path: Path, *, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.resolve().as_posix()


def _matches(root: Path, inside: Path) -> list[Path]:
    """The file of exactly this name, else the glob's files without hidden ones."""
    if (root / inside).is_file():
        return [root / inside]
    return sorted(path for path in root.glob(str(inside)) if path.is_file() and not path.name.startswith("."))


def _nothing_found(source: Source, pattern: Path) -> str:
    folder = next(parent for parent in pattern.parents if parent.is_dir())
    there = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in folder.iterdir())
    listed = "、".join(there[:10]) + (f" ほか {len(there) - 10} 件" if len(there) > 10 else "")
    return (
        f"ソース {source.name}: パス「{source.path}」に当たるファイルがありません。"
        f"フォルダー {folder} にあるもの: {listed or '（空）'}。[[sources]] の path を確かめてください。"
    )


def _sha256(path: Path, *, max_bytes: int) -> str:
    """The content's hash; empty for a file that cannot be read, whose reading will tell why."""
    try:
        if path.stat().st_size > max_bytes:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _read(name: str, path: Path, source: Source, *, max_bytes: int) -> tuple[list[RawFile], str]:
    """(raw files, SHA-256 of the bytes on disk, empty where they could not be read)."""
    try:
        if path.stat().st_size > max_bytes:
            return [too_large(source.name, name, max_bytes)], ""
        stored = path.read_bytes()
    except OSError as error:
        return [faulty(source.name, name, f"ファイルを開けません（{error.strerror}）。権限を確かめてください。")], ""
    members, _ = split_path(source)
    return unpack(source.name, name, stored, members=members, max_bytes=max_bytes), hashlib.sha256(stored).hexdigest()
