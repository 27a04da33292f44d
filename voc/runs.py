"""How a run ended, and which of them came through: the words of runs.status and the questions every reader asks of it."""

import pandas as pd

COMPLETED, RUNNING, INTERRUPTED, FAILED = "completed", "running", "interrupted", "failed"
"""Came to its end; goes on, or was cut off and nobody saw it yet; was cut off; ended with a fault."""


def completed(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of `runs` (RUNS) that came through, the oldest first."""
    return in_order(runs[runs["status"] == COMPLETED])


def latest_completed(runs: pd.DataFrame) -> dict | None:
    """The row of the newest run that came through, column -> value; None where none has yet."""
    done = completed(runs)
    return None if done.empty else done.iloc[-1].to_dict()


def in_order(runs: pd.DataFrame) -> pd.DataFrame:
    """`runs` (RUNS) as they began, the oldest first."""
    return runs.sort_values(["started_at", "run_id"], kind="stable")
