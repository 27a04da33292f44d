import numpy as np
import pytest
from scipy import optimize, sparse
from scipy.special import expit

from voc.impact.hazard import fit_hazard, jointly_prevented, prevented, prevented_tables


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(3)
    n = 900
    covariates = np.column_stack([np.ones(n), rng.normal(size=n)])
    exposure = sparse.csr_matrix(rng.random((n, 2)) * (rng.random((n, 2)) < 0.3))
    p = expit(covariates @ [-1.5, 0.4] + exposure @ np.array([1.5, 0.0]))
    return covariates, exposure, rng.random(n) < p, np.repeat(np.arange(n // 3), 3)


def test_coefficients_agree_with_scipy_minimiser(panel):
    covariates, exposure, event, customer = panel
    x, y = np.hstack([covariates, exposure.toarray()]), event.astype(float)

    def loss(beta):
        eta = x @ beta
        return np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * np.sum(beta[2:] ** 2) + 0.5e-3 * beta[1] ** 2

    trusted = optimize.minimize(loss, np.zeros(4), tol=1e-10).x
    fit = fit_hazard(covariates, exposure, event, customer, penalty=1.0)
    assert fit.coefficients == pytest.approx(trusted, abs=1e-4)


@pytest.mark.slow
def test_agrees_with_statsmodels_without_penalty(panel):
    import statsmodels.api as sm

    covariates, exposure, event, customer = panel
    fit = fit_hazard(covariates, exposure, event, customer, penalty=1e-6)
    x = np.hstack([covariates, exposure.toarray()])
    plain = sm.Logit(event.astype(float), x).fit(disp=0)
    robust = sm.Logit(event.astype(float), x).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": customer, "use_correction": False})
    assert fit.coefficients == pytest.approx(plain.params, abs=1e-3)
    assert fit.se == pytest.approx(np.maximum(plain.bse, robust.bse)[2:], rel=5e-3)


def test_collinear_and_separated_covariates_stay_finite(panel):
    covariates, exposure, event, customer = panel
    doubled = np.column_stack([covariates, covariates[:, 1], event.astype(float)])
    fit = fit_hazard(doubled, exposure, event, customer)
    assert np.isfinite(fit.coefficients).all() and np.isfinite(fit.se).all()


def test_doubt_about_the_risk_of_those_who_have_it_reaches_what_is_prevented():
    # nearly all of the risk of two rare rows is due to the issue: without doubt about that risk the answer hardly moves
    eta = np.array([-2.0, -2.5])
    tables = prevented_tables(eta, sparse.csr_matrix([[1.0], [1.0]]), np.ones((2, 1)), n_months=1)
    draws = np.array([[2.5, 3.0, 3.5]])
    sure = prevented(tables, draws)[0, 0]
    slip = np.array([[-0.5, 0.0, 0.5]])
    doubted = prevented(tables, draws, slip=slip)[0, 0]
    by_hand = [(expit(eta + s) - expit(eta + s - b)).sum() for s, b in zip(slip[0], draws[0], strict=True)]
    assert doubted == pytest.approx(by_hand, abs=1e-4) and doubted[1] == sure[1]
    assert np.ptp(doubted) > 5 * np.ptp(sure)


def test_prevented_by_hand():
    eta = np.array([0.0, 1.0, -2.0])
    exposure = sparse.csr_matrix([[1.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    weights = np.array([[1.0, 1000.0]] * 3)
    tables = prevented_tables(eta, exposure, weights, n_months=2)
    got = prevented(tables, np.array([[1.0], [1.0]]))[:, :, 0]
    first = (expit(0) - expit(-1) + expit(1) - expit(0.5)) / 2
    assert got[0] == pytest.approx([first, 1000 * first])
    assert got[1, 0] == pytest.approx((expit(1) - expit(0)) / 2)
    both = jointly_prevented(eta, exposure, weights, np.array([[1.0], [1.0]]), n_months=2)[0, 0]
    assert both == pytest.approx((expit(0) - expit(-1) + expit(1) - expit(-0.5)) / 2)
    assert both != pytest.approx(got[:, 0].sum())
