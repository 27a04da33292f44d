"""What high-LTV customers, promoters and those who left say, each against the others."""

import numpy as np
import pytest

from tests.impact import tables
from voc.config import Impact, Value
from voc.contrasts import contrasts
from voc.impact.case import case_of
from voc.impact.lifetime import valued_customers
from voc.tables import CONTRASTS, check

CHURNED = [f"x{i:02d}" for i in range(10)]
DEAR = [f"h{i:02d}" for i in range(20)]
CHEAP = [f"l{i:02d}" for i in range(80)]


def build(said, *, nps=(), ended="2025-11-10"):
    """`said`: (customer, issue or None, day)."""
    people = tables.customers(
        *((c, "プロ", 50_000.0, "2020-01-01", None) for c in DEAR), *((c, "ライト", 1_000.0, "2020-01-01", None) for c in CHEAP),
        *((c, "ライト", 1_000.0, "2020-01-01", ended) for c in CHURNED))  # fmt: skip
    rows = [(f"k{i:04d}", customer, day, 1, 0) for i, (customer, _, day) in enumerate(said)]
    contacts = tables.contacts(*rows, *((f"n{i:04d}", c, "2025-09-01", 0, 0) for i, (c, _) in enumerate(nps)))
    scores = {f"n{i:04d}": float(score) for i, (_, score) in enumerate(nps)}
    contacts["nps"] = contacts["contact_id"].map(scores).astype("float64")
    mentions = tables.mentions(*((issue, f"k{i:04d}", 0.9) for i, (_, issue, _) in enumerate(said) if issue))
    issues = tables.issues(A="不具合", B="要望", Z="解約")
    case = case_of(contacts, mentions, people, tables.usage(), issues, impact=Impact(), as_of="2026-01-01")
    case.customers[["ltv", "tier"]] = valued_customers(case.customers, case.window, value=Value())[["ltv", "tier"]]
    return check(contrasts(case), CONTRASTS).set_index(["group", "issue_id"])


def test_shares_and_ratio_by_hand():
    # of 20 dear customers 8 say A, of 60 cheap ones who contacted 6; 20 cheap ones never contacted and do not count
    said = [(c, "A", "2025-08-01") for c in DEAR[:8]] + [(c, None, "2025-08-01") for c in DEAR[8:]]
    said += [(c, "A", "2025-08-01") for c in CHEAP[:6]] + [(c, None, "2025-08-01") for c in CHEAP[6:60]]
    row = build([("l00", None, "2025-01-01"), *said]).loc[("high_ltv", "A")]
    assert (row["share"], row["other_share"], row["n_customers"], row["n_group"], row["n_others"]) == (0.4, 0.1, 8, 20, 60)
    ratio = (8.5 / 20.5) / (6.5 / 60.5)
    error = np.sqrt(1 / 8.5 - 1 / 20.5 + 1 / 6.5 - 1 / 60.5)
    assert row["ratio"] == pytest.approx(ratio)
    assert [row["low"], row["high"]] == pytest.approx([ratio * np.exp(-1.6448536 * error), ratio * np.exp(1.6448536 * error)])


def test_cells_of_four_customers_are_hidden():
    said = [(c, "A", "2025-08-01") for c in DEAR[:4]] + [(c, "B", "2025-08-01") for c in DEAR[:5]]
    said += [(c, None, "2025-08-01") for c in CHEAP]
    assert build([("l00", None, "2025-01-01"), *said]).index.tolist() == [("high_ltv", "B")]


def test_who_left_is_heard_only_before_the_decision():
    said = [(c, "A", "2025-10-01") for c in CHURNED[:6]] + [(c, "Z", "2025-10-20") for c in CHURNED]
    said += [(c, "B", "2025-10-25") for c in CHURNED]  # after they asked how to leave
    said += [(c, "A", "2025-10-01") for c in CHEAP[:8]] + [(c, None, "2025-10-01") for c in CHEAP[8:]]
    found = build([("l00", None, "2025-01-01"), *said])
    assert ("churned", "B") not in found.index and ("churned", "Z") not in found.index
    row = found.loc[("churned", "A")]
    assert (row["n_group"], row["share"], row["n_others"], row["other_share"]) == (6, 1.0, 80, 0.1)


def test_promoters_stand_against_those_who_answered():
    said = [(c, "B", "2025-08-01") for c in CHEAP[:10]] + [(c, None, "2025-08-01") for c in CHEAP[10:]]
    nps = [(c, 10) for c in CHEAP[:10]] + [(c, 3) for c in CHEAP[10:40]]
    row = build([("l00", None, "2025-01-01"), *said], nps=nps).loc[("promoter", "B")]
    assert (row["n_customers"], row["n_group"], row["n_others"], row["other_share"]) == (10, 10, 30, 0.0)
    assert row["low"] > 1


def test_nobody_said_anything():
    assert build([("l00", None, "2025-01-01")]).empty
