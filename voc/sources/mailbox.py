"""Mail in an IMAP folder: messages after the last UID that was read. The folder is only ever opened for reading."""

import hashlib
import imaplib
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
_DROPPED = (imaplib.IMAP4.abort, OSError)
"""A connection that broke: worth another try from the last UID got."""


def pull_mails(
    source: Source, *, base: Path, environ: Mapping[str, str], known: Mapping[str, str], pull_bytes: int,
    max_mail_bytes: int = MAX_MAIL_BYTES, attempts: int = 4, wait_seconds: float = 1.0,
) -> Pulled:  # fmt: skip
    """Messages of the folder after the watermark in `known`, in order of UID, as `FOLDER/UIDVALIDITY-UID.eml`.

    After a dropped connection the pull goes on from the last message got; after `attempts` in a row without a new
    message it gives what it has and a fault. Where the server gave the folder a new UIDVALIDITY the old UIDs mean
    nothing: the whole folder is read again, and that is told. Raises SourceError where nothing could be read.
    """
    imap = source.imap
    password = secret(environ, imap.password_env, source=source.name, option="[sources.imap] password_env")
    validity, uid = _read_mark(known.get(imap.folder))
    files, faults, failed, held, status, is_more = [], [], 0, 0, {}, False
    while True:
        n_before = len(files)
        try:
            with _session(imap, password, base=base) as box:
                status = box.folder.status(imap.folder, ["MESSAGES", "UIDNEXT", "UIDVALIDITY"])
                if validity not in (None, status["UIDVALIDITY"]):
                    faults.append(_told(source, f"メールフォルダー {imap.folder} の番号が振り直されたため（UIDVALIDITY "
                                        f"{validity} → {status['UIDVALIDITY']}）、始めから読み直しました。"))  # fmt: skip
                    uid = 0
                validity = status["UIDVALIDITY"]
                box.folder.set(imap.folder, readonly=True)
                origin = f"{imap.folder}/{validity}"
                new = _new_mails(box, source, origin, (uid, status["UIDNEXT"]), max_bytes=max_mail_bytes)
                for uid, file in new:
                    files.append(file)
                    held += len(file.data)
                    if held >= pull_bytes:
                        is_more = uid + 1 < status["UIDNEXT"]
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
    mark = {imap.folder: json.dumps({"uidvalidity": validity, "uid": uid}, sort_keys=True)}
    return Pulled(tuple(files), rows(source, "imap", mark), tuple(faults), (), status["MESSAGES"], is_more)


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


def _read_mark(value: str | None) -> tuple[int | None, int]:
    mark = json.loads(value) if value else {}
    return mark.get("uidvalidity"), mark.get("uid", 0)


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


def _new_mails(
    box: BaseMailBox, source: Source, origin: str, uids: tuple[int, int], *, max_bytes: int
) -> Iterator[tuple[int, RawFile]]:
    """(UID, raw file) of the messages after uids[0] and before uids[1]."""
    after, end = uids
    if after + 1 >= end:
        return
    # "n:*" would give the last message even where its UID is below n
    found = sorted(uid for uid in map(int, box.uids(f"UID {after + 1}:{end - 1}")) if after < uid < end)
    for start in range(0, len(found), _SIZES_AT_ONCE):
        sizes = _sizes(box, found[start : start + _SIZES_AT_ONCE])
        for batch in batches(sizes, max_bytes=_BATCH_BYTES, max_mails=_BATCH_MAILS):
            small = [uid for uid in batch if sizes[uid] <= max_bytes]
            got = _bodies(box, small)
            for uid in batch:
                name = f"{origin}-{uid}.eml"
                if uid in got:
                    yield uid, RawFile(source.name, name, got[uid], hashlib.sha256(got[uid]).hexdigest())
                elif sizes[uid] > max_bytes:
                    reason = f"メールが大きすぎます（上限 {max_bytes:,} バイト）。読みませんでした。"
                    yield uid, faulty(source.name, name, reason)
                elif _sizes(box, [uid]):
                    reason = "メールサーバーがこのメールを渡しませんでした。サーバーで確かめてください。"
                    yield uid, faulty(source.name, name, reason)


def _sizes(box: BaseMailBox, uids: Sequence[int]) -> dict[int, int]:
    """UID -> bytes; a message that was deleted meanwhile is not there."""
    _, lines = box.client.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
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


def _told(source: Source, reason: str) -> dict:
    return {"source": source.name, "source_row": "", "stage": "read", "reason": reason}


def _unreachable(source: Source, error: Exception, password: str) -> str:
    imap = source.imap
    return (
        f"ソース {source.name}: メールサーバー {imap.host} のフォルダー「{imap.folder}」を読めません"
        f"（{without(f'{type(error).__name__}: {error}', password)}）。[sources.imap] の host、port、user、folder、tls と"
        f"環境変数 {imap.password_env} を確かめてください。"
    )
