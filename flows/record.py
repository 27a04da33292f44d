"""What one run did: seconds and counts per stage, told while it runs and written to table `runs`."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from flows.logs import write_line
from voc.as_of import day_of
from voc.config import Config
from voc.inert import inert_line
from voc.memory import give_back
from voc.run_words import STAGES
from voc.runs import RUNNING
from voc.tables import RUNS, check

_PACKAGES = (
    "voc", "prefect", "pandas", "numpy", "scikit-learn", "spacy", "ginza", "ja-ginza", "sudachipy", "sudachidict-core",
    "sentence-transformers", "bertopic", "umap-learn", "hdbscan", "torch", "deltalake",
)  # fmt: skip


@dataclass
class RunRecord:
    """Grows while a run goes on. `counts` and `seconds` are keyed by stage, `inputs` by source."""

    config: Config
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    inputs: dict = field(default_factory=dict)
    models: dict = field(default_factory=dict)
    counts: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)  # what a person must hear of: a silent source, a changed header
    is_quiet: bool = False
    log_folder: Path | None = None  # where lines without customers' words are kept (flows/logs.py)

    @property
    def run_id(self) -> str:
        return self.started_at.strftime("R%Y%m%dT%H%M%S%f")

    @property
    def started_on(self) -> pd.Timestamp:
        """The day that it began, in the company's time."""
        return day_of(self.started_at, self.config.company.timezone)

    @property
    def days(self) -> dict:
        """What decides which contacts count (voc/as_of.py): `given`, `run_on`, `timezone`."""
        company = self.config.company
        return {"given": company.as_of_on, "run_on": self.started_on, "timezone": company.timezone}

    def log(self, event: str, **said: object) -> None:
        """One line of the log, where one is kept. A full disk stops the run where it loses data, not here."""
        if self.log_folder is None:
            return
        try:
            write_line(self.log_folder, event, run_id=self.run_id, **said)
        except OSError as error:
            self.tell(f"  ログを書けません（{error.strerror}）。空き容量と権限を確かめてください。")

    @contextmanager
    def stage(self, name: str, *, of: str = "") -> Iterator[None]:
        """Time a stage and tell its name (and the source it works `of`); stages of one name add up."""
        self.tell(f"▶ {STAGES.get(name, name)}" + (f"（{of}）" if of else ""))
        give_back()  # what was let go since the last stage
        begin = time.perf_counter()
        try:
            yield
        except BaseException as error:
            self.log("stage_failed", stage=name, of=of, seconds=time.perf_counter() - begin, error=type(error).__name__)
            raise
        finally:
            spent = time.perf_counter() - begin
            self.seconds[name] = round(self.seconds.get(name, 0.0) + spent, 2)
        self.log("stage", stage=name, of=of, seconds=spent)
        give_back()
        self.tell(f"  {STAGES.get(name, name)}: {spent:,.1f} 秒")

    def add(self, name: str, value: int) -> None:
        """Add `value` to the count of `name`."""
        self.counts[name] = self.counts.get(name, 0) + value

    def progress(self, name: str, done: int, total: int) -> None:
        """One line that overwrites itself on a terminal, every tenth elsewhere."""
        if self.is_quiet or not total:
            return
        if sys.stderr.isatty():
            print(f"\r  {STAGES.get(name, name)} {done:,}/{total:,}", end="\n" if done >= total else "", file=sys.stderr)
        elif done >= total or (done * 10) // total != (max(done - 1, 0) * 10) // total:
            self.tell(f"  {STAGES.get(name, name)} {done:,}/{total:,}")

    def tell(self, line: str) -> None:
        if not self.is_quiet:
            print(inert_line(line), file=sys.stderr, flush=True)

    def row(self, *, as_of_on: pd.Timestamp | None, status: str, tables: dict[str, int] | None = None) -> pd.DataFrame:
        """This run as table RUNS. `as_of_on`: unknown before the contacts are there; the day that it began stands for it.
        `tables`: the version of each table that it left."""
        packages = {name: version(name) for name in _PACKAGES}
        as_of_on = self.started_on if as_of_on is None else as_of_on
        return check(
            pd.DataFrame(
                [
                    {
                        "run_id": self.run_id, "as_of_on": as_of_on,
                        "started_at": self.started_at, "finished_at": None if status == RUNNING else datetime.now(UTC), "status": status,
                        "config_sha": self.config.sha(), "seed": self.config.seed, "inputs": _json(self.inputs),
                        "versions": _json(packages), "models": _json(self.models), "counts": _json(self.counts),
                        "seconds": _json(self.seconds), "settings": _json(self.settings | {"notices": list(dict.fromkeys(self.notices))}),
                        "tables": _json(tables) if tables else None,
                    }
                ]
            ),
            RUNS,
        )  # fmt: skip


def _json(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
