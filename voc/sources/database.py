"""Rows of a SQL query after a watermark -> JSON lines, which are parsed like a table in a file."""

import hashlib
import json
import math
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from voc.config import Source
from voc.errors import SourceError
from voc.raw import MAX_BYTES, RawFile
from voc.sources.environment import secret, without
from voc.sources.watermarks import Pulled, rows

_ROWS_AT_ONCE = 1000
_MAX_SEEN = 1000
_CONTACTS = frozenset({"transcript", "turns", "chat", "ticket", "review", "survey"})
_VALUE_TYPES = {"int": int, "decimal": Decimal, "float": float, "text": str, "datetime": datetime, "date": date}
_READERS = {**_VALUE_TYPES, "datetime": datetime.fromisoformat, "date": date.fromisoformat}


@dataclass(frozen=True)
class Mark:
    """The largest watermark whose rows were all read, and the hashes of its rows (none above 1,000 of them)."""

    value: Any
    seen: tuple[str, ...] = ()


def pull_rows(
    source: Source, *, base: Path, environ: Mapping[str, str], known: Mapping[str, str], pull_bytes: int,
    run_on: date | None = None, attempts: int = 3, wait_seconds: float = 1.0,
) -> Pulled:  # fmt: skip
    """Rows of `[sources.sql] query` that were not read before, as one file of JSON lines.

    With a watermark the query names `:since` and is ordered by `watermark_column`. Rows with one value are taken
    together, so a pull that is cut or whose connection drops loses none. A query with `>=` also finds rows that are
    written later with the same value, one with `:since` less some minutes those that are committed late (they come
    again every time; their contact_id keeps them one). Without a watermark all rows are read, and given only where
    they are not those of the last time. A row that is dated after `run_on` is given and told of, but moves no mark: one
    wrong date would hide all later rows until then. Raises SourceError where nothing could be read.
    """
    sql, url = source.sql, _url(source, base=base, environ=environ)
    start = mark = decode(known["query"]) if "query" in known else Mark(sql.start)
    if _is_ahead(start.value, run_on):
        start = mark = Mark(sql.start)
    lines, faults, ahead, n_found, held, failed, is_more = {}, [], {}, 0, 0, 0, False
    while True:
        before = mark
        try:
            with _result(source, url, mark) as result:
                given = groups(result.mappings(), mark, source=source, run_on=run_on)
                for mark, group, is_ahead in given:
                    ahead |= group if is_ahead else {}
                    new = {sha: line for sha, line in group.items() if sha not in start.seen and sha not in lines}
                    lines |= new
                    n_found += len(group)
                    held += sum(map(len, new.values()))
                    if held >= pull_bytes and sql.watermark_column and mark.value != start.value:
                        is_more = True
                        break
            break
        except SQLAlchemyError as error:
            failed = failed + 1 if mark == before else 1
            is_dropped = isinstance(error, DBAPIError) and error.connection_invalidated
            if not lines and (failed >= attempts or not is_dropped):
                raise SourceError(_unreadable(source, error, url)) from None
            if failed >= attempts or not is_dropped:
                reason = f"{_unreadable(source, error, url)}{len(lines)} 行までは読みました。残りは次の実行で読みます。"
                faults.append({"source": source.name, "source_row": "", "stage": "read", "reason": reason})
                break
            time.sleep(wait_seconds * 2 ** (failed - 1))
    if sql.watermark_column is None and mark == start:
        lines = {}
    if ahead:
        faults.append({"source": source.name, "source_row": "", "stage": "read", "reason": _told_ahead(source, len(ahead))})
    watermark = rows(source, "sql", {} if mark == Mark(sql.start) else {"query": encode(mark)})
    return Pulled(_file(source, start, lines), watermark, tuple(faults), (), n_found, is_more)


def try_query(source: Source, *, base: Path, environ: Mapping[str, str]) -> list[str]:
    """The columns that the query gives from `start` on. Raises SourceError where it cannot be run."""
    url = _url(source, base=base, environ=environ)
    try:
        with _result(source, url, Mark(source.sql.start)) as result:
            return list(result.keys())
    except SQLAlchemyError as error:
        raise SourceError(_unreadable(source, error, url)) from None


def groups(
    records: Iterable[Mapping[str, Any]], mark: Mark, *, source: Source, run_on: date | None = None
) -> Iterator[tuple[Mark, dict[str, str], bool]]:
    """(mark after the group, {hash: JSON line}, is dated after `run_on`) for each run of rows with one watermark; one run where there is none.

    A group is given only when its last row was read. Raises SourceError where rows are not in order of the watermark,
    where it is empty or of another type than `:since`, and where a group is too large.
    """
    column = source.sql.watermark_column
    if column is None:
        group = _lines(records, source)
        yield Mark(hashlib.sha256("\n".join(sorted(group)).encode()).hexdigest()), group, False
        return
    last = None
    for value, members in groupby(records, key=itemgetter(column)):
        if last is not None and _is_before(value, last, source):
            raise SourceError(f"ソース {source.name}: query の結果が {column} の順ではありません。"
                              f"query の終わりに ORDER BY {column} を書いてください。")  # fmt: skip
        is_new, is_ahead = not _is_before(value, mark.value, source), _is_ahead(value, run_on)
        group, last = _lines(members, source), value
        if is_ahead:
            mark = _seen(mark.value, {*mark.seen, *group})  # so that it is not given again each night
        elif is_new:
            mark = _seen(value, group)
        yield mark, group, is_ahead


def _seen(value: Any, hashes: Collection[str]) -> Mark:
    return Mark(value, tuple(sorted(hashes)) if len(hashes) <= _MAX_SEEN else ())


def _is_ahead(value: Any, run_on: date | None) -> bool:
    """Whether a date lies after the day that follows `run_on`: the clocks of two machines may be a day apart."""
    if run_on is None or not isinstance(value, date):
        return False
    day = value.date() if isinstance(value, datetime) else value
    return day > run_on + timedelta(days=1)


def _told_ahead(source: Source, n_rows: int) -> str:
    return (
        f"ソース {source.name}: {source.sql.watermark_column} が実行日より後の行が {n_rows:,} 行あります。行は取り込みますが、"
        "次に読み始める位置には使いません。データベースの日付か、この機械の時計を確かめてください。"
    )


def encode(mark: Mark) -> str:
    """The mark as the text that WATERMARKS keeps."""
    kind = next(kind for kind, of in _VALUE_TYPES.items() if type(mark.value) is of)
    text = mark.value.isoformat() if kind in ("datetime", "date") else str(mark.value)
    return json.dumps({"type": kind, "value": text, "seen": list(mark.seen)}, ensure_ascii=False)


def decode(text: str) -> Mark:
    kept = json.loads(text)
    return Mark(_READERS[kept["type"]](kept["value"]), tuple(kept["seen"]))


def _is_before(value: Any, other: Any, source: Source) -> bool:
    try:
        return bool(value < other)
    except TypeError:
        column = source.sql.watermark_column
        raise SourceError(
            f"ソース {source.name}: {column} の型（{_type(value)}）が start・前回の値の型（{_type(other)}）と違うか、空です。"
            f"空の行は query で除き、start は {column} と同じ型で（時差の有無も）書いてください。"
        ) from None


def _type(value: Any) -> str:
    zone = "、時差あり" if getattr(value, "tzinfo", None) else ""
    return "空" if value is None else f"{type(value).__name__}{zone}"


def _lines(records: Iterable[Mapping[str, Any]], source: Source) -> dict[str, str]:
    """hash -> JSON line; rows that are equal in every column are one."""
    lines, held = {}, 0
    for record in records:
        line = json.dumps({key: _plain(value, key, source) for key, value in record.items()}, ensure_ascii=False)
        held += len(line)
        if held > MAX_BYTES:
            raise SourceError(
                f"ソース {source.name}: query の結果が大きすぎます。:since と watermark_column で差分を読んでください。"
            )
        lines[hashlib.sha256(line.encode("utf-8", "replace")).hexdigest()[:16]] = line
    return lines


def _plain(value: Any, column: str, source: Source) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise SourceError(
            f"ソース {source.name}: 列 {column} はバイナリーです。query で外すか、文字に CAST してください。"
        )
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):  # a JSON column, such as the messages of a chat
        return {str(key): _plain(inner, column, source) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, column, source) for inner in value]
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _file(source: Source, start: Mark, lines: Mapping[str, str]) -> tuple[RawFile, ...]:
    if not lines:
        return ()
    since = re.sub(r"[^0-9A-Za-z.+-]", "", str(start.value))[:40] if source.sql.watermark_column else "all"
    data = "\n".join(lines.values()).encode("utf-8", "replace")
    return (RawFile(source.name, f"{source.name}-{since}.jsonl", data, hashlib.sha256(data).hexdigest()),)


def _url(source: Source, *, base: Path, environ: Mapping[str, str]) -> sa.URL:
    variable = source.sql.url_env
    told = secret(environ, variable, source=source.name, option="[sources.sql] url_env")
    try:
        url = sa.make_url(told)
    except (ArgumentError, ValueError):
        raise SourceError(
            f"ソース {source.name}: 環境変数 {variable} の値がデータベースの URL ではありません。"
            "postgresql://ユーザー:パスワード@ホスト/データベース の形で設定してください。"
        ) from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str(base / url.database))
        if not Path(url.database).is_file():  # SQLite would make an empty one
            raise SourceError(
                f"ソース {source.name}: SQLite のファイル {url.database} がありません。{variable} を確かめてください。"
            )
    return url


@contextmanager
def _result(source: Source, url: sa.URL, mark: Mark) -> Iterator[sa.CursorResult]:
    """The query's result, streamed, in a transaction that may only read and is rolled back."""
    backend = url.get_backend_name()
    limits = {"connect_timeout": 10} if backend in ("postgresql", "mysql", "mariadb") else {}
    try:
        engine = sa.create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=limits)
    except ModuleNotFoundError as error:
        raise SourceError(
            f"ソース {source.name}: データベースの部品 {error.name} が入っていません。インストールしてください。"
        ) from None
    with engine.connect() as connection:
        options = {"postgresql_readonly": True} if backend == "postgresql" else {}
        connection.execution_options(yield_per=_ROWS_AT_ONCE, **options)
        if backend == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        result = connection.execute(_statement(source, mark))
        _check_columns(result, source)
        yield result


def _statement(source: Source, mark: Mark) -> sa.TextClause:
    statement = sa.text(source.sql.query)
    if source.sql.watermark_column is None:
        return statement
    if isinstance(mark.value, datetime):
        kind = sa.DateTime(timezone=mark.value.tzinfo is not None)
    else:
        kind = sa.BigInteger() if isinstance(mark.value, int) else None
    return statement.bindparams(sa.bindparam("since", mark.value, kind))


def _check_columns(result: sa.CursorResult, source: Source) -> None:
    if not result.returns_rows:
        raise SourceError(f"ソース {source.name}: query が行を返しません。SELECT 文を書いてください。")
    there = list(result.keys())
    key = source.columns.get("contact_id", "contact_id")
    needed = [source.sql.watermark_column] if source.sql.watermark_column else []
    needed += [key] if source.format in _CONTACTS else []
    missing = [column for column in needed if column not in there]
    if missing:
        raise SourceError(
            f"ソース {source.name}: query の結果に列 {missing} がありません（ある列: {there}）。query に足してください。"
            "問い合わせには行ごとの番号（contact_id）が要ります。ないと読み直したときに二重に数えます。"
        )


def _unreadable(source: Source, error: SQLAlchemyError, url: sa.URL) -> str:
    # the text of a data error repeats the value that it met, which may be a customer's words
    words = "" if isinstance(error, DataError) else f": {getattr(error, 'orig', None) or type(error).__name__}"
    told = without(f"{type(error).__name__}{words}", str(url.password or ""), url.render_as_string(hide_password=False))
    return (
        f"ソース {source.name}: データベースを読めません（{told}）。"
        f"[sources.sql] の query と環境変数 {source.sql.url_env}、読み取りの権限を確かめてください。"
    )
