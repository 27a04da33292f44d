"""Mail in an IMAP folder: messages after the last UID that was read. The folder is only ever opened for reading."""

import hashlib
import imaplib
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from voc.errors import SourceError
from voc.raw import RawFile
from voc.source_config import Imap, Source
from voc.sources.archives import faulty
from voc.sources.environment import secret, without
from voc.sources.watermarks import Pulled, rows

MAX_MAIL_BYTES = 64 * 1024 * 1024
_BATCH_BYTES, _BATCH_MAILS, _SIZES_AT_ONCE = 8 * 1024 * 1024, 50, 1000
_TIMEOUT_SECONDS = 60
_MOST_LEFT = 200  # messages that are asked for again: more at once are a server that hands over nothing, not bad messages
_REFUSED = "メールサーバーがこのメールを渡しませんでした。次の実行でもう一度読みます。続くときはサーバーで確かめてください。"
_DROPPED = (imaplib.IMAP4.abort, OSError)
"""A connection that broke: worth another try from the last UID got."""


def pull_mails(
    source: Source, *, base: Path, environ: Mapping[str, str], known: Mapping[str, str], pull_bytes: int,
    max_mail_bytes: int = MAX_MAIL_BYTES, attempts: int = 4, wait_seconds: float = 1.0,
) -> Pulled:  # fmt: skip
    """Messages of the folder after the watermark in `known`, in order of UID, as `FOLDER/UIDVALIDITY-UID.eml`.

    After a dropped connection the pull goes on from the last message got; after `attempts` in a row without a new
    message it gives what it has and a fault. A message that the server would not hand over (it is UNAVAILABLE for a
    while) is told, stays in the watermark and is asked for again by every later pull, before the new ones; where 200 of
    them stand out nothing newer is asked for until the server gives some. Where the server gave the folder a new
    UIDVALIDITY the old UIDs mean nothing: the whole folder is read again, and that is told. Raises SourceError where
    nothing could be read.
    """
    imap = source.imap
    password = secret(environ, imap.password_env, source=source.name, option="[sources.imap] password_env")
    mark = _read_mark(known.get(imap.folder))
    again = sorted(mark.left)  # still to be asked for once more in this pull
    files, faults, failed, held, status, is_more = [], [], 0, 0, {}, False
    while True:
        n_before = len(files)
        try:
            with _session(imap, password, base=base) as box:
                status = box.folder.status(imap.folder, ["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
                if mark.validity not in (None, status["UIDVALIDITY"]):
                    faults.append(_told(source, f"メールフォルダー {imap.folder} の番号が振り直されたため（UIDVALIDITY "
                                        f"{mark.validity} → {status['UIDVALIDITY']}）、始めから読み直しました。", stage="renumbered"))  # fmt: skip
                    mark, again = _Mark(), []
                mark.validity = status["UIDVALIDITY"]
                box.folder.set(imap.folder, readonly=True)
                for file in _waiting(box, source, mark, again, end=status["UIDNEXT"], max_bytes=max_mail_bytes):
                    files.append(file)
                    held += len(file.data)
                    if held >= pull_bytes:
                        is_more = bool(again) or mark.uid + 1 < status["UIDNEXT"]
                        break
            break
        except ssl.SSLCertVerificationError as error:
            raise SourceError(_unreachable(source, error, password)) from None
        except _DROPPED as error:
            failed = failed + 1 if len(files) == n_before else 1
            if failed >= attempts and not files:
                raise SourceError(_unreachable(source, error, password)) from None
            if failed >= attempts:
                faults.append(_told(source, f"{_unreachable(source, error, password)}{len(files)} 通までは読みました。"
                                    "残りは次の実行で読みます。"))  # fmt: skip
                break
            time.sleep(wait_seconds * 2 ** (failed - 1))
        except (ImapToolsError, imaplib.IMAP4.error, KeyError) as error:
            raise SourceError(_unreachable(source, error, password)) from None
    if len(mark.left) >= _MOST_LEFT:
        faults.append(_told(source, f"メールサーバーが {len(mark.left):,} 通を渡さないため、フォルダー {imap.folder} のそれより新しいメールは"
                            "まだ読んでいません。次の実行でもう一度読みます。サーバーの状態を確かめてください。"))  # fmt: skip
    return Pulled(tuple(files), rows(source, "imap", {imap.folder: _written(mark)}), tuple(faults), (), status["MESSAGES"], is_more)


def count_mails(source: Source, *, base: Path, environ: Mapping[str, str]) -> int:
    """Messages in the folder. Raises SourceError where it cannot be reached."""
    imap = source.imap
    password = secret(environ, imap.password_env, source=source.name, option="[sources.imap] password_env")
    try:
        with _session(imap, password, base=base) as box:
            box.folder.set(imap.folder, readonly=True)
            return box.folder.status(imap.folder, ["MESSAGES"])["MESSAGES"]
    except (*_DROPPED, ImapToolsError, imaplib.IMAP4.error, KeyError) as error:
        raise SourceError(_unreachable(source, error, password)) from None


def batches(sizes: Mapping[int, int], *, max_bytes: int, max_mails: int) -> Iterator[list[int]]:
    """UIDs in ascending order, in runs of at most `max_mails` and, beyond one mail, `max_bytes` together."""
    batch, held = [], 0
    for uid in sorted(sizes):
        if batch and (len(batch) >= max_mails or held + sizes[uid] > max_bytes):
            yield batch
            batch, held = [], 0
        batch.append(uid)
        held += sizes[uid]
    if batch:
        yield batch


@dataclass
class _Mark:
    """How far the folder was read: its UIDVALIDITY, the last UID asked for, and the UIDs up to it that the server refused."""

    validity: int | None = None
    uid: int = 0
    left: set[int] = field(default_factory=set)


def _read_mark(value: str | None) -> _Mark:
    stored = json.loads(value) if value else {}
    return _Mark(stored.get("uidvalidity"), stored.get("uid", 0), set(stored.get("left", ())))


def _written(mark: _Mark) -> str:
    left = {"left": sorted(mark.left)} if mark.left else {}
    return json.dumps({"uidvalidity": mark.validity, "uid": mark.uid} | left, sort_keys=True)


@contextmanager
def _session(imap: Imap, password: str, *, base: Path) -> Iterator[BaseMailBox]:
    port = imap.port or (993 if imap.tls == "tls" else 143)
    if imap.tls == "none":
        box = MailBoxUnencrypted(imap.host, port, timeout=_TIMEOUT_SECONDS)
    else:
        # without a context of its own the library does not check the server's certificate
        authority = base / imap.ca_file if imap.ca_file else None
        if authority and not authority.is_file():
            raise SourceError(f"[sources.imap] ca_file のファイル {authority} がありません。パスを確かめてください。")
        context = ssl.create_default_context(cafile=authority)
        kind = MailBox if imap.tls == "tls" else MailBoxStartTls
        box = kind(imap.host, port, timeout=_TIMEOUT_SECONDS, ssl_context=context)
    try:
        is_ascii = imap.user.isascii() and password.isascii()
        (box.login if is_ascii else box.login_utf8)(imap.user, password, initial_folder=None)
        yield box
    finally:
        with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):  # the connection may be gone already
            box.logout()


def _waiting(
    box: BaseMailBox, source: Source, mark: _Mark, again: list[int], *, end: int, max_bytes: int
) -> Iterator[RawFile]:
    """The messages in `again`, which it empties, then those after `mark.uid` and before `end`; `mark` is kept in step."""
    origin = f"{source.imap.folder}/{mark.validity}"
    for uid, file, is_refused in _mails(box, source, origin, list(again), max_bytes=max_bytes):
        again.remove(uid)
        if not is_refused:  # what is refused once more was told before
            mark.left.discard(uid)
            yield file
    mark.left.difference_update(again)  # deleted meanwhile
    again.clear()
    # "n:*" would give the last message even where its UID is below n
    wanted = box.uids(f"UID {mark.uid + 1}:{end - 1}") if mark.uid + 1 < end and len(mark.left) < _MOST_LEFT else []
    found = sorted(uid for uid in map(int, wanted) if mark.uid < uid < end)
    for uid, file, is_refused in _mails(box, source, origin, found, max_bytes=max_bytes):
        mark.uid = uid
        if is_refused:
            mark.left.add(uid)
        yield file
        if len(mark.left) >= _MOST_LEFT:
            return


def _mails(
    box: BaseMailBox, source: Source, origin: str, uids: Sequence[int], *, max_bytes: int
) -> Iterator[tuple[int, RawFile, bool]]:
    """(UID, raw file, whether the server refused it) of each of `uids`, in their order, but for those that were deleted."""
    for start in range(0, len(uids), _SIZES_AT_ONCE):
        sizes = _sizes(box, uids[start : start + _SIZES_AT_ONCE])
        for batch in batches(sizes, max_bytes=_BATCH_BYTES, max_mails=_BATCH_MAILS):
            got = _bodies(box, [uid for uid in batch if sizes[uid] <= max_bytes])
            for uid in batch:
                name = f"{origin}-{uid}.eml"
                if uid in got:
                    yield uid, RawFile(source.name, name, got[uid], hashlib.sha256(got[uid]).hexdigest()), False
                elif sizes[uid] > max_bytes:
                    yield uid, faulty(source.name, name, f"メールが大きすぎます（上限 {max_bytes:,} バイト）。読みませんでした。"), False
                elif _sizes(box, [uid]):
                    yield uid, faulty(source.name, name, _REFUSED), True


def _sizes(box: BaseMailBox, uids: Sequence[int]) -> dict[int, int]:
    """UID -> bytes, 0 where the server will not tell; a message that was deleted meanwhile is not there."""
    outcome, lines = box.client.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
    if outcome != "OK":
        return {uid: size for one in uids for uid, size in _sizes(box, [one]).items()} if len(uids) > 1 else {uids[0]: 0}
    told = [line[0] if isinstance(line, tuple) else line for line in lines if line]
    pairs = [(re.search(rb"UID (\d+)", line), re.search(rb"RFC822\.SIZE (\d+)", line)) for line in told]
    sizes = {int(uid[1]): int(size[1]) for uid, size in pairs if uid and size}
    return {uid: sizes[uid] for uid in uids if uid in sizes}


def _bodies(box: BaseMailBox, uids: Sequence[int]) -> dict[int, bytes]:
    """UID -> the message's bytes as they were sent. PEEK: no message is marked as read."""
    if not uids:
        return {}
    outcome, parts = box.client.uid("FETCH", ",".join(map(str, uids)), "(UID BODY.PEEK[])")
    if outcome != "OK" and len(uids) > 1:  # one bad message refuses all: ask for each
        return {uid: body for one in uids for uid, body in _bodies(box, [one]).items()}
    bodies = {}
    for position, part in enumerate(parts):
        if isinstance(part, tuple):
            after = parts[position + 1] if position + 1 < len(parts) else b""
            around = part[0] + b" " + (after if isinstance(after, bytes) else b"")
            uid = re.search(rb"\bUID (\d+)", around)
            if uid:
                bodies[int(uid[1])] = part[1]
    return bodies


def _told(source: Source, reason: str, *, stage: str = "read") -> dict:
    return {"source": source.name, "source_row": "", "stage": stage, "reason": reason}


def _unreachable(source: Source, error: Exception, password: str) -> str:
    imap = source.imap
    return (
        f"ソース {source.name}: メールサーバー {imap.host} のフォルダー「{imap.folder}」を読めません"
        f"（{without(f'{type(error).__name__}: {error}', password)}）。[sources.imap] の host、port、user、folder、tls と"
        f"環境変数 {imap.password_env} を確かめてください。"
    )
