"""What a person must hear of: silence and changed columns."""

import pandas as pd
import pytest

from voc.notices import changed_columns, silent_sources
from voc.sources.watermarks import column_marks

KEY = b"0123456789abcdef"


def said(**days):
    rows = [(name, pd.Timestamp(day, tz="Asia/Tokyo")) for name, own in days.items() for day in own]
    return pd.DataFrame(rows, columns=["source", "started_at"])


def daily(start, end):
    return pd.date_range(start, end, freq="D").strftime("%Y-%m-%d")


@pytest.mark.parametrize(("days", "expected"), [
    ({"a": daily("2026-04-01", "2026-04-30"), "b": daily("2026-04-01", "2026-04-30")}, []),
    ({"a": daily("2026-04-01", "2026-04-20"), "b": daily("2026-04-01", "2026-04-30")}, ["a"]),
    ({"a": daily("2026-04-01", "2026-04-27"), "b": daily("2026-04-01", "2026-04-30")}, []),  # a long weekend
    ({"a": ["2026-01-05"], "b": daily("2026-04-01", "2026-04-30")}, []),  # a survey of once a year
    ({"a": pd.date_range("2026-01-01", "2026-04-09", freq="7D").strftime("%Y-%m-%d"), "b": daily("2026-04-01", "2026-04-30")}, []),
    ({}, []),
])  # fmt: skip
def test_a_regular_source_that_fell_silent(days, expected):
    told = silent_sources(said(**days), ["a", "b"], timezone="Asia/Tokyo")
    assert [line.split(":")[0].removeprefix("ソース ") for line in told] == expected


def test_silence_is_told_with_its_last_day():
    told = silent_sources(said(a=daily("2026-04-01", "2026-04-20"), b=daily("2026-04-01", "2026-04-30")), ["a"], timezone="Asia/Tokyo")
    assert "2026-04-20 を最後に、10 日間" in told[0]


def test_changed_columns_are_named_and_no_stored_mark_tells_them():
    known = set(column_marks(["回答日時", "ご意見", "年代"], key=KEY).values())
    told = changed_columns(known, ["回答日時", "自由記述", "年代"], mapped=["回答日時", "ご意見"], file="v.csv", source="s", key=KEY)
    assert "増えた列: 自由記述" in told and "なくなった列: 1 列（設定で使っている ご意見 を含みます）" in told and "v.csv" in told
    assert not any(word in "".join(known) for word in ("回答日時", "ご意見"))
    assert known.isdisjoint(column_marks(["回答日時"], key=b"another key 0000").values())


@pytest.mark.parametrize("columns", [["回答日時", "ご意見"], ["ご意見", "回答日時"]])
def test_the_same_columns_and_a_first_file_tell_nothing(columns):
    known = set(column_marks(["回答日時", "ご意見"], key=KEY).values())
    assert changed_columns(known, columns, mapped=[], file="v.csv", source="s", key=KEY) is None
    assert changed_columns(set(), columns, mapped=[], file="v.csv", source="s", key=KEY) is None
