"""Rows from real PostgreSQL and SQLite: each once, nothing written, no password in any text."""

import json
import logging
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from voc.config import Source
from voc.errors import SourceError
from voc.parsing.company import parse_customers
from voc.parsing.contacts import parse_contacts
from voc.sources.database import Mark, decode, encode, groups, pull_rows, try_query
from voc.sources.watermarks import values

QUERY = "select id as contact_id, at as started_at, body as comment, changed from answers where changed >= :since order by changed, id"


def survey(query=QUERY, **sql):
    incremental = {"watermark_column": "changed", "start": 0} if ":since" in query else {}
    return Source(name="answers", format="survey", texts={"comment": "ご意見"},
                  sql={"url_env": "DB_URL", "query": query} | incremental | sql)  # fmt: skip


@pytest.mark.parametrize(
    "value", [7, Decimal("1.50"), 2.5, "2026-01-01", date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 6), datetime(2026, 1, 2, tzinfo=UTC)]
)
def test_a_mark_comes_back_as_it_was(value):
    mark = decode(encode(Mark(value, ("ab", "cd"))))
    assert mark == Mark(value, ("ab", "cd"))
    assert type(mark.value) is type(value)


def test_rows_of_one_watermark_are_one_group():
    rows = [{"id": 1, "changed": 1}, {"id": 2, "changed": 2}, {"id": 3, "changed": 2}]
    found = list(groups(rows, Mark(0), source=survey()))
    assert [(mark.value, len(group)) for mark, group, _ in found] == [(1, 1), (2, 2)]


def test_rows_before_the_mark_do_not_move_it_back():
    [(mark, group, _)] = groups([{"id": 1, "changed": 3}], Mark(5, ("x",)), source=survey())
    assert (mark, len(group)) == (Mark(5, ("x",)), 1)


@pytest.mark.parametrize(("value", "moves"), [
    (date(2026, 1, 2), True), (date(2026, 1, 3), False), (datetime(2026, 1, 2, 23, 59, tzinfo=UTC), True), (datetime(2062, 1, 1), False), (2062, True),
])  # fmt: skip
def test_a_date_after_the_day_of_the_run_moves_no_mark(value, moves):
    before = Mark(type(value)(1) if isinstance(value, int) else value.replace(year=2020), ("x",))
    [(mark, group, is_ahead)] = groups([{"id": 1, "changed": value}], before, source=survey(), run_on=date(2026, 1, 1))
    assert (is_ahead, mark.value) == (not moves, value if moves else before.value)
    assert set(mark.seen) == set(group) | (set() if moves else {"x"})


def test_a_group_that_was_not_read_to_its_end_is_not_given():
    def breaking():
        yield from [{"id": 1, "changed": 1}, {"id": 2, "changed": 2}]
        raise ConnectionError

    found = []
    with pytest.raises(ConnectionError):
        found.extend(groups(breaking(), Mark(0), source=survey()))
    assert [mark.value for mark, _, _ in found] == [1]


@pytest.mark.parametrize(("rows", "told"), [
    ([{"changed": 2}, {"changed": 1}], "ORDER BY changed"), ([{"changed": None}], "（空）"),
    ([{"changed": "2026-01-01"}], r"str.*int"), ([{"changed": 1, "x": b"\0"}], "列 x はバイナリー"),
])  # fmt: skip
def test_rows_that_cannot_be_followed_are_refused(rows, told):
    with pytest.raises(SourceError, match=told):
        list(groups(rows, Mark(0), source=survey()))


class Database:
    """Answers in one database, read with a small pull size until nothing is left."""

    def __init__(self, url, base):
        self.base, self.environ, self.engine = base, {"DB_URL": url}, sa.create_engine(url)
        self.run("create table answers (id integer, at varchar(30), body varchar(9000), changed integer)")

    def run(self, statement, rows=()):
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), list(rows) or None)

    def add(self, ids, *, changed=lambda number: number, body="遅い"):
        self.run("insert into answers values (:id, :at, :body, :changed)", [
            {"id": number, "at": "2026-01-05 10:00", "body": f"{body}{number}", "changed": changed(number)} for number in ids
        ])  # fmt: skip

    def pull(self, source=None, known=(), *, pull_bytes=10**9, **options):
        source = source or survey()
        return pull_rows(source, base=self.base, environ=self.environ, known=dict(known), pull_bytes=pull_bytes,
                         wait_seconds=0.01, **options)  # fmt: skip


@pytest.fixture
def sqlite(tmp_path):
    return Database(f"sqlite:///{tmp_path / 'company.db'}", tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def database(request, tmp_path):
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
    else:
        database = Database(request.getfixturevalue("postgres").url, tmp_path)
        yield database
        database.run("drop table answers")


def ids(*results):
    return [json.loads(line)["contact_id"] for result in results for file in result.files for line in file.data.split(b"\n")]


def known(result):
    return values(result.watermark, "sql")


def test_the_second_pull_gives_only_what_is_new(database):
    database.add(range(50), changed=lambda number: 1 + number // 10)
    first = database.pull()
    assert ids(first) == list(range(50))
    again = database.pull(known=known(first))
    assert (again.files, again.is_more) == ((), False)
    database.add([50, 51], changed=lambda number: number - 45)  # 50 is written late, with the watermark already read
    second = database.pull(known=known(first))
    assert ids(second) == [50, 51]
    assert first.files[0].name != second.files[0].name
    assert database.pull(known=known(second)).files == ()


@pytest.mark.parametrize("sign", [">=", ">"])
def test_a_pull_is_cut_between_watermarks_and_the_next_ones_take_the_rest(database, sign):
    database.add(range(60), changed=lambda number: 1 + number // 7)
    source, mark, results, is_more = survey(QUERY.replace(">=", sign)), {}, [], True
    while is_more:
        results.append(database.pull(source, mark, pull_bytes=600))
        mark, is_more = known(results[-1]), results[-1].is_more
    assert ids(*results) == list(range(60))
    assert len(results) > 3


def test_without_a_watermark_the_whole_is_given_where_it_changed(database):
    source = survey(QUERY.replace("where changed >= :since", ""))
    database.add([1, 2])
    first = database.pull(source)
    assert ids(first) == [1, 2]
    again = database.pull(source, known(first))
    assert (again.files, again.n_found) == ((), 2)
    database.run("update answers set body = '速い' where id = 2")
    assert ids(database.pull(source, known(first))) == [1, 2]


def test_rows_are_parsed_like_a_file(database):
    database.add([1, 2])
    source = survey()
    parsed = parse_contacts(database.pull(source).files, source)
    assert sorted(parsed.turns["text"]) == ["遅い1", "遅い2"]
    assert parsed.rejects.empty
    database.run("update answers set at = '2026年1月6日'")
    customers = Source(name="customers", format="customers", columns={"customer_id": "id", "started_on": "at"},
                       sql={"url_env": "DB_URL", "query": "select id, at from answers"})  # fmt: skip
    table, _, _ = parse_customers(database.pull(customers).files, customers)
    assert table["started_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-01-06"] * 2


@pytest.mark.parametrize(("query", "told"), [
    ("select id, changed from answers where changed > :since order by changed", r"\['contact_id'\].*二重"),
    ("select id as contact_id from answers where changed > :since", r"\['changed'\]"),
    ("select * from nowhere", "nowhere"), ("delete from answers", "データベースを読めません|SELECT"),
    ("with gone as (select 1) insert into answers select 1, '', '', 1", "データベースを読めません|SELECT"),
])  # fmt: skip
def test_a_query_that_does_not_fit_is_told_and_changes_nothing(database, query, told):
    database.add([1])
    with pytest.raises(SourceError, match=told):
        database.pull(survey(query))
    assert ids(database.pull()) == [1]


def test_columns_are_tried_without_reading(database):
    assert try_query(survey(), base=database.base, environ=database.environ) == ["contact_id", "started_at", "comment", "changed"]


def test_a_sqlite_file_that_is_missing_is_not_made(tmp_path):
    with pytest.raises(SourceError, match=r"none\.db がありません"):
        pull_rows(survey(), base=tmp_path, environ={"DB_URL": "sqlite:///none.db"}, known={}, pull_bytes=1)
    assert not Path(tmp_path / "none.db").exists()


@pytest.mark.parametrize("url", ["sekret", "nodriver://u:sekret@h/db", "postgresql://u:sekret@127.0.0.1:1/db"])
def test_a_wrong_url_is_not_repeated(tmp_path, url):
    with pytest.raises(SourceError, match=r"ソース answers: .*DB_URL") as fault:
        pull_rows(survey(), base=tmp_path, environ={"DB_URL": url}, known={}, pull_bytes=1)
    assert "sekret" not in "".join(traceback.format_exception(fault.value))


@pytest.mark.servers
def test_a_wrong_password_is_not_repeated(postgres, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    url = postgres.url.replace(postgres.password, "wrong-sekret-55")
    with pytest.raises(SourceError, match="password authentication failed") as fault:
        pull_rows(survey(), base=tmp_path, environ={"DB_URL": url}, known={}, pull_bytes=1)
    assert "sekret" not in "".join(traceback.format_exception(fault.value)) + caplog.text


@pytest.mark.servers
@pytest.mark.parametrize("sign", [">=", ">"])
def test_a_dropped_connection_goes_on_where_it_was(postgres, tmp_path, cutting_proxy, sign):
    database = Database(postgres.url, tmp_path)
    try:
        database.add(range(3000), changed=lambda number: 1 + number // 10, body="長い" * 100)
        port = cutting_proxy(postgres.port, [900_000, 300_000])
        database.environ = {"DB_URL": postgres.url.replace(str(postgres.port), str(port))}
        result = database.pull(survey(QUERY.replace(">=", sign)))
        assert ids(result) == list(range(3000))
        assert result.faults == ()
        port = cutting_proxy(postgres.port, [900_000, *[2000] * 9])
        database.environ = {"DB_URL": postgres.url.replace(str(postgres.port), str(port))}
        part = database.pull(survey(QUERY.replace(">=", sign)))
        assert 0 < len(ids(part)) < 3000
        assert "残りは次の実行" in part.faults[0]["reason"]
        database.environ = {"DB_URL": postgres.url}
        rest = database.pull(survey(QUERY.replace(">=", sign)), known(part))
        assert ids(part, rest) == list(range(3000))
    finally:
        database.run("drop table answers")


@pytest.mark.servers
@pytest.mark.parametrize(("column", "start"), [
    ("timestamptz", datetime(2000, 1, 1, tzinfo=UTC)), ("timestamp", datetime(2000, 1, 1)), ("date", date(2000, 1, 1)),
    ("bigint", 0), ("numeric", 0), ("text", ""),
])  # fmt: skip
def test_watermarks_of_every_type(postgres, tmp_path, column, start):
    database = Database(postgres.url, tmp_path)
    cast = "to_timestamp(changed)" if column[0] in "td" and column != "text" else "changed + 3000000000"
    inner = f"select id as contact_id, ({cast})::{column} as mark from answers"  # noqa: S608 - words of this test
    query = f"select * from ({inner}) x where mark >= :since order by mark"  # noqa: S608
    source = survey(query, watermark_column="mark", start=start)
    try:
        database.add([1, 2], changed=lambda number: number * 1_000_000_000)
        first = database.pull(source)
        assert ids(first) == [1, 2]
        assert database.pull(source, known(first)).files == ()
        database.add([3], changed=lambda _: 2_000_090_000)
        assert ids(database.pull(source, known(first))) == [3]
    finally:
        database.run("drop table answers")


@pytest.mark.servers
def test_a_row_of_a_wrong_date_hides_no_later_one(postgres, tmp_path):
    database, run_on = Database(postgres.url, tmp_path), date(2026, 1, 10)
    query = "select * from (select id as contact_id, date '2026-01-01' + changed as mark from answers) x where mark >= :since order by mark"
    source = survey(query, watermark_column="mark", start=date(2026, 1, 1))
    try:
        database.add([1, 2], changed=lambda number: {1: 3, 2: 13000}[number])
        first = database.pull(source, run_on=run_on)
        assert ids(first) == [1, 2]
        assert "実行日より後の行が 1 行" in first.faults[0]["reason"]
        database.add([3], changed=lambda _: 4)
        second = database.pull(source, known(first), run_on=run_on)
        assert ids(second) == [3]
        assert database.pull(source, known(second), run_on=run_on).files == ()
        hidden = database.pull(source)  # what a version that knew nothing of it left
        assert ids(database.pull(source, known(hidden), run_on=run_on)) == [1, 3, 2]
    finally:
        database.run("drop table answers")


@pytest.mark.servers
def test_a_customers_words_do_not_come_back_in_a_fault(postgres, tmp_path):
    database = Database(postgres.url, tmp_path)
    try:
        database.add([1], body="山田花子です")
        with pytest.raises(SourceError, match="データベースを読めません") as fault:
            database.pull(survey("select id as contact_id, body::int as comment from answers"))
        assert "山田" not in str(fault.value)
    finally:
        database.run("drop table answers")
