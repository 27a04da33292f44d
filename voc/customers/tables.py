"""Both tables on customers' health, from one estimate's data."""

import pandas as pd

from voc.config import Costs, Health
from voc.customers.backtest import health_history, health_test
from voc.customers.health import customer_health
from voc.customers.signals import signals_of
from voc.impact.case import Case
from voc.tables import CUSTOMER_HEALTH, HEALTH_TEST, check


def health_tables(case: Case, moods: pd.DataFrame, *, health: Health, costs: Costs) -> dict[str, pd.DataFrame]:
    """CUSTOMER_HEALTH as of the end of the data, HEALTH_TEST, by name. `moods`: voc.customers.signals.contact_moods."""
    signals = signals_of(
        case.contacts, case.links, case.customers, case.usage, case.issues, moods=moods, repeat_days=costs.repeat_days)
    test = check(health_test(health_history(signals, case.customers, case.window, health=health)), HEALTH_TEST)
    table = customer_health(signals, case.customers, case.issues, day=case.window.end_day, health=health, test=test)
    return {CUSTOMER_HEALTH.name: check(table, CUSTOMER_HEALTH), HEALTH_TEST.name: test}
