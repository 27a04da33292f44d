import numpy as np
import pandas as pd
import pytest

from tests.impact.tables import issues
from voc.impact.estimation import Estimate
from voc.ranking import rank


def estimate(rows, draws, controls=()):
    """Rows issue_id -> (LTV, shrunken LTV, low churns, flag, cost)."""
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["ltv_yen", "ltv_shrunken_yen", "churns_low", "flag", "contact_cost_yen"])
    table = table.rename_axis("issue_id").reset_index().assign(n_contacts=1.0)
    none = pd.DataFrame()
    confirmed = pd.DataFrame({"issue_id": list(controls), "is_confirmed": [True] * len(controls)}).astype({"is_confirmed": bool})
    return Estimate(table, none, none, none, none, pd.DataFrame.from_dict(draws, orient="index"), {}, confirmed, none, None)


KINDS = issues(a="不具合", b="要望", c="手続き", d="称賛", e="使い方")
ROWS = {
    "": (np.nan, np.nan, np.nan, "insufficient", 9e9),
    "a": (900.0, 500.0, 1.0, "", 100.0),
    "b": (2000.0, 400.0, -1.0, "", 50.0),
    "c": (np.nan, np.nan, np.nan, "reverse", 300.0),
    "d": (800.0, 700.0, 1.0, "", 10.0),
    "e": (-90.0, -20.0, -2.0, "", 200.0),
}
DRAWS = {
    "a": [600.0] * 9 + [0.0], "b": [100.0] * 9 + [1000.0], "c": [np.nan] * 10, "d": [800.0] * 10, "e": [-50.0] * 10,
}


def test_score_is_cautious_value_plus_cost_and_praise_counts_cost_only():
    result = rank(estimate(ROWS, DRAWS), KINDS, audience="product").sort_values("rank")
    assert result["issue_id"].tolist() == ["a", "b", "c", "e", "d"]
    assert result["score_yen"].tolist() == [600, 450, 300, 200, 10]
    assert result.iloc[0]["reason"] == "解約による損失が大きい"


def test_point_value_can_be_chosen():
    result = rank(estimate(ROWS, DRAWS), KINDS, audience="product", shrunken=False)
    assert result.set_index("issue_id").loc["b", "rank"] == 1


def test_what_a_person_called_harmless_counts_cost_only():
    result = rank(estimate(ROWS, DRAWS, controls=["a"]), KINDS, audience="product").set_index("issue_id")
    assert result.loc["a", "score_yen"] == 100


def test_executives_see_no_praise():
    assert "d" not in set(rank(estimate(ROWS, DRAWS), KINDS, audience="executive")["issue_id"])


def test_rank_interval_comes_from_the_draws_and_holds_the_rank():
    result = rank(estimate(ROWS, DRAWS), KINDS, audience="product").set_index("issue_id")
    assert result.loc["a", ["rank_low", "rank_high"]].tolist() == [1, 4]  # one draw of ten puts it last but one
    assert result.loc["b", ["rank_low", "rank_high"]].tolist() == [1, 4]  # mostly fourth, once first
    assert (result["rank_low"] <= result["rank"]).all() and (result["rank"] <= result["rank_high"]).all()
    assert (result["top5_share"] == 1).all()


def test_ties_follow_the_id():
    rows = dict.fromkeys(("b", "a"), (0.0, 0.0, 0.0, "", 5.0))
    result = rank(estimate(rows, {"a": [0.0], "b": [0.0]}), KINDS, audience="product").sort_values("rank")
    assert result["issue_id"].tolist() == ["a", "b"]


def test_nothing_to_rank():
    assert rank(estimate({"": ROWS[""]}, {}), KINDS, audience="product").empty


def test_unknown_audience():
    with pytest.raises(ValueError, match="product"):
        rank(estimate(ROWS, DRAWS), KINDS, audience="sales")


def test_equal_scores_are_ordered_by_contacts():
    scored = estimate({"a": (np.nan,) * 3 + ("", 0.0), "b": (np.nan,) * 3 + ("", 0.0)}, {"a": [np.nan], "b": [np.nan]})
    scored.impact["n_contacts"] = [2.0, 5.0]
    assert rank(scored, KINDS, audience="product").sort_values("rank")["issue_id"].tolist() == ["b", "a"]
