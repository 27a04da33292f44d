"""Did a fix work: planted drops are found, flat series are not, the promise is kept apart from what came true."""

import numpy as np
import pandas as pd
import pytest

from tests.impact import tables
from voc.impact.fixes import BY_CONTROLS, BY_OTHERS, churn_change, fix_effects, interrupted_level, poisson_fit
from voc.tables import ACTIONS, COMPANY_MONTHS, FIX_EFFECTS, ISSUE_MONTHS, check

MONTHS = pd.date_range("2024-01-01", periods=24, freq="MS")
ISSUES = tables.issues(A="不具合", B="手続き", C="手続き", D="不具合")


def actions(*rows):
    frame = pd.DataFrame(rows, columns=["action_id", "issue_id", "done_on"])
    return check(frame.assign(done_on=pd.to_datetime(frame["done_on"]), by="担当", recorded_at=pd.Timestamp(0, tz="UTC")), ACTIONS)


def company(n=24, *, customers=1000, churned=20):
    return check(pd.DataFrame({"month_on": MONTHS[:n], "n_customers": customers, "n_churned": churned, "n_contacts": 0,
                               "contact_cost_yen": 0.0, "n_nps": 0}), COMPANY_MONTHS)  # fmt: skip


def months(**series):
    parts = [pd.DataFrame({"issue_id": name, "month_on": MONTHS[: len(values)], "n_contacts": np.asarray(values, dtype=float),
                           "n_customers": 1, "contact_cost_yen": 0.0}) for name, values in series.items()]  # fmt: skip
    return check(pd.concat(parts), ISSUE_MONTHS)


def effects(*args, **options):
    return check(fix_effects(*args, **options), FIX_EFFECTS).set_index("action_id")


def test_level_by_hand():
    # 10 a month become 5: ratio 0.5; se of its log = sqrt(1/30 + 1/15) = 0.3162; Student's t of 4 degrees, 90 %: 2.1318
    found = interrupted_level(
        np.array([10.0] * 3 + [5.0] * 3), np.full(6, 100.0), np.arange(6) >= 3, control=None, prior_sd=1e6)
    assert found.ratio == pytest.approx(0.5, rel=1e-6)
    assert found.low == pytest.approx(0.5 * np.exp(-2.1318 * 0.31623), rel=1e-4)
    assert found.high == pytest.approx(0.5 * np.exp(2.1318 * 0.31623), rel=1e-4)


def test_more_customers_bring_more_contacts_and_that_is_no_effect():
    found = interrupted_level(
        np.array([10.0] * 3 + [20.0] * 3), np.array([100.0] * 3 + [200.0] * 3), np.arange(6) >= 3, control=None)
    assert found.ratio == pytest.approx(1.0, abs=1e-6)


def test_agrees_with_statsmodels():
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    rng = np.random.default_rng(2)
    own, other, after = rng.poisson(30, 12).astype(float), rng.poisson(80, 12).astype(float), np.arange(12) >= 6
    customers = np.linspace(900, 1100, 12)
    found = interrupted_level(own, customers, after, control=other, prior_sd=1e6)
    design = np.block([[after[:, None] * 1.0, np.ones((12, 1)), np.eye(12)], [np.zeros((12, 2)), np.eye(12)]])
    fit = GLM(np.r_[own, other], design, family=Poisson(), offset=np.log(np.r_[customers, customers])).fit(scale="X2")
    assert np.log(found.ratio) == pytest.approx(fit.params[0], abs=1e-6)
    reach = np.log(found.high / found.ratio) / 1.8124611  # t of 10 degrees of freedom
    # never less variance than Poisson's
    assert reach == pytest.approx(fit.bse[0] / np.sqrt(min(fit.scale, 1.0)), rel=1e-4)


def test_churn_change_by_hand():
    # 20 and 15 churns a month of 1,000: -5; se = sqrt(0.0175 x (1/6000 + 1/6000)) x 1000 = 2.415; x 2.4865 = 6.005
    change, least = churn_change(np.array([20.0] * 6 + [15.0] * 6), np.full(12, 1000.0), np.arange(12) >= 6)
    assert change == pytest.approx(-5) and least == pytest.approx(6.005, abs=0.005)
    assert np.isnan(churn_change(np.zeros(2), np.zeros(2), np.array([False, True]))).all()


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "least", "most"), [(0.4, 0.95, 1.0), (1.0, 0.0, 0.12)])
def test_a_planted_drop_is_found_and_none_in_flat_series(drop, least, most):
    claims, truth_in = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        season = np.exp(0.3 * np.sin(np.arange(24) / 24 * 2 * np.pi * 2 + 1))
        level = np.where(np.arange(24) > 12, drop, 1.0)
        level[12] = (1 + drop) / 2
        table = effects(
            actions(("e", "A", "2025-01-15")), months(A=rng.poisson(30 * season * level), B=rng.poisson(40 * season), C=rng.poisson(30 * season)),
            company(), ISSUES, controls=("B", "C"))  # fmt: skip
        claims.append(table.loc["e", "high"] < 1)
        truth_in.append(table.loc["e", "low"] <= drop <= table.loc["e", "high"])
    assert least <= np.mean(claims) <= most
    assert np.mean(truth_in) >= 0.80


def test_promised_and_realised():
    table = effects(
        actions(("e", "A", "2024-12-01")), months(A=[40] * 12 + [10] * 12, B=[50] * 24, C=[50] * 24), company(), ISSUES,
        controls=("B", "C"), promised=pd.DataFrame({"action_id": ["e"], "churns_prevented": [8.0]}))  # fmt: skip
    row = table.loc["e"]
    assert (row["n_before_months"], row["n_after_months"], row["control"]) == (11, 12, BY_CONTROLS)
    row = effects(
        actions(("e", "A", "2024-12-01")), months(A=[40] * 6 + [40] * 6 + [10] * 6, B=[50] * 18, C=[50] * 18), company(18), ISSUES,
        controls=("B", "C"), promised=pd.DataFrame({"action_id": ["e"], "churns_prevented": [8.0]})).loc["e"]  # fmt: skip
    assert row["contact_ratio"] == pytest.approx(0.25, abs=0.01) and row["realised_share"] == pytest.approx(0.75, abs=0.01)
    assert row["realised_churns"] == pytest.approx(6.0, abs=0.1)
    assert row["realised_low"] < 6 < row["realised_high"] <= 8
    assert "見込みの実現率 75%" in row["note"] and "検出できません" in row["note"] and row["churn_mde"] > 0


def test_what_moves_the_control_too_is_no_effect():
    season = np.where(np.arange(14) >= 7, 0.5, 1.0)
    row = effects(actions(("e", "A", "2024-07-20")), months(A=40 * season, B=60 * season, D=30 * season), company(14), ISSUES).loc["e"]
    assert row["control"] == BY_OTHERS and row["contact_ratio"] == pytest.approx(1.0, abs=0.02)
    assert "減ったとはまだ言えません" in row["note"]
    # an issue that was itself acted on is no control, and a reverse one neither
    both = actions(("e", "A", "2024-07-20"), ("f", "B", "2024-07-20"))
    alone = effects(both, months(A=40 * season, B=60 * season, D=30 * season), company(14), ISSUES, reverse=("D",)).loc["e"]
    assert alone["control"] is None or pd.isna(alone["control"])
    assert alone["contact_ratio"] == pytest.approx(0.5, abs=0.02) and "季節などの影響を含みます" in alone["note"]


def test_a_trend_that_was_there_before_is_no_effect():
    falling = 400 * np.exp(-0.6 * np.arange(24) / 12)
    row = effects(actions(("e", "A", "2025-01-15")), months(A=falling, B=[500] * 24), company(), ISSUES).loc["e"]
    assert row["contacts_after"] / row["contacts_before"] < 0.6 and row["contact_ratio"] > 0.85 and row["high"] > 1


def test_too_few_months_say_so():
    row = effects(actions(("e", "A", "2025-11-05")), months(A=[9] * 24), company(), ISSUES).loc["e"]
    assert row["n_after_months"] == 1 and np.isnan(row["contact_ratio"]) and np.isnan(row["churn_mde"])
    assert row["note"] == "対応後の月が 1 か月（必要: 3 か月）のため、まだ効果を判定できません。"


def test_a_series_that_falls_to_zero_has_a_finite_ratio():
    row = effects(actions(("e", "A", "2024-12-10")), months(A=[30] * 12 + [0] * 6, B=[60] * 18), company(18), ISSUES).loc["e"]
    assert 0 < row["contact_ratio"] < 0.1 and row["high"] < 0.5


def test_two_actions_are_judged_by_the_months_between_them():
    series = [40] * 6 + [20] * 6 + [10] * 12
    table = effects(actions(("e", "A", "2024-07-01"), ("f", "A", "2025-01-01")), months(A=series, B=[60] * 24), company(), ISSUES)
    assert table["n_before_months"].tolist() == [6, 5] and table["n_after_months"].tolist() == [5, 11]
    assert table["contact_ratio"].tolist() == pytest.approx([0.5, 0.5], abs=0.03)


def test_nothing_to_judge():
    assert fix_effects(actions(("e", "Z", "2024-07-01")), months(A=[1] * 24), company(), ISSUES).empty
    assert fix_effects(actions(), months(A=[1] * 24), company(), ISSUES).empty
    row = effects(actions(("e", "C", "2024-07-01")), months(A=[1] * 24), company(), ISSUES).loc["e"]
    assert np.isnan(row["contact_ratio"]) and "少なすぎる" in row["note"]


def test_poisson_fit_by_hand():
    beta, covariance, expected = poisson_fit(np.ones((2, 1)), np.array([3.0, 5.0]), np.zeros(2), penalty=np.zeros(1))
    assert np.exp(beta[0]) == pytest.approx(4) and covariance[0, 0] == pytest.approx(1 / 8) and expected == pytest.approx([4, 4])
