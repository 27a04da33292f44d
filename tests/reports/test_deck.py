import json

import pandas as pd
import pytest

from voc import tables as contract
from voc.reports.deck import answer_tile, executive_deck, interval_parts, ltv_tile
from voc.reports.deck_changes import ledger_changes

EMPTY = {"start": 0.0, "to_point": 0.0, "from_point": 0.0, "whole": 0.0, "below": 0.0}


@pytest.mark.parametrize(("low", "high", "point", "expected"), [
    (2.0, 7.0, 4.0, {"start": 2.0, "to_point": 2.0, "from_point": 3.0}),
    (2.0, 7.0, None, {"start": 2.0, "whole": 5.0}),
    (2.0, 7.0, 9.0, {"start": 2.0, "whole": 5.0}),  # a point outside of its interval is not drawn
    (-1.0, 3.0, None, {"below": -1.0, "whole": 3.0}),
    (-4.0, -1.0, None, {"start": -1.0, "below": -3.0}),
    (None, 3.0, None, {}),
    (float("nan"), float("nan"), float("nan"), {}),
])
def test_an_interval_becomes_parts_of_a_stacked_bar(low, high, point, expected):
    assert interval_parts(low, high, point) == {**EMPTY, **expected}


def test_an_interval_that_may_not_be_shown_is_not_in_the_chart():
    assert interval_parts(2.0, 7.0, 4.0, shown=False) == EMPTY


def deck(make, tables=None, *, run=None, **changes):
    slides = executive_deck(make.tables() if tables is None else tables, config=make.config(**changes), run=run or make.run())
    return {slide["kind"]: slide for slide in slides}


def test_the_bars_are_the_figures_of_impact(make):
    impact = make.tables()["impact"].set_index("issue_id")
    bars = deck(make)["issues"]["bars"]
    order = ["VOC-0001", "VOC-0003", "VOC-0002", "VOC-0006", "VOC-0004"]
    for bar, issue_id in zip(bars, order, strict=True):
        row = impact.loc[issue_id]
        assert bar["start"] + bar["to_point"] + bar["from_point"] + bar["whole"] == pytest.approx(row["churns_high"])
        assert (bar["below"] or bar["start"]) == pytest.approx(row["churns_low"])
        if bar["verdict"] == "estimate":
            assert bar["start"] + bar["to_point"] == pytest.approx(row["churns_prevented"])
        else:
            assert bar["to_point"] == 0.0


def test_without_contracts_no_slide_tells_of_prevented_churns(make):
    slides = deck(make, make.tables(with_churn=False), run=make.run(reasons=["契約の開始日と解約日がありません。"]))
    assert slides["issues"]["note"] == "防げる解約数とLTVは、今回は算出していません（理由は「判定の読み方」）。"
    assert slides["tiers"]["lines"][0] == "契約の開始日と解約日がありません。"
    assert "暫定" not in json.dumps([slides["summary"]["headlines"], slides["tiers"]["lines"]], ensure_ascii=False)
    assert slides["company"]["rates"] == []


def test_a_deck_of_nothing_says_so(make):
    slides = deck(make, {})
    assert list(slides) == ["summary", "tiers", "coverage"]
    assert slides["summary"]["headlines"][0]["sentence"] == "順位を付けられる課題は、今回は見つかりませんでした。"


def test_what_needs_care_is_told_on_the_first_slide(make):
    run = make.run() | {"settings": json.dumps({"banner": "推定は信頼できません。", "notices": ["ソース a: 空です。"]}, ensure_ascii=False)}
    slides = deck(make, run=run)
    assert slides["summary"]["warning"] == "読むときの注意 2件（最後の2枚）"
    assert "推定は信頼できません。" in slides["tiers"]["lines"]
    assert slides["coverage"]["lines"][0] == "ソース a: 空です。"
    assert deck(make)["summary"]["warning"] == ""


def test_uncalibrated_issues_are_named_so(make):
    told = "課題への割り当ては「未校正」です。どの文がどの課題の声かを、人がまだ十分に確かめていません。"
    assert told not in deck(make)["tiers"]["lines"]
    tables = {**make.tables(), "issue_calibration": contract.empty(contract.ISSUE_CALIBRATION)}
    assert told in deck(make, tables)["tiers"]["lines"]


@pytest.mark.parametrize(("rows", "expected"), [
    ([("", 900, 212_000.0), ("ライト", 400, 90_000.0)], ["21.2万円"]),
    ([("", 4, 212_000.0)], []),  # fewer than five customers
    ([("", 900, None)], []),
    ([("ライト", 400, 90_000.0)], []),
])
def test_the_ltv_is_that_of_all_customers(rows, expected):
    table = pd.DataFrame([{"plan": plan, "n_customers": n, "ltv_yen": ltv, "is_churn_given": False} for plan, n, ltv in rows])
    assert [tile["value"] for tile in ltv_tile(contract.check(table, contract.LTV_FACTORS))] == expected


def test_the_answer_rate_is_of_the_companys_own_months():
    hours = pd.to_datetime(["2026-07-31 14:00", "2026-07-31 15:00", "2026-08-10 02:00", "2026-09-10 02:00"], utc=True)
    table = pd.DataFrame({"hour_at": hours, "queue": "一次", "n_offered": [100, 10, 30, 50], "n_answered": [90, 10, 18, 0]})
    counts = contract.check(table, contract.COUNTS_BY_HOUR)
    # 15:00 UTC of 31 July is August in Japan; September has not ended by the 15th
    tile = answer_tile(counts, as_of_on=pd.Timestamp("2026-09-15"), timezone="Asia/Tokyo")[0]
    assert tile["value"] == "70.0%"
    assert tile["changes"][0] == {"label": "前月比", "text": "−20.00pt", "word": "悪化"}
    assert tile["changes"][1]["text"] == "—"
    assert answer_tile(contract.empty(contract.COUNTS_BY_HOUR), as_of_on=None, timezone="Asia/Tokyo") == []


def issues(*rows):
    frame = pd.DataFrame(rows, columns=["issue_id", "label", "status"]).assign(
        kind="要望", first_seen_at=pd.Timestamp("2026-01-01", tz="UTC"), centroid=[[0.0]] * len(rows), threshold=0.5,
        exemplar_ids=[[]] * len(rows), keywords=[[]] * len(rows), n_sentences=1)
    return contract.check(frame, contract.ISSUES)


def events(*rows):
    named = [dict(zip(("issue_id", "kind", "at", "by", "from", "to", "note"), row, strict=True)) for row in rows]
    frame = pd.DataFrame([{**row, "at": pd.Timestamp(row["at"], tz="UTC"), "event_id": f"e{n}", "position": n} for n, row in enumerate(named)])
    return contract.check(frame, contract.ISSUE_EVENTS)


def runs(*rows):
    blank = dict.fromkeys(("inputs", "versions", "models", "counts", "seconds", "settings"), "{}")
    return contract.check(pd.DataFrame([{**blank, "run_id": f"R{n}", "as_of_on": as_of, "started_at": pd.Timestamp(start, tz="UTC"),
                                         "status": status, "config_sha": "c", "seed": 1} for n, (as_of, start, status) in enumerate(rows)]), contract.RUNS)


LEDGER = issues(("VOC-0001", "連携が切れる", "open"), ("VOC-0002", "PDFを一括で出したい", "closed"), ("VOC-0003", "除いた課題", "excluded"),
                ("VOC-0004", "連携エラー", "merged"), ("VOC-0005", "新しい要望", "open"), ("VOC-0006", "分かれた課題", "open"))
HISTORY = events(
    ("VOC-0001", "birth", "2026-08-31 15:00", "voc", None, "連携が切れる", None),  # of the run before
    ("VOC-0005", "birth", "2026-09-30 15:00", "voc", None, "新しい要望", None),
    ("VOC-0006", "birth", "2026-09-30 15:00", "voc", "VOC-0001", "分かれた課題", None),  # told with its split
    ("VOC-0001", "split", "2026-09-30 15:00", "voc", "連携", "VOC-0001,VOC-0006", None),
    ("VOC-0004", "merge", "2026-09-10 03:00", "佐藤", None, "VOC-0001", None),
    ("VOC-0002", "fix", "2026-09-11 03:00", "佐藤", None, "2026-09-05", "一括ボタンを追加"),
    ("VOC-0003", "exclude", "2026-09-11 03:00", "佐藤", "open", "excluded", None),
    ("VOC-0002", "close", "2026-09-01 03:00", "佐藤", "open", "closed", None),  # before the run before had started
)
RUNS = runs(("2026-08-01", "2026-08-01 10:00", "completed"), ("2026-09-01", "2026-09-02 01:00", "completed"), ("2026-10-01", "2026-10-01 01:00", "running"))


def test_changes_are_those_since_the_report_before():
    found = ledger_changes(LEDGER, HISTORY, RUNS, run={"as_of_on": pd.Timestamp("2026-10-01")}, timezone="Asia/Tokyo")
    assert found["lead"] == "前回（分析基準日 2026年9月1日）からの課題の台帳の変化です。"
    assert [(group["word"], group["n"], group["lines"]) for group in found["groups"]] == [
        ("新しい課題", 1, ["「新しい要望」"]),
        ("分けた課題", 1, ["「連携が切れる」"]),
        ("統合した課題", 1, ["「連携エラー」を「連携が切れる」へ"]),
        ("行った対応", 1, ["「PDFを一括で出したい」2026年9月5日 一括ボタンを追加"]),
        ("除外した課題", 1, []),
    ]


def test_the_first_report_claims_no_change():
    first = ledger_changes(LEDGER, HISTORY, RUNS, run={"as_of_on": pd.Timestamp("2026-08-01")}, timezone="Asia/Tokyo")
    assert first["groups"] == []
    assert first["lead"] == "今回が最初のレポートです。4件の課題を見つけました。変化は次回から示します。"


def test_more_changes_than_fit_are_counted():
    ledger = issues(*((f"VOC-{n:04d}", f"課題{n}", "open") for n in range(1, 6)))
    born = events(*((f"VOC-{n:04d}", "birth", "2026-09-30 15:00", "voc", None, "x", None) for n in range(1, 6)))
    group = ledger_changes(ledger, born, RUNS, run={"as_of_on": pd.Timestamp("2026-10-01")}, timezone="Asia/Tokyo")["groups"][0]
    assert (group["n"], len(group["lines"]), group["rest"]) == (5, 3, 2)


def test_expected_and_real_effects_stand_where_they_were_measured(make):
    effects = pd.DataFrame([
        {"action_id": "A1", "issue_id": "VOC-0004", "done_on": pd.Timestamp("2026-03-10"), "contact_ratio": 0.42, "low": 0.33, "high": 0.55,
         "promised_churns": 5.1, "realised_churns": 3.0, "realised_share": 0.58, "churn_mde": 41.0, "note": None},
        {"action_id": "A2", "issue_id": "VOC-0001", "done_on": pd.Timestamp("2026-08-10"), "contact_ratio": None, "low": None, "high": None,
         "promised_churns": 8.6, "realised_churns": None, "realised_share": None, "churn_mde": None, "note": "対応の後の期間が足りません。"}])
    slide = deck(make, {**make.tables(), "fix_effects": effects})["fixes"]
    assert slide["rows"][1] == {"label": "電話がつながらない", "done": "2026/3/10", "contacts": "−58%（−67〜−45%）", "promised": "5.1名",
                                "realised": "3.0名（58%）", "note": ""}
    assert slide["rows"][0]["contacts"] == slide["rows"][0]["realised"] == "—"
    assert "月41名以上でないと検出できません" in slide["note"]
    assert "fixes" not in deck(make)
