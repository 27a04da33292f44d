"""Parsing on trial: how much of a sample the parsers take, under a source as it is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voc.config import Source
from voc.parsing.catalogue import parse_catalogue
from voc.parsing.company import parse_customers, parse_faq, parse_usage
from voc.parsing.contacts import parse_contacts
from voc.parsing.counts import parse_counts
from voc.parsing.faq_logs import parse_faq_logs
from voc.parsing.sales import parse_orders, parse_price_changes
from voc.raw import RawFile

UNITS = {"customers": "顧客", "usage": "利用", "faq": "記事", "faq_logs": "記録", "catalogue": "オプション", "counts": "時間帯", "orders": "注文", "price_changes": "月額の変更"}
_QUOTED = re.compile(r"「[^」]*」")


@dataclass(frozen=True)
class Trial:
    """`n`: contacts (or rows of a company's own table) that were read; `faults`: different reasons of rejects, the
    most frequent first, without the values that they quote."""

    n: int
    n_rejects: int
    faults: tuple[str, ...]

    def told(self, source: Source) -> str:
        """`問い合わせ 24 件`."""
        return f"{UNITS.get(source.format, '問い合わせ')} {self.n:,} 件"


def try_source(files: Sequence[RawFile], source: Source, *, timezone: str = "Asia/Tokyo") -> Trial:
    """Parse `files` as `source` says. Raises SourceError where no file can be used."""
    if source.format == "customers":
        tables = parse_customers(files, source, timezone=timezone)
    elif source.format in ("usage", "counts", "faq_logs", "orders", "price_changes"):
        parse = {"usage": parse_usage, "counts": parse_counts, "faq_logs": parse_faq_logs, "orders": parse_orders,
                 "price_changes": parse_price_changes}[source.format]  # fmt: skip
        tables = parse(files, source, timezone=timezone)
    elif source.format in ("faq", "catalogue"):
        tables = (parse_faq if source.format == "faq" else parse_catalogue)(files, source)
    else:
        parsed = parse_contacts(files, source, timezone=timezone)
        tables = (parsed.contacts, parsed.rejects)
    table, rejects = tables[0], tables[-1]
    reasons = rejects["reason"].map(lambda reason: _QUOTED.sub("「…」", reason)).value_counts(sort=True)
    return Trial(len(table), len(rejects), tuple(reasons.index))
