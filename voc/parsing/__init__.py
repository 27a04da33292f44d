"""Parsing: raw files -> contacts and turns, and the company's own tables."""

from voc.parsing.company import join_customers, parse_customers, parse_faq, parse_usage
from voc.parsing.contacts import parse_contacts
from voc.parsing.records import Parsed

__all__ = ["Parsed", "join_customers", "parse_contacts", "parse_customers", "parse_faq", "parse_usage"]
