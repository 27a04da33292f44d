"""The option catalogue: what a customer can add to a plan."""

import re
from collections.abc import Sequence

import pandas as pd

from voc.cleaning.widths import identifier
from voc.config import Source
from voc.parsing.company import numbers, read_all, without_unusable
from voc.parsing.records import cell, rejects_frame
from voc.raw import RawFile
from voc.tables import CATALOGUE, check

_PLANS = re.compile(r"[、,;；|/／・\n]+")


def parse_catalogue(files: Sequence[RawFile], source: Source) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(catalogue, rejects): options a customer can add: name, description, the plans that have it, 円 a month.

    plans may be divided by 、 , ; | or /. Raises SourceError where no file can be used.
    """
    frame, faults = read_all(files, source)
    frame["option_id"] = [identifier(cell(value)) for value in frame["option_id"]]
    kept = without_unusable(frame, ["option_id"], source, faults)
    kept["name"] = [cell(value) or option for value, option in zip(kept["name"], kept["option_id"], strict=True)]
    blank = pd.Series("", index=kept.index)
    kept["description"] = [cell(value) or None for value in kept.get("description", blank)]
    kept["plans"] = pd.Series(
        [[plan.strip() for plan in _PLANS.split(cell(value)) if plan.strip()] for value in kept.get("plans", blank)],
        index=kept.index, dtype="object",
    )  # fmt: skip
    kept["price_yen"] = numbers(kept, "price_yen", source, faults)
    return check(kept[list(CATALOGUE.columns)], CATALOGUE), rejects_frame(faults)
