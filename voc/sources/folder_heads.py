"""A folder that nobody has described: the beginning of every file in it, within bounds."""

import os
import zlib
from collections import Counter
from pathlib import Path

from voc.drafting.draft import Draft, draft
from voc.drafting.head import Head, ending, file_shape
from voc.errors import SourceError
from voc.raw import MAX_BYTES
from voc.sources.archives import faulty, too_large, unpack

_HEAD_BYTES = 256 * 1024
_JSON_BYTES = 2 * 1024 * 1024
_WHOLE_BYTES = 32 * 1024 * 1024
"""Excel books can only be read whole."""
_LOOKED_AT = 20
"""Files of one shape of name that are opened; the others are counted."""
_MOST_FILES = 200_000


def folder_heads(folder: Path) -> tuple[list[Head], int]:
    """(heads of all files under `folder`, sorted by path; number of hidden files, which are not looked at).

    `.gz` and `.zip` are opened. Of many files with names of one shape (voices_01.csv, voices_02.csv …) the first 20
    are opened. A file that cannot be read has a fault. Raises SourceError where there is no such folder.
    """
    if not folder.is_dir():
        found = "ファイルです" if folder.exists() else "見つかりません"
        raise SourceError(f"フォルダー {folder} が{found}。データの入ったフォルダーを指定してください。")
    paths, n_hidden = _walked(folder)
    opened: Counter[str] = Counter()
    heads = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        opened[file_shape(name)] += 1
        if opened[file_shape(name)] > _LOOKED_AT:
            heads.append(Head(name.removesuffix(".gz"), name, is_whole=False, is_read=False))
        else:
            heads += read_heads(path, name, root=folder)
    return heads, n_hidden


def write_draft(folder: Path, *, out: Path) -> Draft:
    """Draft a configuration for the files under `folder` into the new file `out`.

    Raises SourceError where `out` exists, cannot be written, or where no file could be classified (nothing is written).
    """
    taken = SourceError(f"{out} はすでにあります。上書きはしません。--out に別の名前を指定してください（例: --out voc-new.toml）。")
    if out.exists():
        raise taken
    heads, n_hidden = folder_heads(folder)
    base, place = out.resolve().parent, folder.resolve()
    prefix = place.relative_to(base).as_posix() if place.is_relative_to(base) else place.as_posix()
    made = draft(heads, prefix=prefix if prefix != "." else "", folder=folder.resolve().name, n_hidden=n_hidden)
    if not made.sources:
        listed = [f"  - {files}: {reason}" for files, reason in made.left] + [f"  - {doubt}" for doubt in made.doubts]
        told = "\n".join(listed) if heads else "  - ファイルが 1 つもありません。"
        raise SourceError(f"フォルダー {folder} に、読み込めるファイルが見つかりませんでした。下書きは作っていません。\n{told}")
    try:
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(made.text)
    except FileExistsError:
        raise taken from None
    except OSError as error:
        raise SourceError(f"{out} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    return made


def _walked(folder: Path) -> tuple[list[Path], int]:
    paths, n_hidden = [], 0
    for place, folders, files in os.walk(folder, followlinks=False):
        hidden = [name for name in folders if name.startswith(".") or name == "__MACOSX"]
        n_hidden += len(hidden)
        folders[:] = sorted(set(folders) - set(hidden))
        shown = [name for name in files if not name.startswith((".", "~$")) and name not in ("Thumbs.db", "desktop.ini")]
        n_hidden += len(files) - len(shown)
        paths += [Path(place) / name for name in shown]
        if len(paths) > _MOST_FILES:
            raise SourceError(f"フォルダー {folder} のファイルが {_MOST_FILES:,} 個を超えます。データの入ったフォルダーに絞ってください。")
    return sorted(paths), n_hidden


def read_heads(path: Path, name: str, *, root: Path | None = None) -> list[Head]:
    """The head of the file `path`, of every member where it is a .zip. `name`: relative to the folder."""
    try:
        if root is not None and not path.resolve().is_relative_to(root.resolve()):
            return [Head(name, name, fault="フォルダーの外を指すリンクです。ファイルそのものを置いてください。")]
        if not path.is_file():
            return [Head(name, name, fault="ふつうのファイルではありません。")]
        size = path.stat().st_size
        if size > MAX_BYTES:
            return [Head(name, name, fault=too_large("", name, MAX_BYTES).fault)]
        if name.lower().endswith(".zip"):
            return _members(path.read_bytes(), name)
        limit = _limit(name)
        with path.open("rb") as file:
            data = file.read(limit if not name.endswith(".gz") else _WHOLE_BYTES)
    except OSError as error:
        return [Head(name, name, fault=faulty("", name, f"ファイルを開けません（{error.strerror}）。権限を確かめてください。").fault)]
    if name.endswith(".gz"):
        return [_gunzipped(data, name, is_stored_whole=len(data) == size, limit=limit)]
    return [_head(name, name, data, is_whole=len(data) == size)]


def _limit(name: str) -> int:
    tail = ending(name).lower().removesuffix(".gz")
    if tail in (".xlsx", ".xlsm"):
        return _WHOLE_BYTES
    return _JSON_BYTES if tail in (".json", ".jsonl", ".ndjson") else _HEAD_BYTES


def _head(name: str, path: str, data: bytes, *, is_whole: bool, member: str = "") -> Head:
    if not is_whole and _limit(name) == _WHOLE_BYTES:
        return Head(name, path, member=member, fault=f"Excel のファイルが大きすぎます（上限 {_WHOLE_BYTES:,} バイト）。CSV で書き出してください。")
    return Head(name, path, data, is_whole, member)


def _gunzipped(stored: bytes, name: str, *, is_stored_whole: bool, limit: int) -> Head:
    """The first `limit` bytes of a .gz, of its first member."""
    try:
        unpacker = zlib.decompressobj(wbits=31)
        data = unpacker.decompress(stored, limit)
    except zlib.error as error:
        return Head(name, name, fault=f"gzip として展開できません（{error}）。元のファイルを取り直してください。")
    is_whole = is_stored_whole and unpacker.eof and not unpacker.unused_data.strip(b"\0")
    return _head(name.removesuffix(".gz"), name, data, is_whole=is_whole)


def _members(stored: bytes, name: str) -> list[Head]:
    """A head per member; what the run would refuse has the same fault."""
    heads = []
    for file in unpack("", name, stored, max_bytes=MAX_BYTES):
        member = file.name.removeprefix(f"{name}/")
        if file.fault or member == file.name:
            heads.append(Head(file.name, name, member="" if member == file.name else member, fault=file.fault))
        else:
            limit = _limit(member)
            heads.append(_head(file.name, name, file.data[:limit], is_whole=len(file.data) <= limit, member=member))
    return heads
