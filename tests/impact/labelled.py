"""A small labelled company as text cells, as its CSV files would give them."""

import numpy as np
import pandas as pd

PARAMS = {
    "window_start": "2024-01-01", "window_end": "2025-07-01", "gross_margin": 0.5,
    "yen_per_hour": {"call": 3600, "email": 1800}, "transfer_yen": 500, "plan_monthly_churn": {"A": 0.02, "B": 0.04},
}
ISSUES = ("bug", "howto", "address", "receipt", "leaving")


def company(*, n: int = 400, seed: int = 0) -> dict[str, pd.DataFrame]:
    """contacts, customers, issues, usage, nps over 18 months: 40 % of those with `bug` leave for it within three months."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp("2024-01-01")
    what = rng.choice(4, n, p=[0.4, 0.2, 0.2, 0.2])
    day = rng.integers(0, 430, n)
    because, anyway = rng.random(n) < np.where(what == 0, 0.4, 0.0), rng.random(n) < 0.25
    leaves = because | anyway
    end = first + pd.to_timedelta(np.where(because, day + rng.integers(15, 100, n), rng.integers(30, 530, n)), unit="D")
    ids = [f"K{k:04d}" for k in range(n)]
    customers = pd.DataFrame({
        "customer_id": ids, "plan": np.array(["A", "B"])[np.arange(n) % 2], "segment": "小規模", "mrr": "1000",
        "contract_start": (first - pd.to_timedelta(rng.integers(30, 900, n), unit="D")).strftime("%Y-%m-%d"),
        "churn_date": pd.Series(end.strftime("%Y-%m-%d")).where(leaves, ""),
    })
    asked = first + pd.to_timedelta(day * 24 + 10, unit="h")
    contacts = pd.DataFrame({
        "contact_id": [f"C{k:04d}" for k in range(n)], "customer_id": ids, "time": asked.strftime("%Y-%m-%dT%H:%M:%S"),
        "channel": np.array(["call", "email"])[np.arange(n) % 2], "handle_seconds": "600", "transfers": "1",
        "sentiment": "-0.2", "issues": [f"{ISSUES[w]}:0.9|{ISSUES[(w + 1) % 4]}:0.1" for w in what],
    })
    told = customers[leaves].reset_index(drop=True)  # they announce it two days before
    announced = pd.DataFrame({
        "contact_id": [f"L{k:04d}" for k in range(len(told))], "customer_id": told["customer_id"], "channel": "call",
        "time": (pd.to_datetime(told["churn_date"]) - pd.Timedelta(days=2)).dt.strftime("%Y-%m-%d"),
        "handle_seconds": "300", "transfers": "0", "sentiment": "0", "issues": "leaving:1.0",
    })
    months = pd.date_range("2024-01-01", "2025-06-01", freq="MS").strftime("%Y-%m")
    usage = customers[["customer_id"]].merge(pd.DataFrame({"month": months}), how="cross")
    return {
        "contacts": pd.concat([contacts, announced], ignore_index=True), "customers": customers,
        "issues": pd.DataFrame({
            "issue_id": ISSUES, "name": ISSUES, "negative_control": ["0", "0", "1", "1", "0"],
            "cancel_procedure": ["0", "0", "0", "0", "1"]}),
        "usage": usage.assign(logins=rng.poisson(8, len(usage)).astype(str)),
        "nps": pd.DataFrame({"customer_id": ids[::3], "date": "2024-05-10", "score": (np.arange(len(ids[::3])) % 11).astype(str)}),
    }
