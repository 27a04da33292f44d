import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import expit

from tests.impact.test_estimate import company, run
from voc.config import Impact
from voc.impact.effects import Effects, joint

KINDS = {"bug": "不具合", "howto": "使い方", "praise": "称賛"}


@given(st.integers(0, 10_000), st.floats(-5, 1), st.floats(0.1, 6), st.floats(0.1, 50))
def test_removing_all_issues_never_prevents_more_than_really_left(seed, base, size, real):
    rng = np.random.default_rng(seed)
    n, k = 200, 5
    exposure = sparse.csr_matrix(rng.random((n, k)) * (rng.random((n, k)) < 0.6))
    draws = rng.normal(1.0, size, (k, 50))
    eta = base + exposure @ np.median(draws, axis=1)
    weights = np.ones((n, 3)) * real / expit(eta).sum()  # as the estimate scales them: the model's churns are the real ones
    effects = Effects(**{**dict.fromkeys(Effects.__dataclass_fields__), "log_odds_draws": draws, "corrected_draws": draws, "eta": eta,
                         "exposure": exposure, "weights": weights, "n_months": 1.0})
    for rows in (np.arange(k), np.array([0]), np.array([1, 3])):
        total = joint(effects, rows, real_churns=real)
        assert total["churns_low"] <= total["churns_prevented"] <= total["churns_high"] <= real * (1 + 1e-9)


def test_removing_nothing_prevents_nothing():
    effects = Effects(**dict.fromkeys(Effects.__dataclass_fields__))
    assert joint(effects, np.array([], dtype=int), real_churns=1.0) == {}


@pytest.mark.parametrize("seed", [0, 1])
def test_joint_removal_in_a_company_is_below_the_real_churns(seed):
    totals = run(*company(seed=seed, effect=6.0), KINDS).totals.set_index("scope")
    assert totals.loc["all", "churns_high"] <= totals.loc["company", "churns_prevented"]


def test_only_estimates_enter_a_total():
    """Many issues of the tier 参考値: none of them is in the first five, however much it seems to cost."""
    people, calls, said = company()
    cap = Impact(min_churns=20, min_contacts=50, draws=100)
    sure = run(people, calls, said, KINDS, impact=cap)
    assert sure.totals.set_index("scope").loc["top5", "n_issues"] == (sure.impact["tier"] == "推定値").sum() - (
        sure.impact.set_index("issue_id").loc["praise", "tier"] == "推定値")
    rare = said.copy()
    rare["issue_id"] = [f"bug{k % 6}" if issue == "bug" else issue for k, issue in enumerate(said["issue_id"])]
    found = run(people, calls, rare, {**KINDS, **{f"bug{k}": "不具合" for k in range(6)}}, impact=cap)
    middle = found.impact[found.impact["tier"] == "参考値"]
    n_sure = ((found.impact["tier"] == "推定値") & (found.impact["flag"] == "") & (found.impact["issue_id"] != "praise")).sum()
    assert len(middle) and found.totals.set_index("scope").loc["top5", "n_issues"] == min(5, n_sure)
