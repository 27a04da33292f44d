"""FAQ triage: no article, not found, unclear or in order; by hand with toy vectors, and with real ones on the demo's planted gaps."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from tests.impact import tables
from voc.config import Matches
from voc.faq_triage import after_views, faq_triage
from voc.issues.kinds import KINDS, matter_part
from voc.tables import FAQ, FAQ_LOGS, FAQ_TRIAGE, IMPACT, MENTIONS, check

AXES = {"印章": 0, "領収": 1, "銀行": 2, "申告": 3}
PERIOD = (pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01"))
ARTICLES = check(pd.DataFrame({"article_id": ["F1", "F2"], "title": ["領収書を出す", "銀行をつなぐ"], "body": ["領収", "銀行"]}), FAQ)


def meanings(texts):
    rows = np.zeros((len(texts), 5))
    for row, text in zip(rows, texts, strict=True):
        row[next((axis for word, axis in AXES.items() if word in text), 4)] = 1.0
    return rows


def issues(**about):
    frame = tables.issues(**{name: kind for name, (kind, _) in about.items()})
    return frame.assign(centroid=[[*np.eye(5)[AXES[about[name][1]]], *np.full(len(KINDS), 0.3)] for name in frame["issue_id"]])


def impact(*rows):
    """(issue, contacts a month, low yen, high yen); the cost is twice the low."""
    frame = pd.DataFrame(rows, columns=["issue_id", "n_contacts", "deflectable_low_yen", "deflectable_high_yen"])
    return check(frame.assign(period_start_on=PERIOD[0], period_end_on=PERIOD[1], n_exposed_events=0.0, tier="データ不足", flag="", n_customers=9,
                              contact_cost_yen=frame["deflectable_low_yen"] * 2, repeat_cost_yen=0.0), IMPACT)  # fmt: skip


def logs(*rows):
    """(instant in Tokyo, query, article, is_found)"""
    frame = pd.DataFrame(rows, columns=["at", "query", "article_id", "is_found"])
    at = pd.to_datetime(frame["at"], format="ISO8601").dt.tz_localize("Asia/Tokyo")
    return check(frame.assign(at=at, log_id=[f"L{i}" for i in range(len(frame))], source="x", source_row="x"), FAQ_LOGS)


def mentions(*rows):
    """(issue, instant in Tokyo)"""
    frame = pd.DataFrame(rows, columns=["issue_id", "mentioned_at"])
    names = [f"c{i}" for i in range(len(frame))]
    at = pd.to_datetime(frame["mentioned_at"], format="ISO8601").dt.tz_localize("Asia/Tokyo")
    return check(frame.assign(mentioned_at=at, contact_id=names, sentence_id=names, customer_id=None, probability=0.9), MENTIONS)


def triage(who, told, said=None, log=None, faq=ARTICLES):
    found = faq_triage(who, told, mentions() if said is None else said, faq, logs() if log is None else log, meanings=meanings,
                       matches=Matches(), period=PERIOD)  # fmt: skip
    return check(found, FAQ_TRIAGE).set_index("issue_id")


def test_the_vector_of_an_issue_leaves_its_kind_out():
    assert matter_part(issues(A=("使い方", "領収"))["centroid"]).tolist() == [[0, 1, 0, 0, 0]]


def test_without_logs_an_article_is_there_or_not():
    who = issues(A=("使い方", "領収"), B=("手続き", "申告"), C=("不具合", "申告"))
    found = triage(who, impact(("A", 10.0, 500.0, 800.0), ("B", 4.0, 200.0, 320.0)))
    assert found["state"].to_dict() == {"A": "has_article", "B": "no_article"}  # a fault needs no article
    assert found.loc["A", ["article_id", "similarity", "yen_low", "yen_high"]].tolist() == ["F1", 1.0, 0.0, 800.0]
    assert found.loc["B", ["yen_low", "yen_high", "n_contacts"]].tolist() == [200.0, 320.0, 4.0]
    assert pd.isna(found.loc["B", "article_id"]) and found["n_searches"].isna().all()
    assert "50%〜80%" in found.loc["B", "evidence"] and "0 円からの幅" in found.loc["A", "evidence"]
    assert triage(who, impact(("A", 1.0, 1.0, 1.0)), faq=ARTICLES.head(0)).empty


def test_searches_without_hit():
    who = issues(A=("使い方", "領収"), B=("使い方", "銀行"))
    told = impact(("A", 10.0, 500.0, 800.0), ("B", 10.0, 500.0, 800.0))
    lost = [(f"2025-06-{d:02d}", "領収 もらい方", None, False) for d in range(1, 7)]
    hit = [(f"2025-06-{d:02d}", "領収", None, True) for d in range(7, 21)]
    ends = [("2025-01-01", "なにか", None, None), ("2025-12-31", "なにか", None, None)]
    found = triage(who, told, log=logs(*lost, *hit, *ends))
    assert found["state"].to_dict() == {"A": "not_found", "B": "has_article"}  # 6 of 20
    assert found.loc["A", "n_searches"] == pytest.approx(20 / (365 / 30.4375)) and found.loc["A", "yen_low"] == 500.0
    assert found.loc["A", "n_not_found"] == pytest.approx(6 / (365 / 30.4375))
    assert found.loc["B", "n_searches"] == 0  # a search about neither is given to none
    four = triage(who, told, log=logs(*lost[:4], *ends))
    assert four.loc["A", "state"] == "has_article"  # four searches prove nothing
    outside = triage(who, told, log=logs(*((at.replace("2025", "2024"), *rest) for at, *rest in lost)))
    assert outside["n_searches"].isna().all()


def test_contacts_after_a_view():
    who = issues(A=("使い方", "銀行"))
    days = pd.date_range("2025-03-01", "2025-11-20", freq="9D")
    said = mentions(*(("A", str(day + pd.Timedelta(hours=14))) for day in days))
    told = impact(("A", 10.0, 500.0, 800.0))
    ends = [("2025-01-01", "x", None, None), ("2025-12-31", "x", None, None)]
    read = [(str(day + pd.Timedelta(hours=13, minutes=30)), None, "F2", None) for day in days[:15]]
    found = triage(who, told, said, logs(*read, *ends)).loc["A"]
    assert found["state"] == "unclear" and found["yen_low"] == 500.0
    assert found["contacts_after_view"] == pytest.approx(15 / (365 / 30.4375)) and found["n_views"] == found["contacts_after_view"]
    early = [(str(day + pd.Timedelta(hours=9)), None, "F2", None) for day in days[:15]]
    assert triage(who, told, said, logs(*early, *ends)).loc["A", "state"] == "has_article"


def test_chance_is_taken_off():
    # one view every hour: every contact comes after a view, and would after any other view too
    views, contacts = np.arange(0, 100 * 86_400, 3600), np.arange(20 * 86_400 + 1800, 80 * 86_400, 86_400)
    assert after_views(contacts, views, within=(0, 100 * 86_400)) == (0.0, False)
    # nine contacts, each ten minutes after the only view within weeks
    far = np.arange(20, 110, 10) * 86_400
    assert after_views(far, far - 600, within=(0, 130 * 86_400)) == (9.0, True)
    assert after_views(contacts, np.empty(0), within=(0, 9)) == (0.0, False)


@pytest.mark.slow
def test_the_demos_gaps_are_found_with_real_vectors():
    from voc.demo.knowledge import load_faq_use
    from voc.demo.letters import load_faq
    from voc.embeddings import embed, join_vectors

    spoken = pd.read_csv(files("voc.demo") / "phrases.tsv", sep="\t", quoting=3, dtype=str)
    use = load_faq_use()
    spoken = spoken[(spoken["role"] == "core") & spoken["key"].isin(use["key"])].groupby("key").nth(slice(None, None, 2))
    texts = spoken["text"].str.replace(r"\{[^}]*\}", "", regex=True)

    def real(given):
        return join_vectors({name: embed(given, model=name) for name in ("e5", "use")})

    points = pd.DataFrame(real(texts.tolist()), index=spoken["key"]).groupby(level=0).mean()
    who = tables.issues(**dict.fromkeys(points.index, "使い方"))
    who = who.assign(centroid=[[*points.loc[name], *np.zeros(len(KINDS))] for name in who["issue_id"]])
    told = impact(*((name, 1.0, 1.0, 1.0) for name in points.index))
    found = faq_triage(who, told, mentions(), check(load_faq(), FAQ), logs(), meanings=real, matches=Matches(), period=PERIOD)
    expected = use.set_index("key")["article_id"]
    assert found.set_index("issue_id")["article_id"].fillna("").to_dict() == expected.to_dict()
