"""The planted issues of the demo company, read from `catalogue.tsv`."""

from importlib.resources import files

import pandas as pd

ROLES = ("harmful", "zero", "control", "reverse", "protective")
SEGMENT_WORDS = ("any", "small", "mid")


def load_catalogue() -> pd.DataFrame:
    """One row per planted issue, in file order.

    Columns: key, area, topic, kind, role (harmful, zero, control, reverse, protective), log_odds (effect on the
    monthly churn log-odds while it lasts), volume (relative number of contacts), season (peak month 1-12 or empty),
    segment (any, small, mid), handle (factor on the handling time), about.
    """
    with (files("voc.demo") / "catalogue.tsv").open(encoding="utf-8") as handle:
        frame = pd.read_csv(handle, sep="\t")
    frame["season"] = frame["season"].astype("Int64")
    unknown = sorted(set(frame["role"]) - set(ROLES)) + sorted(set(frame["segment"]) - set(SEGMENT_WORDS))
    if unknown:
        raise ValueError(f"catalogue.tsv: unknown words {unknown}; allowed are {ROLES} and {SEGMENT_WORDS}")
    return frame
