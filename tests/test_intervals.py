"""The 90 % interval of a share."""

import numpy as np
import pytest

from voc.intervals import wilson


def test_wilsons_interval():
    low, high = wilson(np.array([5.0, 0.0]), np.array([7.0, 0.0]))
    assert (round(float(low[0]), 3), round(float(high[0]), 3)) == (0.409, 0.900)  # 5 of 7, z = 1.645, by hand
    assert np.isnan(low[1])


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (2.5, 3.5)])
def test_it_stays_a_share_and_holds_what_was_seen(successes, n):
    low, high = wilson(successes, n)
    assert 0 <= low <= successes / n <= high + 1e-12 <= 1 + 1e-12
    assert high > low
