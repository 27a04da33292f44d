"""The daily and the weekly page: what they show, that they say so where there is nothing, and that hostile text stays text."""

import re

import pandas as pd
import pytest

from tests.reports.test_html import ALLOWED_TAGS, HOSTILE, Page
from voc import tables as contract
from voc.reports.html import write_daily, write_weekly
from voc.reports.periods import daily_report, weekly_report

AS_OF = pd.Timestamp("2026-08-14")  # the fixture's voices are of 1 to 11 August


def told(make, tables, *, report):
    return report(tables, config=make.config(), run=make.run() | {"as_of_on": AS_OF})


def runs(as_of="2026-08-13"):
    blank = dict.fromkeys(("inputs", "versions", "models", "counts", "seconds", "settings"), "{}")
    return contract.check(pd.DataFrame([{**blank, "run_id": "R0", "as_of_on": as_of, "started_at": pd.Timestamp(as_of, tz="UTC"), "status": "completed",
                                         "config_sha": "c", "seed": 1}]), contract.RUNS)


def born(*ids, at="2026-08-13 15:00"):
    return contract.check(pd.DataFrame([{"event_id": f"e{n}", "position": n, "issue_id": one, "kind": "birth", "at": pd.Timestamp(at, tz="UTC"), "by": "voc"}
                                        for n, one in enumerate(ids)]), contract.ISSUE_EVENTS)


def test_a_day_shows_growing_issues_alone_with_their_last_voices(make):
    day = told(make, make.tables(), report=daily_report)
    assert [(row["issue_id"], row["word"]) for row in day["rows"]] == [("VOC-0001", "増えている")]
    assert len(day["rows"][0]["quotes"]) == 2 and "銀行口座" in day["rows"][0]["quotes"][0]["text"] + day["rows"][0]["quotes"][1]["text"]


def test_a_day_shows_issues_that_were_born_since_the_report_before(make):
    day = told(make, make.tables() | {"runs": runs(), "issue_events": born("VOC-0005", "VOC-0001")}, report=daily_report)
    assert [(row["issue_id"], row["is_new"]) for row in day["rows"]] == [("VOC-0005", True), ("VOC-0001", True)]
    old = told(make, make.tables() | {"runs": runs(), "issue_events": born("VOC-0005", at="2026-08-01 15:00")}, report=daily_report)
    assert [row["issue_id"] for row in old["rows"]] == ["VOC-0001"]


def test_a_quiet_day_says_so(make, tmp_path):
    quiet = make.tables() | {"issue_trends": contract.empty(contract.ISSUE_TRENDS)}
    text = write_daily(quiet, tmp_path, config=make.config(), run=make.run()).read_text(encoding="utf-8")
    assert "該当なし。" in text and "今回が最初のレポートです。" in text
    assert "blockquote" not in Page(text).tags


def test_a_week_counts_the_last_seven_days_of_the_companys_own_time(make):
    week = told(make, make.tables(), report=weekly_report)
    contacts = make.tables()["contacts"]
    days = contacts["started_at"].dt.tz_convert("Asia/Tokyo").dt.tz_localize(None).dt.normalize()
    now, before = ((days >= AS_OF - pd.Timedelta(days=n)) & (days < AS_OF - pd.Timedelta(days=n - 7)) for n in (7, 14))
    whole = week["contacts"][-1]
    assert (whole["channel"], whole["n_now"], whole["n_before"]) == ("合計", int(now.sum()), int(before.sum()))
    asked = contacts["channel"] != "survey"
    assert f"問い合わせ（アンケートなどを除く）は{int((now & asked).sum())}件（前の週 {int((before & asked).sum())}件）" in week["sentence"]
    first = week["top"][0]
    mentions = make.tables()["mentions"].merge(contacts[now], on="contact_id")
    assert first["now"] == f"{mentions.loc[mentions['issue_id'] == first['issue_id'], 'contact_id'].nunique()}件"


def test_a_week_warns_of_what_came_back_and_what_is_late(make):
    tables = make.tables()
    tables["issue_trends"] = tables["issue_trends"].assign(state=["reopened", "steady", "steady"])
    tables["issues"] = tables["issues"].assign(due_on=[AS_OF - pd.Timedelta(days=1)] + [AS_OF + pd.Timedelta(days=1)] * 9, owner=["開発部"] * 10)
    week = told(make, tables, report=weekly_report)
    assert any("再び寄せられています" in line for line in week["alerts"])
    late = [line for line in week["alerts"] if "期限" in line]
    assert late == ["「銀行口座の連携が切れて明細が取り込まれない」の期限（2026年8月13日）を過ぎています。担当: 開発部。"]
    assert told(make, make.tables(), report=weekly_report)["alerts"] == []


def test_both_pages_of_nothing_are_written(make, tmp_path):
    for write in (write_daily, write_weekly):
        text = write({}, tmp_path, config=make.config(), run=make.run()).read_text(encoding="utf-8")
        assert set(Page(text).tags) <= ALLOWED_TAGS
        assert "該当なし" in text


@pytest.mark.parametrize("write", [write_daily, write_weekly])
def test_hostile_text_stays_text(make, tmp_path, write):
    tables = make.tables() | {"runs": runs(), "issue_events": born("VOC-0005", "VOC-0002")}
    n = len(tables["sentences"])
    tables["sentences"]["text"] = pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(n)], dtype="str")
    tables["issues"] = tables["issues"].assign(label=[HOSTILE[i % len(HOSTILE)] for i in range(10)], owner=HOSTILE[0], due_on=pd.Timestamp("2020-01-01"))
    tables["contacts"]["channel"] = HOSTILE[1]
    run = make.run(notices=[HOSTILE[2]]) | {"as_of_on": AS_OF}
    page = Page(text := write(tables, tmp_path, config=make.config(company={"name": HOSTILE[1]}), run=run).read_text(encoding="utf-8"))
    assert set(page.tags) <= ALLOWED_TAGS and len(page.scripts) == 1 and "alert" not in page.scripts[0]
    assert not {name for _, name, _ in page.attributes if name.startswith("on")}
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", text) and "あ" * 201 not in text
    assert "<script>" in "".join(page.text) or "onerror" in "".join(page.text)


def test_every_inner_link_has_its_place(make, tmp_path):
    for write in (write_daily, write_weekly):
        page = Page(write(make.tables(), tmp_path, config=make.config(), run=make.run()).read_text(encoding="utf-8"))
        ids = [value for _, name, value in page.attributes if name == "id"]
        links = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
        assert len(ids) == len(set(ids)) and links <= set(ids)
