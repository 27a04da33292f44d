"""Requests that an option grants already: who asked, on which plan, and words that sell nothing."""

import numpy as np
import pandas as pd

from tests.impact import tables
from voc.config import Matches
from voc.issues.kinds import KINDS
from voc.option_matches import option_matches
from voc.tables import CATALOGUE, OPTION_MATCHES, REQUESTS, check

AXES = {"印鑑": 0, "権限": 1, "通知": 2}
CUSTOMERS = tables.customers(
    ("a", "プロ", 1.0, "2020-01-01", None), ("b", "ﾌﾟﾛ プラン", 1.0, "2020-01-01", None), ("c", "ライト", 1.0, "2020-01-01", None),
    ("d", None, 1.0, "2020-01-01", None))  # fmt: skip


def meanings(texts):
    rows = np.zeros((len(texts), 4))
    for row, text in zip(rows, texts, strict=True):
        row[next((axis for word, axis in AXES.items() if word in text), 3)] = 1.0
    return rows


def issues(**about):
    """issue id -> (kind, word); the centroid lies on the word's axis."""
    frame = tables.issues(**{name: kind for name, (kind, _) in about.items()})
    centroid = [[*np.eye(4)[AXES[about[name][1]]], *np.zeros(len(KINDS))] for name in frame["issue_id"]]
    return frame.assign(centroid=centroid)


def catalogue(*rows):
    frame = pd.DataFrame(rows, columns=["option_id", "name", "description", "plans"])
    return check(frame.assign(price_yen=0.0), CATALOGUE)


def mentions(*rows):
    """(issue, sentence, customer, probability)"""
    frame = tables.mentions(*((issue, sentence, p) for issue, sentence, _, p in rows))
    owner = {sentence: customer for _, sentence, customer, _ in rows}
    return frame.assign(sentence_id=frame["contact_id"], customer_id=frame["contact_id"].map(owner).astype("str"))


def requests(*sentences):
    return check(pd.DataFrame({"sentence_id": list(sentences), "phrase": "x", "change": "追加", "is_implied": False}), REQUESTS)


def matches(*args):
    return check(option_matches(*args, meanings=meanings, matches=Matches()), OPTION_MATCHES)


SEAL = catalogue(("O1", "電子印鑑", "印鑑の画像を重ねます", ["プロ"]), ("O2", "研修", None, []))


def test_who_asked_and_on_which_plan():
    said = mentions(("A", "s1", "a", 0.9), ("A", "s2", "a", 0.9), ("A", "s3", "b", 0.9), ("A", "s4", "c", 0.9), ("A", "s5", "d", 0.9),
                    ("A", "s6", "c", 0.4), ("A", "s7", None, 0.9))  # fmt: skip
    row = matches(issues(A=("要望", "印鑑")), said, requests("s1"), CUSTOMERS, SEAL).iloc[0]
    # a twice is one customer, a plan is the same in another width and with プラン behind it, d has no known plan
    assert (row["option_id"], row["n_customers"], row["n_on_plan"], row["n_other_plan"]) == ("O1", 4, 2, 1)
    assert row["similarity"] == 1.0 and list(row["plans"]) == ["プロ"]
    assert row["words"] == "ご要望に近い機能として「電子印鑑」があります。プロプランでお使いいただけます。使い方は FAQ でご案内しています。"


def test_other_kinds_count_where_they_ask_for_a_change():
    said = mentions(("A", "s1", "a", 0.9), ("A", "s2", "b", 0.9), ("A", "s3", "c", 0.9))
    asked = matches(issues(A=("不具合", "印鑑")), said, requests("s1"), CUSTOMERS, SEAL)
    assert asked["n_customers"].tolist() == [1]  # only who asked, not who reported a fault
    assert matches(issues(A=("不具合", "印鑑")), said, requests(), CUSTOMERS, SEAL).empty
    assert matches(issues(A=("解約", "印鑑")), said, requests("s1", "s2", "s3"), CUSTOMERS, SEAL).empty


def test_nothing_near_and_no_catalogue():
    said = mentions(("A", "s1", "a", 0.9))
    assert matches(issues(A=("要望", "通知")), said, requests("s1"), CUSTOMERS, SEAL).empty
    assert matches(issues(A=("要望", "印鑑")), said, requests("s1"), CUSTOMERS, catalogue()).empty


def test_an_option_without_plans_promises_none():
    row = matches(issues(A=("要望", "権限")), mentions(("A", "s1", "a", 0.9)), requests(), CUSTOMERS,
                  catalogue(("O9", "権限設定", "権限を分けます", []))).iloc[0]  # fmt: skip
    assert (row["n_customers"], row["n_on_plan"], row["n_other_plan"]) == (1, 0, 1)
    assert "プランは FAQ でご確認ください" in row["words"]
