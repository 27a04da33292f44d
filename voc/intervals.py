"""The 90 % interval that every figure of the product is given with."""

import numpy as np

Z90 = 1.6448536269514722  # standard errors on either side


def wilson(successes, n) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end of the 90 % interval of Wilson (1927) for a share; NaN where n is 0.

    `successes` and `n` are numbers or arrays of one shape; n need not be whole, where rows are worth fewer than their number.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share, weight = np.asarray(successes, dtype="float64") / n, Z90**2 / np.asarray(n, dtype="float64")
        middle = (share + weight / 2) / (1 + weight)
        half = Z90 * np.sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
