"""The parts of ingest that decide without a flow run."""

import pandas as pd
import pytest

from voc.tables import CUSTOMERS, check


@pytest.mark.slow  # imports Prefect
def test_a_customer_that_two_sources_give_is_counted_in_rejects():
    from flows.ingest import _COMPANY, _repeated

    one, other = (check(pd.DataFrame({"customer_id": ids}), CUSTOMERS) for ids in (["A", "B"], ["B", "C"]))
    told = _repeated({**{form: [] for form in _COMPANY}, "customers": [one, other]})
    assert told["source"].tolist() == ["customers"] and told["reason"].iloc[0].startswith("1 行は")
    assert _repeated({**{form: [] for form in _COMPANY}, "customers": [one]}).empty
