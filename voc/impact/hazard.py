"""One pooled logistic hazard for all issues, its covariance, and what removing issues would prevent."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import expit

from voc.errors import VocError

CHUNK = 50_000
COVARIATE_RIDGE = 1e-3  # only keeps collinear or separated covariates finite
MAX_STEPS = 60
PENALTY = 0.5  # of issue log-odds: a normal prior of sd 1.4; 1 took 3 % off well-measured effects
GRID = np.arange(-4.0, 5.001, 0.1)  # log-odds on which prevented churns are tabulated


@dataclass(frozen=True)
class Fit:
    """`coefficients`: covariates then issues; `log_odds`, `se`, `covariance`: of the issues."""

    coefficients: np.ndarray
    log_odds: np.ndarray
    se: np.ndarray
    covariance: np.ndarray


def fit_hazard(
    covariates: np.ndarray, exposure: sparse.csr_matrix, is_event: np.ndarray, customer: np.ndarray, *,
    penalty: float = PENALTY,
) -> Fit:
    """Logistic regression of events on covariates (first column 1) and exposures, by Newton steps.

    `penalty` on the squared issue log-odds / 2 (a normal prior of variance 1 / penalty), none on covariates.
    Covariance: correlations of the inverse Hessian, each standard error the larger of inverse Hessian and
    cluster sandwich by `customer`. Raises VocError where the fit does not converge.
    """
    y = is_event.astype("float64")
    beta, _, hessian = _maximise(covariates, exposure, y, penalty=penalty)
    inverse = np.linalg.inv(hessian)
    meat = _meat(covariates, exposure, y, beta, customer)
    issues = slice(covariates.shape[1], None)
    bayes = np.sqrt(np.diag(inverse)[issues])
    robust = np.sqrt(np.maximum(np.einsum("ij,jk,ki->i", inverse, meat, inverse)[issues], 0.0))
    se = np.maximum(bayes, robust)
    covariance = inverse[issues, issues] * np.outer(se / bayes, se / bayes)
    return Fit(beta, beta[issues], se, covariance)


def log_posterior(
    covariates: np.ndarray, exposure: sparse.csr_matrix, is_event: np.ndarray, *, penalty: float = PENALTY,
    start: np.ndarray | None = None,
) -> tuple[float, np.ndarray]:
    """Highest log-likelihood less penalties of the model of `fit_hazard`, and its coefficients; `start`: a guess."""
    beta, loss, _ = _maximise(covariates, exposure, is_event.astype("float64"), penalty=penalty, start=start)
    return -loss, beta


def _maximise(
    covariates: np.ndarray, exposure: sparse.csr_matrix, y: np.ndarray, *, penalty: float, start: np.ndarray | None = None
) -> tuple[np.ndarray, float, np.ndarray]:
    """Coefficients, penalised negative log-likelihood and its Hessian, by Newton steps."""
    n_columns = covariates.shape[1] + exposure.shape[1]
    ridge = np.full(n_columns, COVARIATE_RIDGE)
    ridge[0], ridge[covariates.shape[1]:] = 1e-9, penalty
    beta = np.zeros(n_columns) if start is None else start
    if start is None:
        share = np.clip(y.mean() if len(y) else 0.5, 1e-6, 1 - 1e-6)
        beta[0] = np.log(share / (1 - share))
    loss, gradient, hessian = _evaluate(covariates, exposure, y, beta, ridge)
    for _ in range(MAX_STEPS):
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while True:
            tried = _evaluate(covariates, exposure, y, beta - scale * step, ridge)
            if tried[0] <= loss + 1e-9 * abs(loss) or scale < 1e-4:
                break
            scale /= 2
        beta = beta - scale * step
        loss, gradient, hessian = tried
        if np.max(np.abs(step)) * scale < 1e-6:
            break
    else:
        raise VocError("解約モデルの計算が収束しませんでした。顧客表の契約日・解約日と利用状況の値を確認してください。")
    return beta, loss, hessian


def _chunks(covariates: np.ndarray, exposure: sparse.csr_matrix) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(covariates), CHUNK):
        rows = slice(start, min(start + CHUNK, len(covariates)))
        yield rows, np.hstack([covariates[rows], exposure[rows].toarray()])


def _evaluate(covariates, exposure, y, beta, ridge) -> tuple[float, np.ndarray, np.ndarray]:
    loss, gradient, hessian = 0.5 * float(ridge @ beta**2), ridge * beta, np.diag(ridge)
    for rows, x in _chunks(covariates, exposure):
        eta = x @ beta
        p = expit(eta)
        loss += float(np.sum(np.logaddexp(0.0, eta) - y[rows] * eta))
        gradient = gradient + x.T @ (p - y[rows])
        hessian = hessian + (x * (p * (1 - p))[:, None]).T @ x
    return loss, gradient, hessian


def _meat(covariates, exposure, y, beta, customer) -> np.ndarray:
    codes = np.unique(customer, return_inverse=True)[1]
    n = int(codes.max(initial=-1)) + 1
    scores = np.zeros((n, len(beta)))
    for rows, x in _chunks(covariates, exposure):
        residual = expit(x @ beta) - y[rows]
        first, last = int(codes[rows].min()), int(codes[rows].max())
        size = rows.stop - rows.start
        belongs = sparse.csr_matrix((residual, (codes[rows] - first, np.arange(size))), shape=(last - first + 1, size))
        scores[first:last + 1] += belongs @ x
    return scores.T @ scores * (n / max(n - 1, 1))


def prevented_tables(
    eta: np.ndarray, exposure: sparse.csr_matrix, weights: np.ndarray, *, n_months: float
) -> np.ndarray:
    """Issues x weights x GRID: sum of weight x (p - p without the issue) per month, if its log-odds is that of GRID.

    `eta`: log-odds of each row as they are; `weights`: rows x 1 or more (churns: 1, yen: price, LTV).
    """
    by_issue = exposure.tocsc()
    tables = np.zeros((exposure.shape[1], weights.shape[1], len(GRID)))
    for issue in range(exposure.shape[1]):
        part = slice(by_issue.indptr[issue], by_issue.indptr[issue + 1])
        rows, dose = by_issue.indices[part], by_issue.data[part]
        for start in range(0, len(rows), CHUNK):
            some, x = rows[start:start + CHUNK], dose[start:start + CHUNK]
            change = expit(eta[some])[:, None] - expit(eta[some][:, None] - x[:, None] * GRID)
            tables[issue] += weights[some].T @ change
    return tables / n_months


def prevented(tables: np.ndarray, draws: np.ndarray, *, slip: np.ndarray | None = None) -> np.ndarray:
    """Issues x weights x draws: prevented per month at the drawn log-odds (issues x draws).

    `slip`: how far the risk of those who have the issue is drawn above what was fitted, in log-odds. Without it that risk
    is taken as known, and a rare issue that no doubt makes people leave would get an interval of no width.
    """
    if not len(tables):
        return np.zeros((0, tables.shape[1], draws.shape[1]))
    slip = np.zeros_like(draws) if slip is None else slip
    return np.stack([
        np.stack([np.interp(draws[k] - slip[k], GRID, row) - np.interp(-slip[k], GRID, row) for row in tables[k]])
        for k in range(len(tables))
    ])


def jointly_prevented(
    eta: np.ndarray, exposure: sparse.csr_matrix, weights: np.ndarray, draws: np.ndarray, *, n_months: float
) -> np.ndarray:
    """Weights x draws: prevented per month if all issues, with log-odds `draws` (issues x draws), went at once."""
    touched = np.flatnonzero(np.diff(exposure.indptr))
    result = np.zeros((weights.shape[1], draws.shape[1]))
    for start in range(0, len(touched), CHUNK // 10):
        rows = touched[start:start + CHUNK // 10]
        change = expit(eta[rows])[:, None] - expit(eta[rows][:, None] - exposure[rows] @ draws)
        result += weights[rows].T @ change
    return result / n_months
