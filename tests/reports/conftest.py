"""Small plausible tables for report tests: ten issues across the tiers, one company, eighteen months."""

import json
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from voc import tables as contract
from voc.config import Config, Source
from voc.impact.retention import EXPOSED, OTHERS
from voc.impact.silent import silent_estimate

MONTHS = pd.date_range("2025-04-01", periods=18, freq="MS")
RUN_JSON = {
    "inputs": {"calls": {"files": 3, "sha256": "9f2c41d07be3" + "0" * 52}, "mail": {"files": 0, "sha256": "e3b0c44298fc" + "0" * 52}},
    "versions": {"voc": "0.1.0", "python": "3.11.9", "pandas": "3.1.1"},
    "models": {"e5": {"e5-small-q4.bin": "1571fc982750" + "0" * 52}},
    "counts": {  # every key that a run writes (tests/flows/test_run_words.py)
        "read": 3, "new": 640, "replaced": 4, "expired": {"contacts": 12, "turns": 88}, "parse": 21790, "turns": 61200,
        "mask": {"PERSON": 2100, "PHONE": 1212, "n_sentences": 3000, "n_sentences_for_names": 41, "n_texts": 2400, "n_texts_for_names": 60},
        "contacts_by_channel": {"call": 12000, "chat": 1790, "email": 6000, "survey": 2000}, "customers": 9800, "rejects": 17,
        "duplicates": 31, "episodes": 15020, "unmatched_customers": 9, "contacts_without_customer": 410,
        "orders_left_out": 3, "customers_without_order": 25, "new_turns": 2400, "new_texts": 900, "decided_quickly": 410,
        "new_wishes": 300, "new_vectors_use": 900, "new_vectors_e5": 490, "sentences": 38366,
        "set_aside": {"backchannel": 5120, "courtesy": 1000, "greeting": 2000}, "without_content": 36, "voices": 30210,
        "opinions": {"complaint": 11000, "other": 9210, "question": 10000}, "requests": 1200,
        "calls": {"resolved": 8000, "unknown": 4000}, "issues": 10, "unassigned": 4230, "unassigned_share": 0.14,
        "decisions": {"contrasts": 0, "drivers": 7, "recommendations": 1}, "rows_by_source": {"calls": [21790, 17]},
        "alerts": {"open": 6, "new": 2, "sent": {"mail": 2, "file": 2}, "failed_channels": 1},
    },
    "seconds": {"parse": 31.2, "mask": 88.0, "impact": 63.4},
    "settings": {"reasons": []},
}
# id, label, kind, tier, flag, point, low, high, shrunken, events, ltv 万円, contacts, cost 万円, deflectable shares, months
ISSUES = [
    ("VOC-0001", "銀行口座の連携が切れて明細が取り込まれない", "不具合", "推定値", "", 8.62, 6.1, 11.3, 6.9, 58, 223, 96, 41.2, 0.1, 0.3, None),
    ("VOC-0002", "請求書PDFをまとめてダウンロードしたい", "要望", "推定値", "", 4.2, 1.9, 6.7, 3.1, 31, 96.4, 48, 15.7, 0.0, 0.1, None),
    ("VOC-0003", "料金改定への不満", "料金", "推定値", "", 5.9, 2.4, 9.8, 4.0, 40, 121, 51, 25.0, 0.1, 0.3, None),
    ("VOC-0004", "電話がつながらない", "対応", "推定値", "", 0.2, -0.8, 1.1, 0.1, 27, 4, 80, 6.4, 0.1, 0.2, None),
    ("VOC-0005", "多段階の承認フローを追加してほしい", "要望", "参考値", "", 1.4, 0.2, 3.1, 0.9, 9, 48, 14, 5.3, 0.0, 0.1, None),
    ("VOC-0006", "適格請求書の登録番号をどこに入力するか", "使い方", "推定値", "", -0.1, -1.2, 0.9, 0.0, 44, -2, 132, 38.8, 0.5, 0.8, None),
    ("VOC-0007", "外貨建ての請求書を出したい", "要望", "データ不足", "insufficient", None, None, None, None, 2, None, 6, 1.9, 0.0, 0.1, 14),
    ("VOC-0008", "解約・退会の手続きを知りたい", "解約", "データ不足", "reverse", None, None, None, None, 120, None, 60, 19.0, 0.0, 0.0, None),
    ("VOC-0009", "画面が見やすく経理の時間が減った", "称賛", "推定値", "protective", -2.0, -3.4, -0.7, -1.2, 22, None, 55, 0.4, 0.0, 0.0, None),
    ("VOC-0010", "CSV出力が文字化けする", "不具合", "参考値", "", 0.5, -0.6, 1.9, 0.2, 12, 14, 33, 0.98, 0.1, 0.3, None),
]
VOICES = {
    "VOC-0001": ["昨日から銀行口座の連携が切れてしまい、明細がまったく取り込まれません。", "再認証を求められ続けて、経理が止まっています。",
                 "連携が月に三回も切れるので、手入力に戻しました。"],
    "VOC-0002": ["請求書を1枚ずつ保存するのに毎月半日かかっています。", "PDFをまとめてダウンロードできるようにしてください。",
                 "取引先が200社あるので、一括で出せないと使い続けられません。"],
}


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders: make.tables(with_churn=...), make.decided() (tables with those on decisions), make.run(...), make.config(...)."""
    return SimpleNamespace(tables=report_tables, decided=decided_tables, run=report_run, config=report_config)


def issue_tables(*, with_churn: bool = True) -> dict[str, pd.DataFrame]:
    names = ("issue_id label kind tier flag churns_prevented churns_low churns_high churns_shrunken n_exposed_events ltv "
             "n_contacts cost dl dh months_to_answer").split()
    wide = pd.DataFrame(ISSUES, columns=names)
    start = pd.Timestamp("2025-04-01")
    issues = wide[["issue_id", "label", "kind"]].assign(
        status="open", first_seen_at=start.tz_localize("UTC"), centroid=[[0.0]] * len(wide), threshold=0.5,
        parent=["連携", "請求書", None, "サポート", "承認", "請求書", "請求書", "契約", "画面", "CSV"],
        exemplar_ids=[[]] * len(wide), keywords=[["連携", "明細"]] * len(wide), n_sentences=40)
    cost = wide["cost"] * 1e4
    impact = wide.drop(columns=["label", "kind", "ltv", "cost", "dl", "dh"]).assign(
        period_start_on=start, period_end_on=pd.Timestamp("2026-09-30"), e_value=2.4, badge=None,
        ltv_yen=wide["ltv"] * 1e4, ltv_low_yen=wide["ltv"] * 6e3, ltv_high_yen=wide["ltv"] * 1.5e4,
        n_customers=[310, 150, 170, 260, 41, 420, 3, 190, 160, 88], contact_cost_yen=cost, repeat_cost_yen=cost * 0.18,
        deflectable_low_yen=cost * wide["dl"], deflectable_high_yen=cost * wide["dh"])
    impact.loc[impact["issue_id"] == "VOC-0001", "badge"] = "頑健"
    if not with_churn:
        gone = [c for c in impact if c.startswith(("churns", "ltv")) or c in ("e_value", "months_to_answer")]
        impact[gone] = np.nan
        impact = impact.assign(tier="データ不足", n_exposed_events=0.0, flag="insufficient")
    order = [1, 3, 2, 6, 4, 5, 10, 7]
    ranking = pd.concat([pd.DataFrame({
        "issue_id": [f"VOC-{n:04d}" for n in order], "audience": audience, "rank": range(1, 9),
        "rank_low": [1, 1, 2, 3, 4, 4, 6, 7], "rank_high": [2, 3, 4, 5, 6, 7, 8, 8], "top5_share": 0.5, "score_yen": 1.0,
        "reason": "慎重に見たLTVと問い合わせコストの合計による順位です。"}) for audience in ("product", "executive")])
    return {"issues": issues, "impact": impact, "ranking": ranking}


def voice_tables() -> dict[str, pd.DataFrame]:
    contacts, turns, sentences, mentions, opinions = [], [], [], [], []
    channels = ["call", "email", "chat", "survey"]
    for i, (issue_id, label, *_) in enumerate(ISSUES):
        texts = VOICES.get(issue_id, [f"{label}という件で困っています（{n}回目の連絡です）。" for n in (1, 2, 3)]) + ["短い文です。"] * 2
        for j, text in enumerate(texts * 2):
            name = f"{i:02d}-{j:02d}"
            contacts.append({"contact_id": f"c{name}", "customer_id": f"u{i}{j % 7}", "channel": channels[(i + j) % 4],
                             "started_at": pd.Timestamp("2026-07-31 18:00", tz="UTC") + pd.Timedelta(days=j), "source": "demo",
                             "source_row": name, "content_sha": name, "nps": (3.0 if i % 2 else 9.0)})
            turns.append({"turn_id": f"t{name}", "contact_id": f"c{name}", "position": 0, "speaker": "customer", "text": text})
            sentences.append({"sentence_id": f"s{name}", "turn_id": f"t{name}", "contact_id": f"c{name}", "position": 0,
                              "start": 0, "end": len(text), "text": text, "terms": []})
            mentions.append({"issue_id": issue_id, "sentence_id": f"s{name}", "contact_id": f"c{name}",
                             "customer_id": f"u{i}{j % 7}", "mentioned_at": contacts[-1]["started_at"],
                             "probability": 0.95 - 0.02 * j})
            opinions.append({"sentence_id": f"s{name}", "p_negative": 0.7 if j % 4 else 0.1, "p_neutral": 0.2, "p_positive": 0.1,
                             "polarity": "negative", "strength": -0.6, "p_complaint": 0.6, "p_request": 0.1, "p_question": 0.1,
                             "p_praise": 0.0, "p_cancel": 0.0, "p_other": 0.2, "intent": "complaint", "flags": [],
                             "is_abstained": False})
    requests = [{"sentence_id": f"s01-{j:02d}", "phrase": "請求書PDFを一括で出力できる", "change": "追加", "is_implied": False}
                for j in range(8)]
    found = {"contacts": contacts, "turns": turns, "sentences": sentences, "mentions": mentions, "opinions": opinions,
             "requests": requests}
    return {name: pd.DataFrame(rows) for name, rows in found.items()}


def month_tables(*, with_churn: bool = True) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(7)
    rows, shares = [], []
    groups = [("plan", "ライト", 0.45), ("plan", "スタンダード", 0.40), ("plan", "プレミアム", 0.15),
              ("segment", "個人事業", 0.50), ("segment", "小規模法人", 0.35), ("segment", "中堅企業", 0.15)]
    for i, (issue_id, *_rest) in enumerate(ISSUES):
        level, cost = _rest[10], _rest[11]
        drift = np.linspace(0.75, 1.3 if i % 3 else 0.9, len(MONTHS))
        for month_on, n in zip(MONTHS, random.poisson(level * drift), strict=True):
            rows.append({"issue_id": issue_id, "month_on": month_on, "n_contacts": float(n), "n_customers": int(n * 0.9),
                         "contact_cost_yen": cost * 1e4})
        for g, (attribute, value, base) in enumerate(groups):
            share = min(0.9, base * (0.6 + ((i * 5 + g * 3) % 7) * 0.28))
            shares.append({"issue_id": issue_id, "attribute": attribute, "value": value, "base_share": base, "share": share,
                           "n_customers": 3 if (i + g) % 11 == 4 else 40})
    n = len(MONTHS)
    season = 1 + 0.12 * np.sin(np.arange(n) / 12 * 2 * np.pi)
    company = pd.DataFrame({
        "month_on": MONTHS, "n_customers": 9800 + np.arange(n) * 22, "n_churned": (240 * season).astype(int),
        "churn_share": 0.0245 * season, "mrr_yen": 1.2e8, "mrr_lost_yen": 2.4e6, "mrr_churn_share": 0.0198 * season,
        "n_contacts": (1180 * season + random.normal(0, 40, n)).astype(int), "contact_cost_yen": 4.1e6 * season,
        "nps": -6 + np.arange(n) * 0.5, "n_nps": 140})
    if not with_churn:
        company = company.assign(churn_share=np.nan, mrr_yen=np.nan, mrr_lost_yen=np.nan, mrr_churn_share=np.nan, n_churned=0)
    return {"issue_months": pd.DataFrame(rows), "issue_segments": pd.DataFrame(shares), "company_months": company}


def report_tables(*, with_churn: bool = True) -> dict[str, pd.DataFrame]:
    """Checked tables, the test's own; without churn, as from a survey of a shop that has no contracts."""
    return {name: frame.copy() for name, frame in _report_tables(with_churn=with_churn).items()}


@cache
def _report_tables(*, with_churn: bool) -> dict[str, pd.DataFrame]:
    found = {**issue_tables(with_churn=with_churn), **voice_tables(), **month_tables(with_churn=with_churn)}
    found["impact_totals"] = contract.empty(contract.IMPACT_TOTALS)
    if with_churn:
        found["impact_totals"] = pd.DataFrame([{
            "scope": "top5", "n_issues": 5, "churns_prevented": 17.3, "churns_low": 12.4, "churns_high": 22.9,
            "ltv_yen": 4.31e6, "ltv_low_yen": 3.0e6, "ltv_high_yen": 5.9e6, "contact_cost_yen": 1.27e6, "note": None}])
    found["rejects"] = pd.DataFrame(
        [("calls.csv", str(i), "parse", "開始日時を読み取れません（「不明」）。") for i in range(14)]
        + [("mail.mbox", str(i), "read", "本文が空です。") for i in range(3)], columns=["source", "source_row", "stage", "reason"])
    found["issue_calibration"] = pd.DataFrame([
        {"issue_id": "*", "intercept": 0.1, "slope": 0.9, "n_labels": 0, "labelled_at": pd.Timestamp("2026-09-01", tz="UTC")},
        {"issue_id": "VOC-0001", "intercept": 0.2, "slope": 0.9, "n_labels": 280, "labelled_at": pd.Timestamp("2026-09-01", tz="UTC")}])
    told = "直近4週は30件で、それまでの割合と声全体の量から見込まれる12.0件の2.5倍です（90%区間 1.7〜3.5倍）。"
    found["issue_trends"] = pd.DataFrame([
        {"issue_id": issue_id, "state": state, "n_recent": 30, "expected": 12.0, "ratio": 2.5, "ratio_low": 1.7, "ratio_high": 3.5,
         "q_value": 0.01, "weeks": [3.0] * 22 + [7.0] * 4, "evidence": told}
        for issue_id, state in (("VOC-0001", "emerging"), ("VOC-0002", "falling_since_fix"), ("VOC-0003", "steady"))])
    return {name: contract.check(frame, contract.TABLES[name]) for name, frame in found.items()}


def decided_tables(*, n_confirmed: int = 0) -> dict[str, pd.DataFrame]:
    """The tables of `report_tables` with those on controls, reverse issues, sensitivity, decisions, NPS,
    contrasts, those who stay and customers who do not tell."""
    return {name: frame.copy() for name, frame in _decided_tables(n_confirmed=n_confirmed).items()}


@cache
def _decided_tables(*, n_confirmed: int) -> dict[str, pd.DataFrame]:
    lines = {"影響期間 3 か月": (7.9, 5.5, 10.4), "影響期間 6 か月": (8.8, 6.0, 11.9), "初回の問い合わせのみ": (6.1, 3.9, 8.4), "利用状況で調整しない": None}
    sensitivity = [{"issue_id": issue_id, "line": line, **({} if told is None else dict(zip(("churns_prevented", "churns_low", "churns_high"), told, strict=True)))}
                   for issue_id in ("VOC-0001", "VOC-0004", "VOC-0005") for line, told in lines.items()]
    advice = {"stance": "守り", "owner": "開発", "is_owner_given": False, "action": "再現条件を確かめて原因を直します。", "target_from": 96.0, "target_to": 48.0,
              "target_unit": "問い合わせ（月・件）", "due_on": pd.Timestamp("2027-01-01"), "is_due_given": True, "basis": "防げる解約は慎重に見て毎月 6.9 名。"}
    option = {"option_id": "bulk", "option_name": "一括ダウンロード", "similarity": 0.61, "n_customers": 40, "n_on_plan": 28, "n_other_plan": 10,
              "plans": ["プレミアム"], "words": "ご要望に近い機能があります。"}
    driver = {"effect": -20.0, "low": -30.0, "high": -8.0, "n_scores": 60, "leave_one_out": 4.2}
    contrast = {"share": 0.24, "other_share": 0.11, "ratio": 2.2, "low": 1.5, "high": 3.1, "n_customers": 48, "n_group": 200, "n_others": 800}
    found = {
        "impact_controls": [
            {"issue_id": issue_id, "is_confirmed": place < n_confirmed, "is_proposed": True, "log_odds": b, "log_odds_se": 0.2,
             "churns_prevented": 0.1, "churns_low": -0.8, "churns_high": 0.9}
            for place, (issue_id, b) in enumerate((("VOC-0004", 0.1), ("VOC-0006", 0.6), ("VOC-0010", -0.1)))],
        "impact_reverse": [
            {"issue_id": "VOC-0008", "basis": "時期", "is_overruled": False, "churn_share": 0.62, "n_churns": 74.0, "later_churn_share": 0.012},
            {"issue_id": "VOC-0003", "basis": "課題名", "is_overruled": True, "churn_share": 0.5, "n_churns": 3.0, "later_churn_share": 0.2}],
        "impact_sensitivity": sensitivity,
        "recommendations": [{"issue_id": "VOC-0001", **advice}],
        "option_matches": [{"issue_id": "VOC-0002", **option}],
        "faq_triage": [{"issue_id": "VOC-0006", "state": "no_article", "n_contacts": 132.0, "yen_low": 1.9e5, "yen_high": 3.1e5,
                        "evidence": "答えになる FAQ 記事がありません。"}],
        "drivers": [{"measure": measure, "issue_id": f"VOC-{n:04d}", "n_customers": 40 + n, "gain": gain, "gain_low": gain - 2.0, "gain_high": gain + 2.0, **driver}
                    for measure in ("nps", "csat") for n, gain in enumerate((1.0, 3.4, 2.2, 0.4, 5.1, 1.9, -0.7), start=1)],
        "contrasts": [{**contrast, "issue_id": f"VOC-{n:04d}", "group": group, "low": 1.5 + n / 10} for group in ("churned", "high_ltv", "promoter") for n in (1, 2, 3)],
    }  # fmt: skip
    found["retention"] = [
        {"issue_id": issue_id, "group": group, "month": month, "n_at_risk": n - 2 * month, "survived_share": (1 - rate) ** month}
        for issue_id, n, exposed, others in (("VOC-0001", 310, 0.034, 0.021), ("VOC-0002", 150, 0.024, 0.023), ("VOC-0007", 30, 0.1, 0.02), ("VOC-0008", 190, 0.2, 0.02))
        for group, rate in ((EXPOSED, exposed), (OTHERS, others)) for month in range(13)]
    tables = report_tables()
    found["silent"] = silent_estimate(tables["impact"], reporting_rate=(0.3, 0.6), real_churns=240.0)
    return tables | {name: contract.check(pd.DataFrame(rows), contract.TABLES[name]) for name, rows in found.items()}


def report_run(*, reasons: list[str] | None = None, **settings) -> dict:
    parts = {**RUN_JSON, "settings": {"reasons": reasons or [], **settings}}
    return {"run_id": "run-20261001", "as_of_on": pd.Timestamp("2026-10-01"), "config_sha": "c0ffee12", "seed": 42,
            **{name: json.dumps(value, ensure_ascii=False) for name, value in parts.items()}}


def report_config(**changes) -> Config:
    sources = [Source(name="calls", format="transcript", path="calls.csv")]
    return Config(**{"sources": sources, "company": {"name": "あおぞら会計株式会社"}, **changes})
