"""Stored bytes -> raw files: `.gz` and `.zip` are unpacked in memory, never onto the disk, within a size."""

import fnmatch
import hashlib
import io
import lzma
import struct
import zipfile
import zlib

from voc.raw import PACKED, RawFile

_MAX_MEMBERS = 20_000
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError, NotImplementedError,
           ValueError, KeyError, IndexError, OSError)  # fmt: skip
"""What zipfile raises on hostile bytes."""


def unpack(source: str, name: str, stored: bytes, *, max_bytes: int, members: str | None = None) -> list[RawFile]:
    """The raw files in `stored`: one, or one per member of a `.zip` (those that the glob `members` names).

    Whatever cannot be unpacked is returned with its `fault`. All members together stay under `max_bytes`.
    """
    if name.lower().endswith(".zip") or members is not None:
        return _unzip(source, name, stored, members=members, max_bytes=max_bytes)
    return [_one(source, name, stored, max_bytes=max_bytes)]


def faulty(source: str, name: str, reason: str) -> RawFile:
    return RawFile(source, name, b"", "", fault=reason)


def too_large(source: str, name: str, max_bytes: int) -> RawFile:
    return faulty(source, name, f"ファイルが大きすぎます（上限 {max_bytes:,} バイト）。分割してください。")


def _one(source: str, name: str, stored: bytes, *, max_bytes: int) -> RawFile:
    sha256 = hashlib.sha256(stored).hexdigest()
    if not name.endswith(".gz"):
        return RawFile(source, name, stored, sha256)
    try:
        return RawFile(source, name.removesuffix(".gz"), _gunzip(stored, max_bytes=max_bytes), sha256)
    except (zlib.error, EOFError) as error:
        return faulty(source, name, f"gzip として展開できません（{error}）。元のファイルを取り直してください。")
    except OverflowError:
        return faulty(source, name, f"展開後の大きさが上限 {max_bytes:,} バイトを超えます。分割してください。")


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


def _unzip(source: str, name: str, stored: bytes, *, members: str | None, max_bytes: int) -> list[RawFile]:
    try:
        with _opened(stored) as archive:
            infos = [info for info in archive.infolist() if _is_wanted(info, members)]
            if len(infos) > _MAX_MEMBERS:
                reason = f"zip の中のファイルが多すぎます（{len(infos):,} 件、上限 {_MAX_MEMBERS:,} 件）。"
                return [faulty(source, name, reason)]
            files, left, taken = [], max_bytes, set()
            for info in sorted(infos, key=lambda info: info.filename):
                file = _member(source, f"{name}/{info.filename}", archive, info, left=left, taken=taken)
                left -= len(file.data)
                taken.add(info.filename)
                files.append(file)
    except _BROKEN as error:
        reason = f"zip として開けません（{type(error).__name__}）。元のファイルを取り直してください。"
        return [faulty(source, name, reason)]
    wanted = f"「{members}」に当たるファイル" if members else "ファイル"
    return files or [faulty(source, name, f"zip の中に{wanted}がありません。")]


def _opened(stored: bytes) -> zipfile.ZipFile:
    try:  # names without the UTF-8 flag: Japanese Windows writes CP932 where the format says CP437
        return zipfile.ZipFile(io.BytesIO(stored), metadata_encoding="cp932")
    except UnicodeDecodeError:
        return zipfile.ZipFile(io.BytesIO(stored))


def _is_wanted(info: zipfile.ZipInfo, members: str | None) -> bool:
    parts = info.filename.split("/")
    is_hidden = parts[0] == "__MACOSX" or (parts[-1].startswith(".") and not parts[-1].startswith(".."))
    return not info.is_dir() and not is_hidden and (members is None or fnmatch.fnmatchcase(info.filename, members))


def _member(
    source: str, name: str, archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, left: int, taken: set[str]
) -> RawFile:
    parts = info.filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        return faulty(source, name, "zip の中の名前がフォルダーの外を指しています。作り直した zip を置いてください。")
    if info.filename in taken:
        return faulty(source, name, "zip の中に同じ名前のファイルが 2 つ以上あります。先のものだけ使いました。")
    if info.flag_bits & 0x1:
        return faulty(source, name, "暗号化された zip は開けません。暗号を解いて置いてください。")
    if info.compress_type not in PACKED:
        return faulty(source, name, "zip の圧縮方式が使えません（使える方式: 無圧縮と Deflate）。標準の zip で作り直してください。")
    if info.filename.lower().endswith(".zip"):
        return faulty(source, name, "zip の中の zip は開きません。展開して置いてください。")
    try:
        with archive.open(info) as member:
            data = member.read(left + 1)  # the size that the archive declares is not believed
    except _BROKEN as error:
        return faulty(source, name, f"zip から取り出せません（{type(error).__name__}）。元のファイルを取り直してください。")
    if len(data) > left:
        return faulty(source, name, "zip の展開後の大きさが合計の上限を超えます。分けてください。")
    return _one(source, name, data, max_bytes=left)
