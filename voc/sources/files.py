"""Files on disk: a source's path or glob -> the bytes of every file, with their origin."""

import hashlib
import zlib
from pathlib import Path

from voc.config import Source
from voc.errors import SourceError
from voc.raw import MAX_BYTES, RawFile

__all__ = ["RawFile", "read_files"]


def read_files(source: Source, *, base: Path, max_bytes: int = MAX_BYTES) -> list[RawFile]:
    """Read every file that `source.path` (a path or a glob, relative to `base`) names, sorted by name.

    A relative path must stay under `base`; an absolute one may point anywhere. `.gz` is unpacked. A file that
    cannot be read is returned with its `fault`. Raises SourceError where nothing matches or a path leaves `base`.
    """
    base = base.resolve()
    pattern = Path(source.path)
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
    return [_read(path, source, base=base, max_bytes=max_bytes) for path in matches]


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


def _read(path: Path, source: Source, *, base: Path, max_bytes: int) -> RawFile:
    resolved = path.resolve()
    name = path.relative_to(base).as_posix() if path.is_relative_to(base) else resolved.as_posix()
    try:
        if path.stat().st_size > max_bytes:
            return _faulty(source, name, f"ファイルが大きすぎます（上限 {max_bytes:,} バイト）。分割してください。")
        stored = path.read_bytes()
    except OSError as error:
        return _faulty(source, name, f"ファイルを開けません（{error.strerror}）。権限を確かめてください。")
    sha256 = hashlib.sha256(stored).hexdigest()
    if path.suffix != ".gz":
        return RawFile(source.name, name, stored, sha256)
    try:
        return RawFile(source.name, name.removesuffix(".gz"), _gunzip(stored, max_bytes=max_bytes), sha256)
    except (zlib.error, EOFError) as error:
        return _faulty(source, name, f"gzip として展開できません（{error}）。元のファイルを取り直してください。")
    except OverflowError:
        return _faulty(source, name, f"展開後の大きさが上限 {max_bytes:,} バイトを超えます。分割してください。")


def _faulty(source: Source, name: str, reason: str) -> RawFile:
    return RawFile(source.name, name, b"", "", fault=reason)


def _gunzip(stored: bytes, *, max_bytes: int) -> bytes:
    """Unpack all members, never holding more than `max_bytes`; OverflowError beyond it, EOFError when cut off."""
    parts, size = [], 0
    while stored:
        unpacker = zlib.decompressobj(wbits=31)
        part = unpacker.decompress(stored, max_bytes - size + 1)
        size += len(part)
        if size > max_bytes:
            raise OverflowError
        if not unpacker.eof:
            raise EOFError("途中で切れています")
        parts.append(part)
        stored = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)
