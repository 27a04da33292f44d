"""Alerts against a real mail server and a real web server on loopback."""

import json
import ssl
import stat
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pandas as pd
import pytest
from pydantic import ValidationError

from voc.config import load_config
from voc.delivery import lines_of, send_alerts
from voc.errors import ConfigError
from voc.operations_config import Alerts, Mail, Webhook
from voc.tables import ALERTS, check

DAY = pd.Timestamp("2026-11-01")
SECRET = "sekret-pw-55"  # noqa: S105
ADDRESSES = {"sender": "voc@example.co.jp", "to": ["cs@example.co.jp", "ceo@example.co.jp"]}


def alerts(*names, text="取り込み元「{}」から9日間、新しい声が届いていません。", **more):
    row = {"kind": "source_silent", "period": "2026-11-01", "raised_on": DAY, "last_on": DAY, "is_open": True, "severity": "重大",
           "evidence": ["executive.html#notices-h"], "sent_to": []}  # fmt: skip
    return check(pd.DataFrame([{**row, "alert_id": f"source_silent:{n}:2026-11-01", "subject": n, "text": text.format(n), **more} for n in names]), ALERTS)


def send(frame, settings, base, environ=None, **more):
    return send_alerts(frame, settings, company="株式会社サンプル", base=base, environ=environ or {}, on=DAY, wait_seconds=0, **more)


@pytest.fixture
def web():
    """A server that answers with the next of `answers` (200 when there is none) and keeps what it was sent."""
    place = SimpleNamespace(answers=[], bodies=[], paths=[], pause=0.0)

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            place.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            place.paths.append(self.path)
            time.sleep(place.pause)
            answer = place.answers.pop(0) if place.answers else 200
            self.send_response(answer)
            if answer in (301, 302, 307):
                self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # how long its end waits
    place.environ = {"HOOK": f"http://127.0.0.1:{server.server_port}/{SECRET}"}
    place.settings = Alerts(webhook=Webhook(url_env="HOOK"))
    yield place
    server.shutdown()
    server.server_close()


@pytest.fixture
def smtp(tmp_path):
    """`smtp(tls=…)` -> a mail server that asks for a log-in once TLS stands; `mails` holds (recipients, bytes)."""
    controller = pytest.importorskip("aiosmtpd.controller")
    from aiosmtpd.smtp import AuthResult

    place, running = SimpleNamespace(mails=[], is_deaf=False), []
    certificate = _certificate(tmp_path)

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the name that aiosmtpd calls
            if place.is_deaf:
                return f"554 no room for {SECRET}"
            place.mails.append((envelope.rcpt_tos, envelope.content))
            return "250 OK"

    def authenticator(_server, _session, _envelope, _mechanism, given):
        return AuthResult(success=given.password.decode() == SECRET, handled=False)

    def start(*, with_tls: bool = True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        options = {"tls_context": context, "require_starttls": True, "authenticator": authenticator, "auth_required": True} if with_tls else {}
        server = controller.Controller(Handler(), hostname="127.0.0.1", port=_free_port(), **options)
        server.start()
        running.append(server)
        tls = {"tls": "starttls", "ca_file": "cert.pem", "user": "voc", "password_env": "PW"} if with_tls else {"tls": "none"}
        place.mail = Mail(host="127.0.0.1", port=server.port, **tls, **ADDRESSES)
        return place

    yield start
    for server in running:
        server.stop()


def _free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _certificate(folder):
    import shutil
    import subprocess

    openssl = shutil.which("openssl") or pytest.skip("openssl is not installed")
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.servers
def test_a_mail_goes_over_tls_with_a_log_in_and_once(smtp, tmp_path):
    from email import message_from_bytes, policy

    place = smtp()
    settings = Alerts(mail=place.mail)
    first = send(alerts("calls", "mails"), settings, tmp_path, {"PW": SECRET})
    assert first.faults == () and first.counts == {"mail": 2}
    again = send(first.alerts, settings, tmp_path, {"PW": SECRET})
    assert again.counts == {} and len(place.mails) == 1
    recipients, content = place.mails[0]
    mail = message_from_bytes(content, policy=policy.default)
    assert recipients == ADDRESSES["to"] and mail["Subject"] == "お客様の声：注意のお知らせ 2 件（株式会社サンプル）"
    assert "取り込み元「calls」" in mail.get_content() and mail.get_content_type() == "text/plain"


@pytest.mark.servers
@pytest.mark.parametrize(("password", "told"), [("wrong", "535"), ("", "環境変数 PW")])
def test_a_log_in_that_fails_is_told_without_the_password(smtp, tmp_path, password, told):
    place = smtp()
    sent = send(alerts("calls"), Alerts(mail=place.mail), tmp_path, {"PW": password})
    assert told in sent.faults[0] and SECRET not in sent.faults[0] and not list(sent.alerts["sent_to"][0])


@pytest.mark.servers
def test_nothing_is_said_to_a_server_that_is_not_the_one_of_the_certificate(smtp, tmp_path):
    place = smtp()
    unknown = place.mail.model_copy(update={"ca_file": None})
    sent = send(alerts("calls"), Alerts(mail=unknown), tmp_path, {"PW": SECRET})
    assert "SSLCertVerificationError" in sent.faults[0] and place.mails == []


@pytest.mark.servers
def test_a_server_without_tls_gets_nothing_unless_that_was_asked_for(smtp, tmp_path):
    place = smtp(with_tls=False)
    refused = send(alerts("calls"), Alerts(mail=place.mail.model_copy(update={"tls": "starttls"})), tmp_path)
    assert refused.faults and place.mails == []
    assert send(alerts("calls"), Alerts(mail=place.mail), tmp_path).faults == () and len(place.mails) == 1


@pytest.mark.servers
def test_a_server_that_refuses_is_told_without_its_words_and_tried_again(smtp, tmp_path):
    place = smtp(with_tls=False)
    place.is_deaf = True
    first = send(alerts("calls"), Alerts(mail=place.mail), tmp_path)
    assert "554" in first.faults[0] and SECRET not in first.faults[0]
    place.is_deaf = False
    assert send(first.alerts, Alerts(mail=place.mail), tmp_path).counts == {"mail": 1}


@pytest.mark.servers
def test_a_hostile_company_name_adds_no_header(smtp, tmp_path):
    place = smtp(with_tls=False)
    send_alerts(alerts("a"), Alerts(mail=place.mail), company="X\r\nBcc: thief@example.com", base=tmp_path, environ={}, on=DAY)
    headers = place.mails[0][1].split(b"\r\n\r\n")[0]
    assert b"\nBcc" not in headers and place.mails[0][0] == ADDRESSES["to"]


def test_a_webhook_gets_one_message_of_inert_text(web, tmp_path):
    sent = send(alerts("a", "b", text="「{}<!channel> *x* [y](http://z)」"), web.settings, tmp_path, web.environ)
    assert sent.counts == {"webhook": 2} and len(web.bodies) == 1
    text = web.bodies[0]["text"]
    assert text.count("\n") == 2 and "＜！channel＞" in text and not set(text) & set("<>*[]`~_&|")
    assert sent.alerts["sent_to"].map(list).tolist() == [["webhook"], ["webhook"]] and (sent.alerts["sent_on"] == DAY).all()


def test_a_server_that_stumbles_twice_is_asked_three_times(web, tmp_path):
    web.answers = [503, 500]
    assert send(alerts("a"), web.settings, tmp_path, web.environ).faults == () and len(web.bodies) == 3


@pytest.mark.parametrize(("answers", "n"), [([404], 1), ([503, 503, 503], 3), ([302], 1)])
def test_a_webhook_that_fails_is_told_without_its_address_and_tried_in_the_next_run(web, tmp_path, answers, n):
    web.answers = list(answers)
    first = send(alerts("a"), web.settings, tmp_path, web.environ)
    assert len(web.bodies) == n and str(answers[0]) in first.faults[0] and SECRET not in first.faults[0]
    assert "/elsewhere" not in web.paths
    assert send(first.alerts, web.settings, tmp_path, web.environ).counts == {"webhook": 1}


@pytest.mark.parametrize("address", ["http://example.com/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "sekret", ""])
def test_only_https_or_loopback_is_asked(tmp_path, address):
    sent = send(alerts("a"), Alerts(webhook=Webhook(url_env="HOOK")), tmp_path, {"HOOK": address})
    assert len(sent.faults) == 1 and "環境変数 HOOK" in sent.faults[0]


def test_nobody_listens(tmp_path):
    sent = send(alerts("a"), Alerts(webhook=Webhook(url_env="HOOK")), tmp_path, {"HOOK": f"http://127.0.0.1:{_free_port()}/{SECRET}"})
    assert "接続できません" in sent.faults[0] and SECRET not in sent.faults[0]


def test_a_server_that_never_ends_keeps_no_run_waiting(web, tmp_path):
    web.pause = 3.0
    assert "秒以内" in send(alerts("a"), web.settings, tmp_path, web.environ, deadline_seconds=0.2).faults[0]


def test_a_file_gets_each_alert_once_even_after_a_torn_line(tmp_path):
    settings, path = Alerts(file="out/alerts.jsonl"), tmp_path / "out" / "alerts.jsonl"
    send(alerts("a"), settings, tmp_path)
    path.write_text(path.read_text() + '{"alert_id": "torn')
    send(alerts("a", "b"), settings, tmp_path)  # as after a job that was killed before it stored what was sent
    lines = path.read_text().splitlines()
    assert [json.loads(line)["subject"] for line in (lines[0], lines[-1])] == ["a", "b"] and len(lines) == 3
    assert stat.S_IMODE(path.stat().st_mode) & 0o037 == 0


def test_a_file_stays_in_its_folder(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    assert "外を指しています" in send(alerts("a"), Alerts(file="../out.jsonl"), inner).faults[0]
    (inner / "link").symlink_to(tmp_path)
    assert "外を指しています" in send(alerts("a"), Alerts(file="link/out.jsonl"), inner).faults[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["inner"]


def test_one_channel_that_fails_keeps_no_other_from_sending(tmp_path):
    settings = Alerts(file="a.jsonl", webhook=Webhook(url_env="HOOK"))
    sent = send(alerts("a"), settings, tmp_path)
    assert sent.counts == {"file": 1} and len(sent.faults) == 1


def test_nothing_is_sent_unless_it_was_asked_for(tmp_path):
    sent = send(alerts("a"), Alerts(), tmp_path)
    assert sent.counts == {} and sent.faults == () and not list(sent.alerts["sent_to"][0])
    assert send(alerts("a"), Alerts(file="x", kinds=["nps_drop"]), tmp_path).counts == {}
    assert send(alerts("a", is_open=False, last_on=DAY - pd.Timedelta(days=8)), Alerts(file="x"), tmp_path).counts == {}


def test_a_message_tells_the_first_of_a_kind_and_counts_the_others():
    assert lines_of(alerts(*"abcde"), at_most=2)[-1] == "ほか 3 件は voc status とレポートにあります。"
    assert len(lines_of(alerts(*"abcde"), at_most=5)) == 5


@pytest.mark.parametrize("wrong", [
    {"sender": "a@b.jp\nBcc: x@y.jp"}, {"to": ["x"]}, {"to": []}, {"host": "mail.jp\r\nX"}, {"user": "u"},
    {"tls": "none", "user": "u", "password_env": "PW"}, {"password_env": "not a name", "user": "u"},
])  # fmt: skip
def test_a_wrong_mail_configuration_is_refused(wrong):
    with pytest.raises(ValidationError):
        Mail(**{"host": "mail.example.co.jp", **ADDRESSES, **wrong})


def test_the_configuration_tells_faults_of_schedule_and_alerts(tmp_path):
    path = tmp_path / "voc.toml"
    path.write_text('[[sources]]\nname = "s"\nformat = "chat"\npath = "x"\n[schedule]\ndaily = "6:00"\n[alerts.webhook]\nurl = "https://h/sekret"\n')
    with pytest.raises(ConfigError) as fault:
        load_config(path)
    assert "schedule.daily" in str(fault.value) and "alerts.webhook.url_env" in str(fault.value) and "sekret" not in str(fault.value)


def test_an_alert_that_closed_before_its_channel_was_back_is_sent_with_the_word_that_it_is_over(web):
    web.answers[:] = [503, 503, 503]
    first = send(alerts("a"), web.settings, None, web.environ)
    assert "次の実行でもう一度送ります" in first.faults[0]
    closed = first.alerts.assign(is_open=False)
    for days, n in [(8, 0), (7, 1)]:
        web.bodies.clear()
        later = send_alerts(closed, web.settings, company="x", base=None, environ=web.environ, on=DAY + pd.Timedelta(days=days), wait_seconds=0)
        assert len(web.bodies) == n
    assert "いまは収まっています" in web.bodies[0]["text"] and later.alerts["sent_to"].map(list).tolist() == [["webhook"]]
    assert send(later.alerts, web.settings, None, web.environ).counts == {}
    assert send(alerts("b", sent_to=["mail"], is_open=False), web.settings, None, web.environ).counts == {}
