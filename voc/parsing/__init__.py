"""Parsing: raw files -> contacts and turns, and the company's own tables."""

from voc.parsing.catalogue import parse_catalogue
from voc.parsing.company import parse_customers, parse_faq, parse_usage
from voc.parsing.contacts import parse_contacts
from voc.parsing.counts import parse_counts
from voc.parsing.faq_logs import parse_faq_logs
from voc.parsing.records import Parsed
from voc.parsing.sales import parse_orders, parse_price_changes

__all__ = [
    "Parsed", "parse_catalogue", "parse_contacts", "parse_counts", "parse_customers", "parse_faq",
    "parse_faq_logs", "parse_orders", "parse_price_changes", "parse_usage",
]  # fmt: skip
