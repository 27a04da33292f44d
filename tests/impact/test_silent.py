import numpy as np
import pandas as pd
import pytest

from voc.impact.silent import silent_estimate
from voc.tables import SILENT, check

ROWS = pd.DataFrame({
    "issue_id": ["a", "b", "c", "d"], "tier": ["推定値", "参考値", "データ不足", "推定値"], "flag": ["", "", "insufficient", "protective"],
    "churns_prevented": [6.0, 1.0, np.nan, -2.0], "churns_low": [4.0, -0.5, np.nan, -3.0], "churns_high": [8.0, 3.0, np.nan, -1.0],
    "ltv_low_yen": [40_000.0, -5000, np.nan, -1], "ltv_high_yen": [80_000.0, 30_000, np.nan, -1],
})


def test_bounds_by_hand():
    table = check(silent_estimate(ROWS, reporting_rate=(0.25, 0.5), real_churns=100.0), SILENT).set_index("issue_id")
    assert table.loc["a", ["churns_low", "churns_high", "ltv_low_yen", "ltv_high_yen"]].tolist() == [8, 32, 80_000, 320_000]
    assert table.loc["b", ["churns_low", "churns_high"]].tolist() == [0, 12]
    assert list(table.index) == ["a", "b"] and table["note"].str.startswith("参考").all()
    assert "25%〜50%" in table.loc["a", "note"]


def test_never_more_than_the_company_loses():
    row = silent_estimate(ROWS, reporting_rate=(0.25, 0.5), real_churns=16.0).set_index("issue_id").loc["a"]
    assert row["churns_high"] == pytest.approx(16) and row["ltv_high_yen"] == pytest.approx(160_000) and "上限" in row["note"]


def test_nothing_without_the_companys_rate():
    assert check(silent_estimate(ROWS, reporting_rate=None, real_churns=100.0), SILENT).empty
