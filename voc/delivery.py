"""Alerts leave the house: a mail server, a webhook, a file of JSON lines. What fails is told, never raised.

Nothing is sent that was not asked for in `[alerts]`. Addresses of webhooks and passwords come from environment
variables and stand in no message; a server's own words are not repeated, since they may repeat ours.
"""

import hashlib
import json
import os
import smtplib
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pandas as pd

from voc.alerts import GRAVE, NOTE
from voc.errors import VocError
from voc.inert import inert_message, inert_name
from voc.operations_config import Alerts, Mail, Webhook
from voc.tables import ALERTS, check

CHANNELS = ("mail", "webhook", "file")
_TITLES = {"mail": "メール", "webhook": "Webhook", "file": "ファイル"}
_TIMEOUT = 10  # seconds, of every single wait
_DEADLINE = 60  # seconds, of a whole channel: a server that drips bytes keeps no run waiting
_TRIES = 3
_UNHEARD_DAYS = 7
_OVER = "（いまは収まっています）"
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class DeliveryError(VocError):
    """A channel did not take the alerts. The text names no secret."""


@dataclass(frozen=True)
class Sent:
    """ALERTS with what was sent, a Japanese sentence for each channel that failed, and alerts sent by channel."""

    alerts: pd.DataFrame
    faults: tuple[str, ...]
    counts: dict[str, int]


def send_alerts(
    alerts: pd.DataFrame, settings: Alerts, *, company: str, base: Path, environ: Mapping[str, str], on: pd.Timestamp,
    wait_seconds: float = 1.0, deadline_seconds: float = _DEADLINE,
) -> Sent:  # fmt: skip
    """Hand every open alert to each channel of `settings` that did not have it; one message a channel.

    An alert that closed before any channel took it is sent too, with the word that it is over, while it held within the
    last 7 days. An alert that a channel took is marked in `sent_to` and is not sent there again. A channel that fails is left
    unmarked, so the next run tries it again. A job that is killed between sending and storing sends once more; its mail
    has the same Message-ID.
    """
    faults, counts, alerts = [], {}, alerts.reset_index(drop=True)
    is_unheard = (alerts["sent_to"].map(len) == 0) & (alerts["last_on"] >= pd.Timestamp(on) - pd.Timedelta(days=_UNHEARD_DAYS))
    is_due = (alerts["is_open"].astype(bool) | is_unheard) & alerts["kind"].isin(settings.kinds)
    for channel in CHANNELS:
        has = alerts["sent_to"].map(lambda names, channel=channel: channel in names).astype(bool)
        due = alerts[is_due & ~has]
        if getattr(settings, channel) is None or due.empty:
            continue
        ready = _ordered(due)
        try:
            _within(deadline_seconds, _sender(
                channel, ready, settings, company=company, base=base, environ=environ, wait_seconds=wait_seconds))
        except DeliveryError as error:
            faults.append(f"注意のお知らせを{_TITLES[channel]}で送れませんでした（{error}）。次の実行でもう一度送ります。")
            continue
        counts[channel] = len(ready)
        taken = alerts["alert_id"].isin(ready["alert_id"])
        names = [[*old, channel] if is_new else list(old) for old, is_new in zip(alerts["sent_to"], taken, strict=True)]
        alerts = alerts.assign(sent_to=pd.Series(names, index=alerts.index, dtype="object"),
                               sent_on=alerts["sent_on"].where(~taken, pd.Timestamp(on)))  # fmt: skip
    return Sent(check(alerts, ALERTS), tuple(faults), counts)


def lines_of(alerts: pd.DataFrame, *, at_most: int) -> list[str]:
    """What a message says: `at_most` alerts of a kind with their grounds, the number of the others."""
    lines, told = [], {}
    for row in alerts.itertuples():
        told[row.kind] = told.get(row.kind, 0) + 1
        if told[row.kind] <= at_most:
            lines.append(f"【{row.severity}】{row.text}（根拠: {'、'.join(row.evidence)}）{'' if row.is_open else _OVER}")
    more = sum(max(n - at_most, 0) for n in told.values())
    return [*lines, f"ほか {more:,} 件は voc status とレポートにあります。"] if more else lines


def _ordered(alerts: pd.DataFrame) -> pd.DataFrame:
    rank = alerts["severity"].map({GRAVE: 0, NOTE: 1}).fillna(2)
    return alerts.assign(rank=rank, worth=-alerts["value_yen"].fillna(0)).sort_values(
        ["rank", "kind", "worth", "alert_id"], kind="stable").drop(columns=["rank", "worth"])  # fmt: skip


def _sender(
    channel: str, ready: pd.DataFrame, settings: Alerts, *, company: str, base: Path, environ: Mapping[str, str], wait_seconds: float
) -> Callable[[], None]:  # fmt: skip
    title = f"お客様の声：注意のお知らせ {len(ready):,} 件（{inert_name(company)}）"
    lines = lines_of(ready, at_most=settings.at_most)
    if channel == "mail":
        key = hashlib.sha256("\n".join(sorted(ready["alert_id"])).encode()).hexdigest()[:24]
        return lambda: send_mail(settings.mail, subject=title, lines=lines, key=key, base=base, environ=environ)
    if channel == "webhook":
        return lambda: post(settings.webhook, title=title, lines=lines, environ=environ, wait_seconds=wait_seconds)
    return lambda: append_file(ready, path=_inside(base, settings.file))


def send_mail(
    mail: Mail, *, subject: str, lines: list[str], key: str, base: Path, environ: Mapping[str, str]
) -> None:
    """One plain-text mail to all of `mail.to`. Raises DeliveryError. Without TLS it goes only where `tls = "none"`."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = inert_name(subject), mail.sender, ", ".join(mail.to)
    message["Message-ID"] = f"<voc.{key}@{mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join([*(inert_message(line) for line in lines), "", "voc からの自動のお知らせです。返信は読まれません。"]) + "\n")
    password = _secret(environ, mail.password_env) if mail.password_env else None
    try:
        context = ssl.create_default_context(cafile=str(base / mail.ca_file) if mail.ca_file else None)
        port = mail.port or _PORTS[mail.tls]
        if mail.tls == "tls":
            server = smtplib.SMTP_SSL(mail.host, port, timeout=_TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(mail.host, port, timeout=_TIMEOUT)
        with server:
            if mail.tls == "starttls":
                server.starttls(context=context)
            if password is not None:
                server.login(mail.user, password)
            refused = server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise DeliveryError(_mail_fault(error)) from None
    if refused:
        raise DeliveryError(f"宛先 {len(refused)} 件を受け付けませんでした")


def post(hook: Webhook, *, title: str, lines: list[str], environ: Mapping[str, str], wait_seconds: float = 1.0) -> None:
    """One POST of `{"text": ...}`, tried three times where the network or the server stumbles. Raises DeliveryError."""
    address = _secret(environ, hook.url_env)
    parts = urllib.parse.urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DeliveryError(f"環境変数 {hook.url_env} のアドレスは https:// で始めてください")
    text = "\n".join(inert_message(line) for line in [title, *lines])
    body = json.dumps({"text": text, "mrkdwn": False}, ensure_ascii=False).encode()
    opener = urllib.request.build_opener(_NoRedirect)
    for attempt in range(_TRIES):
        request = urllib.request.Request(  # noqa: S310 - https, or http on loopback: looked at above
            address, data=body, headers={"Content-Type": "application/json; charset=utf-8"}, method="POST")
        try:
            with opener.open(request, timeout=_TIMEOUT):
                return
        except urllib.error.HTTPError as error:
            error.close()
            told, is_final = f"サーバーの応答 {error.code}", error.code not in _AGAIN
        except (OSError, ValueError, urllib.error.URLError) as error:
            told, is_final = f"接続できません。{type(error).__name__}", False
        if is_final or attempt == _TRIES - 1:
            raise DeliveryError(told)
        time.sleep(wait_seconds * 2**attempt)


def append_file(alerts: pd.DataFrame, *, path: Path) -> None:
    """Add `alerts` to the JSON lines at `path` (made with mode 0640), but for those that stand there. Raises DeliveryError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        known = _ids(path)
        rows = [
            {"alert_id": row.alert_id, "kind": row.kind, "subject": row.subject, "raised_on": f"{row.raised_on:%Y-%m-%d}",
             "is_open": bool(row.is_open),
             "severity": row.severity, "text": row.text, "evidence": list(row.evidence)}
            for row in alerts.itertuples() if row.alert_id not in known
        ]  # fmt: skip
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o640)
        with os.fdopen(descriptor, "rb+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            is_torn = size > 0 and file.read(1) != b"\n"  # a job that was killed left half a line
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            file.write(("\n" * is_torn + lines).encode())
            os.fsync(file.fileno())
    except OSError as error:
        raise DeliveryError(f"ファイルに書けません。{error.strerror}") from None


def _ids(path: Path) -> set[str]:
    if not path.exists():
        return set()
    found = set()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found.add(json.loads(line)["alert_id"])
        except (ValueError, KeyError, TypeError):  # not ours, or torn: what cannot be read was not delivered
            continue
    return found


def _inside(base: Path, written: str) -> Path:
    path = base / written
    if not Path(written).is_absolute() and not path.resolve().is_relative_to(base.resolve()):
        raise DeliveryError(f"[alerts] file の「{written}」は設定ファイルのフォルダーの外を指しています")
    return path


def _secret(environ: Mapping[str, str], variable: str) -> str:
    value = environ.get(variable, "").strip()
    if not value:
        raise DeliveryError(f"環境変数 {variable} が設定されていません")
    return value


def _mail_fault(error: Exception) -> str:
    """A kind of fault and a code: the server's words may repeat the log-in."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"メールサーバーの応答 {error.smtp_code}（{type(error).__name__}）"
    return f"メールサーバーに送れません。{type(error).__name__}"


def _within(seconds: float, act: Callable[[], None]) -> None:
    """Run `act`; DeliveryError where it takes longer. The thread that is left ends with the process."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - handed to the caller below, whatever it is
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise DeliveryError(f"{seconds:.0f} 秒以内に終わりませんでした")
    if raised:
        if isinstance(raised[0], DeliveryError):
            raise raised[0]
        raise DeliveryError(f"予期しない失敗。{type(raised[0]).__name__}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the alerts to a place that nobody configured."""

    def redirect_request(self, *_args, **_kwargs):
        return None
