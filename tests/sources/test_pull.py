"""The order that the flow keeps (data, then watermark) loses nothing and doubles nothing, from every server."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from imap_tools import MailBoxUnencrypted

from voc.config import Source
from voc.parsing.contacts import parse_contacts
from voc.sources.pull import pull, reach
from voc.sources.watermarks import advance, read_watermark
from voc.store import append_rows, read_table, write_table
from voc.tables import CONTACTS, WATERMARKS, content_sha


class KilledError(Exception):
    pass


def ingest(source, *, base, environ, store, killed_after=None):
    """Pull, parse and store until nothing is left; returns how many contacts were given."""
    n_pulls, n_given, is_more = 0, 0, True
    while is_more:
        known = read_watermark(read_table(WATERMARKS, store=store), source)
        pulled = pull(source, base=base, environ=environ, watermark=known, pull_bytes=2500)
        if pulled.files:
            contacts = parse_contacts(pulled.files, source).contacts.assign(content_sha="x")
            append_rows(contacts, CONTACTS, store=store)
            n_given += len(contacts)
        n_pulls += 1
        if n_pulls == killed_after:
            raise KilledError
        watermarks = advance(read_table(WATERMARKS, store=store), source, pulled, at=None)
        write_table(watermarks, WATERMARKS, store=store)
        is_more = pulled.is_more
    return n_given


def mails(request, numbers):
    server = request.getfixturevalue("mail_server")
    with MailBoxUnencrypted(server.host, server.port).login("pulled", server.password) as box:
        for number in numbers:
            head = f"Message-ID: <{number}@example.jp>\r\nFrom: a{number}@example.jp\r\nDate: Mon, 5 Jan 2026 10:00:00 +0900\r\n"
            box.append(f"{head}Subject: x\r\n\r\n{'本文' * 40}{number}".encode(), "INBOX")
    imap = {"host": server.host, "port": server.port, "user": "pulled", "password_env": "PW", "tls": "none"}
    return Source(name="mail", format="email", imap=imap), {"PW": server.password}


def answers(request, numbers):
    url = request.getfixturevalue("postgres").url
    with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("create table if not exists pulled (id int, at timestamptz, body text)"))
        connection.execute(
            sa.text("insert into pulled values (:id, cast('2026-01-05' as date) + :id / 3, :body)"),
            [{"id": number, "body": "遅い" * 200} for number in numbers],
        )
    query = "select id as contact_id, at as started_at, body from pulled where at >= :since order by at, id"
    sql = {"url_env": "DB", "query": query, "watermark_column": "started_at", "start": datetime(2000, 1, 1, tzinfo=UTC)}
    return Source(name="answers", format="survey", texts={"body": "ご意見"}, sql=sql), {"DB": url}


def objects(request, numbers):
    server = request.getfixturevalue("s3_server")
    for number in numbers:
        record = f'{{"contact_id": "c{number}", "started_at": "2026-01-05 10:00", "body": "{"遅い" * 40}"}}'
        server.client.put_object(Bucket="voices", Key=f"in/{number:03d}.jsonl", Body=record.encode())
    place = {"endpoint_env": "URL", "key_env": "KEY", "secret_env": "SECRET"}
    environ = {"URL": server.endpoint, "KEY": server.key, "SECRET": server.secret}
    return Source(name="objects", format="survey", texts={"body": "ご意見"}, path="s3://voices/in/*.jsonl", s3=place), environ


@pytest.mark.servers
@pytest.mark.parametrize("fill", [mails, answers, objects])
def test_twice_adds_nothing_and_a_kill_between_data_and_watermark_ends_with_the_same_tables(request, tmp_path, fill):
    source, environ = fill(request, range(20))
    place = {"base": tmp_path, "environ": environ}
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    assert ingest(source, **place, store=one) == 20
    assert ingest(source, **place, store=one) == 0
    with pytest.raises(KilledError):
        ingest(source, **place, store=other, killed_after=2)
    assert 0 < len(read_table(CONTACTS, store=other)) < 20
    ingest(source, **place, store=other)
    stored = read_table(CONTACTS, store=one)
    fill(request, range(20, 23))
    assert ingest(source, **place, store=one) == 3
    assert len(read_table(CONTACTS, store=one)) == 23
    assert content_sha(stored) == content_sha(read_table(CONTACTS, store=other))
    assert reach(source, **place)
