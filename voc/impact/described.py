"""The tables beside the estimate that need no causal model: what makes an LTV, cost parts, retention, silent customers."""

import pandas as pd

from voc.config import Costs, Impact, Value
from voc.impact.case import Case
from voc.impact.cost_parts import cost_channels, cost_parts
from voc.impact.estimation import Estimate
from voc.impact.lifetime import ltv_factors
from voc.impact.retention import retention
from voc.impact.silent import silent_estimate
from voc.tables import COST_CHANNELS, COST_PARTS, LTV_FACTORS, RETENTION, SILENT, Table, check


def described(found: Estimate, *, impact: Impact, value: Value, costs: Costs, seed: int) -> dict[str, pd.DataFrame]:
    """LTV_FACTORS, COST_PARTS, COST_CHANNELS, RETENTION and SILENT by name, checked. Retention leaves reverse issues out:
    their customers had decided to go before they called."""
    case: Case = found.case
    real = found.totals.set_index("scope")["churns_prevented"].get("company")
    reverse = set(case.decisions.reverse)
    keep = pd.Series(case.links.issue).isin(reverse).to_numpy()
    links = type(case.links)(*(getattr(case.links, name)[~keep] for name in ("contact", "issue", "probability")))
    frames: list[tuple[Table, pd.DataFrame]] = [
        (LTV_FACTORS, ltv_factors(case.customers, case.window, value=value)),
        (COST_PARTS, cost_parts(case.contacts, case.links, case.issues, case.window, costs=costs, n_draws=impact.draws, seed=seed)),
        (COST_CHANNELS, cost_channels(case.contacts, case.window, costs=costs)),
        (RETENTION, retention(case.contacts, links, case.customers, case.issues, window=case.window)),
        (SILENT, silent_estimate(found.impact, reporting_rate=impact.reporting_rate, real_churns=real)),
    ]
    return {table.name: check(frame, table) for table, frame in frames}
