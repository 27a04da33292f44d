"""Numbers worked by hand where other formulas go wrong."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import expit

from tests.impact.tables import contacts, customers, mentions, usage
from voc.config import Impact
from voc.impact.hazard import fit_hazard, prevented, prevented_tables
from voc.impact.periods import as_of_day, window_between
from voc.impact.person_months import person_months
from voc.impact.records import link, usable_contacts, usable_customers

NO_PENALTY = 1e-6


def removed(covariates, exposure, event) -> float:
    """Events that our method says would not have happened without the exposure."""
    dose = sparse.csr_matrix(exposure[:, None].astype(float))
    fit = fit_hazard(covariates, dose, event, np.arange(len(event)), penalty=NO_PENALTY)
    eta = covariates @ fit.coefficients[:covariates.shape[1]] + dose @ fit.log_odds
    tables = prevented_tables(eta, dose, np.ones((len(eta), 1)), n_months=1)
    return float(prevented(tables, fit.log_odds[:, None])[0, 0, 0])


def test_levins_formula_with_an_adjusted_relative_risk_is_wrong():
    """Plan A: 80 % have the issue and 40 % of them leave, 20 % of the others. Plan B: 20 % have it; 8/65 and 1/20 leave.

    The odds are times 8/3 in both. Without the issue (0.40 - 0.20) x 5,200 + (8/65 - 1/20) x 1,300 = 1,135 churns
    would not have happened. Levin: p (RR - 1) / (1 + p (RR - 1)) of 2,760 churns, with p = 1/2 and the Mantel-Haenszel
    RR = (2,080 x 1,300 + 160 x 5,200) / (260 x 5,200 + 260 x 1,300) = 2.0923, is 974.9: 14 % too few.
    """
    cells = [(0, 1, 5200, 2080), (0, 0, 1300, 260), (1, 1, 1300, 160), (1, 0, 5200, 260)]
    plan, exposed, event = (np.concatenate(part) for part in zip(*[
        (np.full(n, p), np.full(n, x), np.arange(n) < churned) for p, x, n, churned in cells], strict=True))
    truth = 5200 * (0.4 - 0.2) + 1300 * (8 / 65 - 1 / 20)
    relative = (2080 * 1300 + 160 * 5200) / (260 * 5200 + 260 * 1300)
    levin = 0.5 * (relative - 1) / (1 + 0.5 * (relative - 1)) * 2760
    assert (truth, levin) == (pytest.approx(1135.0), pytest.approx(974.9, abs=0.1))
    assert removed(np.column_stack([np.ones(len(plan)), plan]), exposed, event) == pytest.approx(truth, rel=2e-3)


def test_immortal_time_makes_no_issue_protective():
    """200 customers lose 10 % each month; half of those left on 1 February ask. It does nothing: 9 of 90 leave in both halves.

    Those who ever asked left at 9 / 90 = 10 %, the others at (20 + 9) / 110 = 26 %: an apparent protection of 16 points,
    only because one must have stayed until February to ask.
    """
    left = {**dict.fromkeys(range(20), "2025-01-20"), **dict.fromkeys([*range(20, 29), *range(110, 119)], "2025-02-20")}
    people = customers(*[(f"k{k:03d}", "A", 1.0, "2024-01-01", left.get(k)) for k in range(200)])
    calls = contacts(*[(f"c{k:03d}", f"k{k:03d}", "2025-02-01", 60, 0) for k in range(20, 110)])
    said = mentions(*[("x", f"c{k:03d}", 1.0) for k in range(20, 110)])
    asked = np.isin(np.arange(200), np.arange(20, 110))
    gone = np.isin(np.arange(200), list(left))
    assert (gone[asked].mean(), gone[~asked].mean()) == (pytest.approx(0.1), pytest.approx(29 / 110))

    window = window_between(as_of_day("2025-01-01"), as_of_day("2025-03-01"))
    who, _ = usable_customers(people, end_day=window.end_day)
    table, _ = usable_contacts(calls, who, end_day=window.end_day)
    links, _ = link(said, table, ["x"])
    panel = person_months(
        table, links, who, usage(), decision_day=who["end"].to_numpy(), window=window, n_issues=1,
        impact=Impact(learning_lag_days=0), seed=1)
    exposed = panel.learning.toarray()[:, 0] > 0
    assert (exposed.sum(), panel.is_event[exposed].sum()) == (90, 9)
    assert ((~exposed).sum(), panel.is_event[~exposed].sum()) == (200 + 90, 20 + 9)
    assert removed(np.ones((len(exposed), 1)), exposed, panel.is_event) == pytest.approx(0.0, abs=1e-3)


def test_prevented_churns_of_one_customer():
    """Log-odds -3 with the issue, -4 without: 1 / (1 + e^3) - 1 / (1 + e^4) = 0.04743 - 0.01799 churns a month."""
    tables = prevented_tables(np.array([-3.0]), sparse.csr_matrix([[1.0]]), np.ones((1, 1)), n_months=1)
    assert prevented(tables, np.array([[1.0]]))[0, 0, 0] == pytest.approx(expit(-3) - expit(-4), abs=1e-6)
    assert expit(-3) - expit(-4) == pytest.approx(0.02944, abs=1e-5)


def test_monthly_average_is_over_the_whole_window():
    window = window_between(as_of_day("2024-01-01"), as_of_day("2025-07-01"))
    assert (window.n_months, window.period_months, window.period_start) == (18, 18.0, as_of_day("2024-01-01"))
    assert window_between(as_of_day("2024-01-15"), as_of_day("2024-06-30")).n_months == 5  # February to June, one day short
    assert window_between(as_of_day("2024-01-01"), as_of_day("2024-01-10")).n_months == 0


def test_dates_of_window_are_days():
    assert pd.Timestamp(np.datetime64(window_between(0, 31).period_end, "D")) == pd.Timestamp("1970-02-01")
