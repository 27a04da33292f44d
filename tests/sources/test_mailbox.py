"""Mail from a real Dovecot: each message once, whatever breaks; nothing marked; no password in any text."""

import json
import logging
import re
import traceback
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from imap_tools import AND, MailBoxUnencrypted

from voc.config import Source
from voc.errors import SourceError
from voc.sources import mailbox
from voc.sources.mailbox import batches, count_mails, pull_mails
from voc.sources.watermarks import values


@pytest.mark.parametrize(("sizes", "expected"), [
    ({3: 10, 1: 10, 2: 10}, [[1, 2], [3]]), ({1: 900, 2: 10, 3: 10}, [[1], [2, 3]]), ({}, []),
    ({1: 60, 2: 50}, [[1], [2]]),
])  # fmt: skip
def test_batches_keep_their_order_and_size(sizes, expected):
    assert list(batches(sizes, max_bytes=100, max_mails=2)) == expected


def test_a_password_that_is_not_set_is_told(tmp_path):
    source = Source(name="mail", format="email", imap={"host": "h", "user": "u", "password_env": "MAIL_PW"})
    with pytest.raises(SourceError, match=r"環境変数 MAIL_PW .*password_env"):
        pull_mails(source, base=tmp_path, environ={}, known={}, pull_bytes=1)


def letter(number: int, *, size: int = 0) -> bytes:
    body = f"From 行から始まる本文 {number}\r\n" + "長い" * size
    return f"Message-ID: <{number}@example.jp>\r\nFrom: a@example.jp\r\nSubject: {number}\r\n\r\n{body}".encode()


@pytest.fixture
def box(mail_server, request):
    """A mailbox of its own for each test: `add(numbers)`, `flags()` and `source(**options)`."""
    user = "u" + str(abs(hash(request.node.name)))
    with MailBoxUnencrypted(mail_server.host, mail_server.port).login(user, mail_server.password) as writer:

        class Box:
            server, environ, client = mail_server, {"MAIL_PW": mail_server.password}, writer

            def add(self, numbers, **options):
                for number in numbers:
                    writer.append(letter(number, **options), "INBOX")

            def flags(self):
                return {flag for mail in writer.fetch(AND(all=True), mark_seen=False) for flag in mail.flags}

            def source(self, **options):
                imap = {"host": "127.0.0.1", "port": mail_server.port, "user": user, "password_env": "MAIL_PW", "tls": "none"}
                return Source(name="mail", format="email", imap=imap | options)

        yield Box()


def pulled(box, source, tmp_path, known=(), *, pull_bytes=10**9, **options):
    return pull_mails(source, base=tmp_path, environ=box.environ, known=dict(known), pull_bytes=pull_bytes,
                      wait_seconds=0.01, **options)  # fmt: skip


def numbers(result):
    return [int(file.data.split(b"Subject: ")[1].split(b"\r\n")[0]) for file in result.files]


@pytest.mark.servers
def test_the_second_pull_gives_only_what_is_new_and_nothing_is_marked(box, tmp_path):
    box.add(range(120))
    first = pulled(box, box.source(), tmp_path)
    assert numbers(first) == list(range(120))
    assert first.files[7].data == letter(7)
    assert (first.n_found, first.faults, first.is_more) == (120, (), False)
    known = values(first.watermark, "imap")
    assert pulled(box, box.source(), tmp_path, known).files == ()
    box.add([120, 121])
    second = pulled(box, box.source(), tmp_path, known)
    assert numbers(second) == [120, 121]
    assert not {file.name for file in first.files} & {file.name for file in second.files}
    assert "\\Seen" not in box.flags()
    assert count_mails(box.source(), base=tmp_path, environ=box.environ) == 122


@pytest.mark.servers
def test_a_dropped_connection_goes_on_where_it_was(box, tmp_path, cutting_proxy):
    box.add(range(150), size=1000)
    port = cutting_proxy(box.server.port, [30, 400_000, 200, 500_000])
    result = pulled(box, box.source(port=port), tmp_path)
    assert numbers(result) == list(range(150))
    assert result.faults == ()


@pytest.mark.servers
def test_where_it_drops_for_good_what_was_got_is_kept_and_told(box, tmp_path, cutting_proxy):
    box.add(range(150), size=1000)
    port = cutting_proxy(box.server.port, [400_000, *[300] * 9])
    part = pulled(box, box.source(port=port), tmp_path)
    assert 0 < len(part.files) < 150
    assert "残りは次の実行" in part.faults[0]["reason"]
    rest = pulled(box, box.source(), tmp_path, values(part.watermark, "imap"))
    assert numbers(part) + numbers(rest) == list(range(150))


@pytest.mark.servers
def test_a_pull_is_cut_at_its_size_and_the_next_ones_take_the_rest(box, tmp_path):
    box.add(range(20), size=100)
    known, got, n_pulls, is_more = {}, [], 0, True
    while is_more:
        result = pulled(box, box.source(), tmp_path, known, pull_bytes=3000)
        known, is_more, n_pulls = values(result.watermark, "imap"), result.is_more, n_pulls + 1
        got += numbers(result)
    assert got == list(range(20))
    assert n_pulls > 2


@pytest.mark.servers
def test_a_folder_that_was_numbered_anew_is_read_again(box, tmp_path):
    box.add([1, 2])
    known = {"INBOX": json.dumps({"uidvalidity": 1, "uid": 99})}
    result = pulled(box, box.source(), tmp_path, known)
    assert numbers(result) == [1, 2]
    assert "UIDVALIDITY" in result.faults[0]["reason"] and result.faults[0]["stage"] == "renumbered"


@pytest.mark.servers
def test_a_mail_that_is_too_large_is_told_and_the_others_go_on(box, tmp_path):
    box.add([1])
    box.add([2], size=2000)
    box.add([3])
    result = pulled(box, box.source(), tmp_path, max_mail_bytes=5000)
    assert [bool(file.fault) for file in result.files] == [False, True, False]


@pytest.mark.servers
def test_a_folder_with_a_japanese_name(box, tmp_path):
    box.client.folder.create("お問い合わせ")
    box.client.append(letter(5), "お問い合わせ")
    assert numbers(pulled(box, box.source(folder="お問い合わせ"), tmp_path)) == [5]


@pytest.mark.servers
@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_tls_checks_the_certificate(box, tmp_path, tls):
    box.add([1])
    port = box.server.tls_port if tls == "tls" else box.server.port
    with pytest.raises(SourceError, match="CERTIFICATE_VERIFY_FAILED"):
        pulled(box, box.source(tls=tls, port=port), tmp_path)
    trusted = box.source(tls=tls, port=port, ca_file=str(box.server.ca_file))
    assert numbers(pulled(box, trusted, tmp_path)) == [1]


@pytest.mark.servers
@pytest.mark.parametrize("wrong", ["wrong-sekret-66", "合わない-sekret", None])
@pytest.mark.parametrize("options", [{"folder": "none"}, {"port": 1}, {"tls": "tls"}])
def test_no_password_in_any_text(box, tmp_path, wrong, options, caplog):
    caplog.set_level(logging.DEBUG)
    environ = {"MAIL_PW": wrong or box.server.password}
    with pytest.raises(SourceError, match=r"ソース mail: .*127\.0\.0\.1") as fault:
        pull_mails(box.source(**options), base=tmp_path, environ=environ, known={}, pull_bytes=1, wait_seconds=0.01)
    told = "".join(traceback.format_exception(fault.value)) + caplog.text + repr(box.source())
    assert "sekret" not in told


class Refusing:
    """A mailbox whose server answers NO to whatever asks for one of `refused`; the answers are those of Dovecot."""

    def __init__(self, uids, refused=(), of="BODY"):
        self.mails, self.refused, self.of, self.asked = set(uids), set(refused), of, []
        self.client, self.folder = SimpleNamespace(uid=self.fetch), SimpleNamespace(set=lambda *_, **__: None, status=self.status)

    def status(self, *_):
        return {"MESSAGES": len(self.mails), "UIDNEXT": max(self.mails) + 1, "UIDVALIDITY": 7}

    def uids(self, wanted):
        first, last = map(int, re.findall(r"\d+", wanted))
        return [str(uid) for uid in sorted(self.mails) if first <= uid <= last]

    def fetch(self, _, wanted, what):
        uids = [int(uid) for uid in wanted.split(",")]
        if self.of in what:
            self.asked += uids
            if self.refused & set(uids):
                return "NO", [b"[UNAVAILABLE] try later"]
        there = [uid for uid in uids if uid in self.mails]
        if "SIZE" in what:
            return "OK", [f"{uid} (UID {uid} RFC822.SIZE 90)".encode() for uid in there]
        return "OK", [part for uid in there for part in ((f"{uid} (UID {uid} BODY[] {{90}}".encode(), letter(uid)), b")")]


def refusing_pull(monkeypatch, tmp_path, box, known=(), **options):
    @contextmanager
    def session(*_, **__):
        yield box

    monkeypatch.setattr(mailbox, "_session", session)
    place = {"host": "127.0.0.1", "user": "u", "password_env": "MAIL_PW", "tls": "none"}
    got = pull_mails(Source(name="mail", format="email", imap=place), base=tmp_path, environ={"MAIL_PW": "p"}, known=dict(known),
                     pull_bytes=options.pop("pull_bytes", 10**9), wait_seconds=0, **options)  # fmt: skip
    return got, values(got.watermark, "imap")


def delivered(result):
    return [int(file.name.rpartition("-")[2].removesuffix(".eml")) for file in result.files if not file.fault]


@pytest.mark.parametrize("of", ["BODY", "SIZE"])
def test_a_mail_that_the_server_refuses_for_a_while_comes_once_it_is_given(monkeypatch, tmp_path, of):
    box = Refusing(range(1, 8), refused={2, 3, 7}, of=of)
    first, known = refusing_pull(monkeypatch, tmp_path, box)
    if of == "BODY":
        assert delivered(first) == [1, 4, 5, 6] and [bool(file.fault) for file in first.files].count(True) == 3
        assert "次の実行でもう一度" in next(file.fault for file in first.files if file.fault)
    else:  # its size is not told, its body is given all the same
        assert delivered(first) == list(range(1, 8))
        return
    again, known = refusing_pull(monkeypatch, tmp_path, box, known)
    assert again.files == () and again.faults == ()  # told once; the reject of the first pull stays
    box.refused, box.mails = set(), box.mails - {3} | {8}
    second, known = refusing_pull(monkeypatch, tmp_path, box, known)
    assert delivered(second) == [2, 7, 8]
    box.asked.clear()
    assert refusing_pull(monkeypatch, tmp_path, box, known)[0].files == () and box.asked == []


def test_a_server_that_hands_over_nothing_loses_nothing_and_is_not_asked_for_all(monkeypatch, tmp_path):
    box = Refusing(range(1, 501), refused=range(1, 501))
    got, known, pulls = [], {}, []
    for _ in range(3):
        result, known = refusing_pull(monkeypatch, tmp_path, box, known)
        pulls.append(len(result.files))
        assert "まだ読んでいません" in result.faults[0]["reason"] and result.faults[0]["stage"] == "read" and not result.is_more
    assert pulls == [200, 0, 0] and max(box.asked) <= 250
    box.refused, is_more = {77}, True
    while is_more:  # cut at every few mails, as a large pull is
        result, known = refusing_pull(monkeypatch, tmp_path, box, known, pull_bytes=2000)
        got, is_more = got + delivered(result), result.is_more
    assert got == [uid for uid in range(1, 501) if uid != 77]
    box.refused = set()
    assert delivered(refusing_pull(monkeypatch, tmp_path, box, known)[0]) == [77]
