"""The data scientist's door: the tables of a store as pandas frames, read when they are asked for.

    lake = voc.open("voc-demo/store")
    lake.sentences                        # any table of voc/tables.py by its name
    lake.mentions(issue="VOC-0007")
    lake.impact(period="2026-10")
    lake.describe("impact")               # what each column means
    lake.sql("select issue_id, count(*) as n from mentions group by 1 order by n desc").df()
"""

import csv
import json
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

from voc import tables
from voc.errors import StoreError
from voc.impact.at_stake import dearest_first, kinds_of, ltv_at_stake
from voc.store import dataset, read_table, read_version, stored_tables

_MEANINGS = Path(__file__).parent / "columns.tsv"


class Lake:
    """The tables of one store, at their newest or as the run `run` left them. Nothing is read before it is asked for;
    what was read is kept, so change a copy (`lake.sentences.copy()`)."""

    def __init__(self, store: str, run: str | None = None):
        """`store`: folder or S3 address that runs wrote; `run`: an id of `lake.runs`. Raises StoreError where no run wrote there."""
        self.store = store
        self.run_id = run
        self._frames: dict[str, pd.DataFrame] = {}
        if not stored_tables(store=store):
            raise StoreError(f"{store} に表がありません。`voc run` が書いたフォルダー（例: voc-demo/store）を指定してください。")

    def __repr__(self) -> str:
        return f"voc.open({self.store!r}" + (f", run={self.run_id!r})" if self.run_id else ")")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *tables.TABLES})

    def __getattr__(self, name: str) -> pd.DataFrame:
        """Every table of voc/tables.py is an attribute: `lake.opinions`, `lake.issues`, `lake.ranking` …"""
        if name.startswith("_") or name not in tables.TABLES:
            raise AttributeError(f"a store has no table {name!r}; there are: {', '.join(sorted(tables.TABLES))}")
        return self.table(name)

    def table(self, name: str) -> pd.DataFrame:
        """The table `name`, with the columns of voc/tables.py (`describe` says what they mean), rows in order of its key.

        Raises StoreError where there is no such table, or where the run's version of it is gone.
        """
        if name not in tables.TABLES:
            raise StoreError(f"表 {name} はありません。使える表: {'、'.join(sorted(tables.TABLES))}")
        if name not in self._frames:
            self._frames[name] = self._read(tables.TABLES[name])
        return self._frames[name]

    def _read(self, table: tables.Table) -> pd.DataFrame:
        if self.run_id is None:
            return read_table(table, store=self.store)
        found = read_version(table, self._version(table.name), store=self.store)
        if found is None:
            raise StoreError(
                f"実行 {self.run_id} のときの表 {table.name} は、もう残っていません（大きな表は 1 週間、ほかは 400 日。顧客の消去はそれより前に消します）。"
            )
        return found

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run, newest last: run_id, as_of_on, status, and counts, seconds, versions … as JSON."""
        rows = read_table(tables.RUNS, store=self.store)
        return rows.sort_values("started_at", kind="stable", ignore_index=True)

    def mentions(self, *, issue: str | None = None) -> pd.DataFrame:
        """Which sentence speaks of which issue: the table `mentions` with the sentence's text and the issue's label.

        Columns: issue_id, label, sentence_id, text (masked), contact_id, customer_id, mentioned_at, probability;
        likeliest first within an issue. Only of `issue` where one is given. Raises StoreError for an unknown number.
        """
        rows = self.table("mentions")
        if issue is not None:
            rows = rows[rows["issue_id"] == self._known(issue)]
        rows = rows.merge(self.table("sentences")[["sentence_id", "text"]], on="sentence_id", how="left")
        rows = rows.merge(self.table("issues")[["issue_id", "label"]], on="issue_id", how="left")
        rows = rows.sort_values(["issue_id", "probability", "sentence_id"], ascending=[True, False, True], ignore_index=True)
        return rows[["issue_id", "label", "sentence_id", "text", "contact_id", "customer_id", "mentioned_at", "probability"]]

    def impact(self, *, period: str | None = None) -> pd.DataFrame:
        """What each issue costs a month: the table `impact` with label and kind, dearest first by LTV at stake + contact cost,
        the order of `ranking` for the product.

        `period`: a month ("2026-10") that the period of the figures, whose monthly means they are, must hold. Raises
        StoreError where it does not (`lake.runs` and `voc.open(store, run=…)` reach older ones).
        """
        rows, issues = self.table("impact"), self.table("issues")
        if len(rows) and period is not None:
            _check_period(rows, period)
        rows, controls = rows.merge(issues[["issue_id", "label", "kind"]], on="issue_id", how="left"), self.table("impact_controls")
        ltv = ltv_at_stake(rows, kinds_of(issues), controls.loc[controls["is_confirmed"], "issue_id"])
        rows = rows.iloc[dearest_first(rows, ltv + rows["contact_cost_yen"].to_numpy())].reset_index(drop=True)
        first = ["issue_id", "label", "kind"]
        return rows[[*first, *(c for c in rows.columns if c not in first)]]

    def describe(self, table: str) -> pd.DataFrame:
        """What the columns of `table` mean: frame [column, type, may_be_empty, is_key, meaning]."""
        if table not in tables.TABLES:
            raise StoreError(f"表 {table} はありません。使える表: {'、'.join(sorted(tables.TABLES))}")
        of = tables.TABLES[table]
        return pd.DataFrame({
            "column": list(of.columns), "type": [of.type_of(c) for c in of.columns],
            "may_be_empty": [of.may_be_empty(c) for c in of.columns], "is_key": [c in of.key for c in of.columns],
            "meaning": [meaning(table, c) for c in of.columns],
        })  # fmt: skip

    def sql(self, query: str):
        """`query` over the tables by their names, in DuckDB: a relation (`.df()` gives the frame). Needs duckdb.

        Tables are read from disk column by column as the query needs them, nothing is copied into a database.
        """
        import duckdb

        connection = duckdb.connect()
        names = tables.TABLES if self.run_id is None else self._versions
        for table in (tables.TABLES[name] for name in names):
            found = dataset(table, store=self.store, version=self._version(table.name))
            if found is not None:
                connection.register(table.name, found)
        return connection.sql(query)

    def _version(self, name: str) -> int | None:
        if self.run_id is None:
            return None
        versions = self._versions
        if name not in versions:
            raise StoreError(f"実行 {self.run_id} は表 {name} を書いていません。書いた表: {'、'.join(sorted(versions))}")
        return versions[name]

    @cached_property
    def _versions(self) -> dict[str, int]:
        found = self.runs[self.runs["run_id"] == self.run_id]
        if found.empty:
            raise StoreError(f"実行 {self.run_id} はありません。ある実行: {'、'.join(self.runs['run_id']) or 'なし'}")
        if pd.isna(written := found.iloc[-1]["tables"]):
            raise StoreError(f"実行 {self.run_id} は最後まで進んでいません（{found.iloc[-1]['status']}）。status が completed の実行を選んでください。")
        return json.loads(written)

    def _known(self, issue: str) -> str:
        ids = self.table("issues")["issue_id"]
        if issue not in set(ids):
            raise StoreError(f"課題 {issue} は台帳にありません。例: {'、'.join(ids.head(3)) or 'まだ課題がありません'}")
        return issue


def _check_period(impact: pd.DataFrame, period: str) -> None:
    """A run writes one period; period_end_on is its last day."""
    try:
        month = pd.Period(period, freq="M").start_time
    except ValueError:
        raise StoreError(f"period の「{period}」を読めません。例: \"2026-10\"") from None
    first, last = impact["period_start_on"].min(), impact["period_end_on"].max()
    if not first <= month <= last:
        raise StoreError(f"{period} を含む集計期間はありません。ある期間: {first:%Y-%m} から {last:%Y-%m}")


def meaning(table: str, column: str) -> str:
    """What `column` of `table` means, English; '' where it is not described."""
    known = _meanings()
    return known.get((column, table), known.get((column, "*"), ""))


@cache
def _meanings() -> dict[tuple[str, str], str]:
    with _MEANINGS.open(encoding="utf-8", newline="") as lines:
        return {(row["column"], row["table"]): row["meaning"] for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
