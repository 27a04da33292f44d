"""Which format of a source fills which table of the company's own. No Prefect here: alerts count by it where Prefect failed."""

from voc.tables import CATALOGUE, COUNTS_BY_HOUR, CUSTOMERS, FAQ, FAQ_LOGS, ORDERS, PRICE_CHANGES, USAGE

COMPANY = {"customers": CUSTOMERS, "usage": USAGE, "faq": FAQ, "faq_logs": FAQ_LOGS, "catalogue": CATALOGUE,
           "counts": COUNTS_BY_HOUR, "orders": ORDERS, "price_changes": PRICE_CHANGES}  # fmt: skip
"""Format -> the table of the company's own that it fills."""
