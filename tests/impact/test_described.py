import pandas as pd
import pytest

from tests.impact.tables import contacts, issues, mentions, usage
from tests.impact.test_estimate import KINDS, LENIENT, company
from voc.config import Costs, Health, Value
from voc.customers.signals import contact_moods
from voc.customers.tables import health_tables
from voc.impact.described import described
from voc.impact.estimation import estimate
from voc.tables import CUSTOMERS, TABLES, content_sha, empty

OPTIONS = {"impact": LENIENT, "value": Value(), "costs": Costs(cash_share={"call": 0.2}), "seed": 1}
NO_MOODS = contact_moods(
    pd.DataFrame({"sentence_id": [], "strength": [], "p_cancel": [], "flags": []}), pd.DataFrame({"sentence_id": [], "contact_id": []}))


def tables(people, calls, said, kinds=KINDS, **options):
    options = {**OPTIONS, **options}
    found = estimate(calls, said, people, usage(), issues(**kinds), as_of="2025-07-01", **options)
    beside = described(found, **options) | health_tables(found.case, NO_MOODS, health=Health(), costs=options["costs"])
    return found, beside


def test_the_tables_of_one_run_fit_together():
    found, beside = tables(*company())
    assert set(beside) == {"ltv_factors", "cost_parts", "cost_channels", "retention", "silent", "customer_health", "health_test"}
    parts = beside["cost_parts"].set_index(["scope", "issue_id"])["contact_cost_yen"]
    assert parts["issue"].sum() == pytest.approx(parts["company", ""])
    assert parts["issue"].to_dict() == pytest.approx(found.impact.set_index("issue_id")["contact_cost_yen"].to_dict())
    assert beside["cost_channels"]["contact_cost_yen"].sum() == pytest.approx(parts["company", ""])
    assert "解約手続き" not in set(beside["retention"]["issue_id"]) and "bug" in set(beside["retention"]["issue_id"])
    active = int(found.case.customers["end"].ge(found.case.window.end_day).sum())
    assert len(beside["customer_health"]) == active == beside["ltv_factors"].set_index("plan").loc["", "n_customers"]
    assert beside["silent"].empty


@pytest.mark.slow
def test_same_input_same_tables_in_any_row_order():
    people, calls, said = company()
    _, first = tables(people, calls, said)
    _, second = tables(people.sample(frac=1, random_state=1), calls.sample(frac=1, random_state=2), said.sample(frac=1, random_state=3))
    assert {name: content_sha(frame) for name, frame in first.items()} == {name: content_sha(frame) for name, frame in second.items()}
    assert all(list(frame.columns) == list(TABLES[name].columns) for name, frame in first.items())


@pytest.mark.slow
def test_the_rate_of_the_company_is_needed_for_silent_customers():
    _, beside = tables(*company(), impact=LENIENT.model_copy(update={"reporting_rate": (0.4, 0.6)}))
    assert "bug" in set(beside["silent"]["issue_id"])


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [
    lambda _, calls, said: (empty(CUSTOMERS), calls.assign(customer_id=None), said),
    lambda people, *_: (people, contacts(), mentions()),
    lambda people, calls, said: (people.iloc[:1], calls.iloc[:1], said.iloc[:1]),
    lambda people, calls, said: (people.assign(ended_on=pd.Timestamp("2025-01-01")), calls, said),
    lambda people, calls, said: (people.assign(monthly_price_yen=None), calls, said),
    lambda people, calls, said: (people.assign(plan="A", ended_on=pd.NaT), calls, said),
])
def test_hostile_tables(spoil):
    found, beside = tables(*spoil(*company()))
    parts = beside["cost_parts"].set_index(["scope", "issue_id"])["contact_cost_yen"]
    assert parts["company", ""] == pytest.approx(found.impact["contact_cost_yen"].sum())
    for frame in beside.values():
        assert not frame.select_dtypes("number").isin([float("inf"), float("-inf")]).any().any()


def test_prices_from_orders_keep_their_frequency():
    people, calls, said = company()
    rates = pd.Series(4.0, index=people["customer_id"])
    changes = pd.DataFrame({"customer_id": ["k000"], "changed_on": [pd.Timestamp("2025-01-15")], "price_before_yen": [3000.0], "price_yen": [1000.0]})
    found = estimate(calls, said, people, usage(), issues(**KINDS), as_of="2025-07-01", orders_per_month=rates, price_changes=changes, **OPTIONS)
    factors = described(found, **OPTIONS)["ltv_factors"].set_index("plan").loc["A"]
    assert (factors["price_yen"], factors["frequency"]) == (250, 4)
    assert found.company_months["mrr_downgraded_yen"].notna().all()
