import pandas as pd
import pytest

from voc.alerts import COOL_DAYS, merge_alerts, raise_alerts
from voc.erasure import Gone, without
from voc.tables import ALERTS, CONTACTS, CUSTOMER_HEALTH, ISSUE_TRENDS, ISSUES, REJECTS, check, empty

DAY = pd.Timestamp("2026-11-01")
NONE = {"rows_before": {}, "rows_now": {}}


def tables(**given):
    known = {"alerts": ALERTS, "issue_trends": ISSUE_TRENDS, "issues": ISSUES, "customer_health": CUSTOMER_HEALTH, "contacts": CONTACTS, "rejects": REJECTS}
    return {name: given.get(name, empty(table)) for name, table in known.items()}


def raised(given, *, day=DAY, before=None, sources=(), today=None, **rows):
    given = {**given, "alerts": empty(ALERTS) if before is None else before}
    return raise_alerts(given, sources=sources, as_of_on=day, today=day if today is None else today, timezone="Asia/Tokyo", **(rows or NONE))


def issue(label="ログインできない", kind="不具合"):
    return check(pd.DataFrame([{"issue_id": "VOC-0001", "label": label, "kind": kind, "status": "open", "first_seen_at": pd.Timestamp("2026-01-01", tz="UTC"),
                                "centroid": [0.0], "threshold": 0.5, "exemplar_ids": [], "keywords": [], "n_sentences": 3}]), ISSUES)  # fmt: skip


def trend(state="emerging"):
    return check(pd.DataFrame([{"issue_id": "VOC-0001", "state": state, "n_recent": 20, "expected": 8.0, "ratio": 2.5, "ratio_low": 1.4, "ratio_high": 4.1,
                                "q_value": 0.01, "weeks": [1.0], "evidence": "x"}]), ISSUE_TRENDS)  # fmt: skip


def health(*at_risk, customers=("K1", "K2")):
    return check(pd.DataFrame([{"customer_id": name, "as_of_on": DAY, "ltv_yen": 120000.0, "score": 55.0, "band": "危険", "reasons": ["お客様の言葉"],
                                "issue_id": "VOC-0001", "is_at_risk": name in at_risk} for name in customers]), CUSTOMER_HEALTH)  # fmt: skip


def contacts(source, days, nps=None):
    rows = [{"contact_id": f"{source}{i}", "channel": "call", "started_at": pd.Timestamp(day, tz="UTC"), "source": source, "source_row": str(i),
             "content_sha": "x", "nps": None if nps is None else nps[i]} for i, day in enumerate(days)]  # fmt: skip
    return check(pd.DataFrame(rows), CONTACTS)


def test_an_issue_that_grows_is_told_with_its_interval_and_leads_to_the_report():
    row = raised(tables(issues=issue(), issue_trends=trend())).iloc[0]
    assert row["alert_id"] == "issue_emerging:VOC-0001:2026-11-01" and row["is_open"]
    assert row["text"] == "増えている課題「ログインできない」（VOC-0001）：直近4週は20件で、見込まれる8.0件の2.5倍です（90%区間 1.4〜4.1倍）。"
    assert list(row["evidence"]) == ["VOC-0001", "product.html#VOC-0001"]


@pytest.mark.parametrize(("state", "kind"), [("steady", "不具合"), ("fading", "不具合"), ("falling_since_fix", "不具合"), ("emerging", "称賛")])
def test_what_is_no_trouble_is_not_told(state, kind):
    assert raised(tables(issues=issue(kind=kind), issue_trends=trend(state))).empty


def test_only_who_is_newly_at_risk_is_new_and_no_word_of_the_customer_is_told():
    first = raised(tables(issues=issue(), customer_health=health("K1")))
    both = raised(tables(issues=issue(), customer_health=health("K1", "K2")), day=DAY + pd.Timedelta(days=1), before=first)
    assert dict(zip(both["subject"], both["raised_on"], strict=True)) == {"K1": DAY, "K2": DAY + pd.Timedelta(days=1)}
    assert "LTV 120,000円" in first["text"][0] and "お客様の言葉" not in "".join(both["text"])
    assert first["value_yen"][0] == 120000.0


def test_the_same_night_again_changes_nothing():
    given = tables(issues=issue(), issue_trends=trend(), customer_health=health("K1"))
    once = raised(given)
    pd.testing.assert_frame_equal(raised(given, before=once), once)


@pytest.mark.parametrize(("pause", "n"), [(1, 1), (COOL_DAYS, 1), (COOL_DAYS + 1, 2)])
def test_what_comes_back_soon_is_the_same_alert(pause, n):
    given = tables(issues=issue(), issue_trends=trend())
    once = raised(given)
    closed = raised(tables(), day=DAY + pd.Timedelta(hours=12), before=once)
    assert not closed["is_open"].any() and len(closed) == 1
    again = raised(given, day=DAY + pd.Timedelta(days=pause), before=closed)
    assert len(again) == n and again["is_open"].sum() == 1


def test_a_source_that_ended_while_all_ended_is_told_by_the_day_that_is():
    daily = contacts("calls", pd.date_range("2026-08-01", "2026-10-20"))
    assert raised(tables(contacts=daily), sources=["calls"], today=pd.Timestamp("2026-10-22")).empty
    row = raised(tables(contacts=daily), sources=["calls"], today=pd.Timestamp("2026-10-31")).iloc[0]
    assert row["alert_id"].startswith("source_silent:calls:") and "2026-10-20を最後に11日間" in row["text"]


@pytest.mark.parametrize("pause", [1, 40, 400])
def test_what_is_still_open_is_the_same_alert_however_long_no_run_was(pause):
    given = tables(issues=issue(), issue_trends=trend())
    once = raised(given)
    again = raised(given, day=DAY + pd.Timedelta(days=pause), before=once)
    assert again["alert_id"].tolist() == once["alert_id"].tolist() and again["raised_on"].item() == DAY


def test_a_folder_that_was_numbered_anew_was_read_and_raises_nothing():
    told = check(pd.DataFrame([{"source": "mails", "source_row": "", "stage": "renumbered", "reason": "UIDVALIDITY"}]), REJECTS)
    assert raised(tables(rejects=told), sources=["mails"]).empty


@pytest.mark.parametrize("stage", ["read", "parse"])
def test_a_source_that_cannot_be_read_is_told_at_once_without_the_servers_words(stage):
    fault = check(pd.DataFrame([{"source": "mails", "source_row": "", "stage": stage, "reason": "password=sekret"}]), REJECTS)
    row = raised(tables(rejects=fault), sources=["mails"]).iloc[0]
    assert row["subject"] == "mails" and "sekret" not in row["text"]


@pytest.mark.parametrize(("before", "now", "is_told"), [
    ([1000, 10], [1080, 30], True),   # 20 of 100, 1 % before
    ([1000, 10], [1990, 20], False),  # as ever
    ([1000, 200], [1080, 220], False),  # 20 of 100, 17 % before
    ([1000, 10], [1010, 15], False),  # few
    ([1000, 10], [400, 30], True),    # old rows were removed, all new ones are rejected
    ([0, 0], [80, 20], False),        # nothing to compare with
])  # fmt: skip
def test_rejects_that_rose_surely(before, now, is_told):
    found = raised(tables(), rows_before={"s": before}, rows_now={"s": now})
    assert (found["kind"].tolist() == ["rejects_up"]) is is_told


def test_an_nps_drop_names_its_interval_and_is_one_alert_a_month():
    days = [day for month in range(5, 11) for day in pd.date_range(f"2026-{month:02d}-01", periods=25)] + list(pd.date_range("2026-11-01", periods=25))
    given = tables(contacts=contacts("s", days, [10 if i % 2 else 8 for i in range(150)] + [3] * 25))
    once = raised(given, day=pd.Timestamp("2026-12-02"))
    assert once["alert_id"].tolist() == ["nps_drop:nps:2026-11"] and "95%区間" in once["text"][0]
    assert raised(given, day=pd.Timestamp("2026-12-20"), before=once)["alert_id"].tolist() == once["alert_id"].tolist()


def test_a_hostile_label_stays_inert_in_the_alert():
    row = raised(tables(issues=issue(label="<!channel>\n【重大】嘘"), issue_trends=trend())).iloc[0]
    assert "\n" not in row["text"] and "<" not in row["text"]


def test_only_the_given_rows_are_closed():
    two = raised(tables(issues=issue(), issue_trends=trend(), customer_health=health("K1")))
    left = merge_alerts(two, [], day=DAY, closing=two["kind"] == "issue_emerging")
    assert dict(zip(left["kind"], left["is_open"], strict=True)) == {"customer_at_risk": True, "issue_emerging": False}


def test_an_erased_customer_leaves_the_alerts():
    both = raised(tables(issues=issue(), customer_health=health("K1", "K2")))
    assert without(both, "alerts", Gone(customers=frozenset({"K1"})))["subject"].tolist() == ["K2"]
