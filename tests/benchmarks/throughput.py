"""How fast the product is: `python tests/benchmarks/throughput.py --share 0.02 [--naive] [--growth]`.

Makes `--share` of a month of 60,000 calls x 20 turns (load.py), runs `voc run` on it as a person would, with an empty store,
and prints for each stage the seconds, the processor seconds of all processes, the most memory of all processes at once and of
the largest one, and texts a second, then the time of the full month in proportion. Processor seconds say more than seconds where others use the machine too.
--naive: the stack that one would put together from the same libraries, on the same turns of customers (naive.py).
--growth: the same at 1/8, 1/4, 1/2 and 1 of the share, and the exponent b of time ~ rows^b for each stage.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from load import CALLS, write_load
from planted import pairwise_f1, planted_sentences, scores
from process_tree import Watched, watch

from flows.logs import read_lines
from voc.store import read_table
from voc.tables import EMBEDDINGS, MENTIONS, RUNS, SENTENCES, TURNS

ROOT = Path(__file__).parents[2]
NLP = ("sentences", "embeddings", "opinions", "requests", "calls", "issues")
_UNITS = {
    **dict.fromkeys(("read", "parse", "clean", "mask", "link"), "turns"), "sentences": "customer_turns",
    "embeddings": "texts", "opinions": "texts", "requests": "voices", "calls": "turns", "issues": "voices",
}  # fmt: skip
_SMALL = 1.0  # processor seconds: a stage below it at the largest load has no exponent worth a look


def run_once(folder: Path, *, share: float, seed: int) -> tuple[pd.DataFrame, dict]:
    """(stage, seconds, cpu_seconds, texts; figures of the run) of one `voc run` on a new load in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = write_load(folder, share=share, seed=seed)
    watched = watch(
        [sys.executable, "-m", "flows.cli", "run", str(folder / "voc.toml")], cwd=folder,
        environment={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if watched.code:
        raise SystemExit(f"voc run ended with {watched.code}\n{watched.output[-4000:]}")
    figures = made | contents(folder) | {
        "seconds": watched.seconds, "cpu_seconds": float(watched.cpu[-1]), "peak_mb": watched.peak_mb,
        "processes": watched.peak_processes, "left": len(watched.left), "store_mb": size_mb(folder / "store"),
    }  # fmt: skip
    return stages(folder, watched, figures), figures


def contents(folder: Path) -> dict:
    """What the store holds after the run."""
    store = str(folder / "store")
    turns, sentences = read_table(TURNS, store=store), read_table(SENTENCES, store=store)
    long = turns.loc[(turns["speaker"] == "customer") & (turns["text"].str.len() > 6), "text"]
    embedded = read_table(EMBEDDINGS, store=store)["model"].value_counts()
    counts = json.loads(read_table(RUNS, store=store)["counts"].iloc[-1])
    return {
        "long_turns": len(long), "unique_share": long.nunique() / max(len(long), 1), "mean_length": float(long.str.len().mean()),
        "sentences": len(sentences), "voices": int(counts["voices"]), "texts": int(embedded.max()),
        "asked_e5_again": int(embedded.get("opinions", 0)), "entries": int(counts["issues"]),
        "requests": int(counts["requests"]),
    }  # fmt: skip


def stages(folder: Path, watched: Watched, figures: dict) -> pd.DataFrame:
    """One row per stage in the order of the run, from the product's own log; what lies between stages is a row of its own."""
    rows = []
    for line in read_lines(folder / "reports" / "logs"):
        if line["event"] != "stage":
            continue
        end = datetime.fromisoformat(line["at"]).timestamp()
        peak, own = watched.peak_between(end - line["seconds"], end)
        cpu = watched.cpu_between(end - line["seconds"], end)
        rows.append({"stage": line["stage"], "seconds": line["seconds"], "cpu_seconds": cpu, "mb": peak, "largest_mb": own})
    table = pd.DataFrame(rows).groupby("stage", sort=False).agg(
        {"seconds": "sum", "cpu_seconds": "sum", "mb": "max", "largest_mb": "max"}
    ).reset_index()  # fmt: skip
    between = {
        "stage": "(start, reading and between)", "seconds": watched.seconds - table["seconds"].sum(),
        "cpu_seconds": figures["cpu_seconds"] - table["cpu_seconds"].sum(),
    }  # fmt: skip
    table = pd.concat([table, pd.DataFrame([between])], ignore_index=True)
    table["texts"] = [figures.get(_UNITS.get(stage, ""), np.nan) for stage in table["stage"]]
    table["texts_per_cpu_second"] = table["texts"] / table["cpu_seconds"].where(table["cpu_seconds"] > 0.05)
    return table


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def show(table: pd.DataFrame, figures: dict, *, share: float) -> None:
    print(
        f"{figures['calls']:,} calls, {figures['turns']:,} turns ({figures['turns'] / figures['calls']:.1f} a call), "
        f"{figures['customer_turns']:,} of customers; {figures['customers']:,} customers\n"
        f"after masking: {figures['long_turns']:,} turns of customers over 6 characters, {figures['unique_share']:.1%} unique, "
        f"{figures['mean_length']:.0f} characters on average\n"
        f"{figures['sentences']:,} sentences, {figures['voices']:,} voices, {figures['texts']:,} distinct texts, "
        f"{figures['asked_e5_again']:,} of them read by the adapted E5; {figures['requests']:,} requests, {figures['entries']:,} issues\n"
    )
    print(table.to_string(index=False, float_format=lambda value: f"{value:,.1f}", na_rep="-"))
    full = figures["cpu_seconds"] / share
    print(
        f"\ntotal {figures['seconds']:,.0f} s, {figures['cpu_seconds']:,.0f} processor s; at most {figures['processes']} processes and "
        f"{figures['peak_mb']:,.0f} MB at once; {figures['left']} processes left; store {figures['store_mb']:,.0f} MB\n"
        f"extrapolated in proportion (not run): {CALLS:,} calls need {full / 60:,.0f} processor minutes, "
        f"{full / 120:,.0f} minutes on 2 free cores if both are used throughout; the part that is the same at any load "
        f"(start, models) is counted {1 / share:.0f} times in it\n",
        flush=True,
    )


def growth(folder: Path, *, share: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(processor seconds of each stage by calls; of each: exponent `b` over all four loads, `b_last` from the half to the whole,
    and by the line through these two, which leaves what is the same at any load out, ms a call and minutes of the full month)."""
    columns = {}
    for part in (8, 4, 2, 1):
        table, figures = run_once(folder / f"growth-{part}", share=share / part, seed=seed)
        columns[figures["calls"]] = table.set_index("stage")["cpu_seconds"]
        print(f"{figures['calls']:,} calls: {figures['cpu_seconds']:,.0f} processor s, {figures['peak_mb']:,.0f} MB", flush=True)
    table = pd.DataFrame(columns).fillna(0.0)
    table.loc["sentences to issues"] = table.loc[table.index.isin(NLP)].sum()
    table.loc["total"] = table.loc[~table.index.isin(["sentences to issues"])].sum()
    large = table[table.iloc[:, -1] >= _SMALL].clip(lower=0.01)
    logs, rows = np.log(large.to_numpy()), np.log(np.array(large.columns, dtype=float))
    found = pd.DataFrame({
        "b": [np.polyfit(rows, line, 1)[0] for line in logs],
        "b_last": (logs[:, -1] - logs[:, -2]) / (rows[-1] - rows[-2]),
    }, index=large.index)  # fmt: skip
    calls = np.array(large.columns, dtype=float)
    per_call = (large.iloc[:, -1] - large.iloc[:, -2]).to_numpy() / (calls[-1] - calls[-2])
    found["ms_per_call"], found["full_minutes"] = 1000 * per_call, (large.iloc[:, -1] + per_call * (CALLS - calls[-1])) / 60
    return table, found


def compare(folder: Path, table: pd.DataFrame, figures: dict) -> None:
    from naive import naive_stack

    found = naive_stack(folder)
    own = table[table["stage"].isin(NLP)]
    print(pd.DataFrame(found.parts).to_string(index=False, float_format=lambda value: f"{value:,.1f}"))
    naive_cpu, own_cpu = sum(part["cpu_seconds"] for part in found.parts), own["cpu_seconds"].sum()
    naive_wall, own_wall = sum(part["seconds"] for part in found.parts), own["seconds"].sum()
    print(
        f"sentences to issues: voc {own_cpu:,.0f} processor s ({own_wall:,.0f} s), naive {naive_cpu:,.0f} ({naive_wall:,.0f} s): "
        f"ratio {naive_cpu / own_cpu:.1f} in processor seconds, {naive_wall / own_wall:.1f} in seconds\n"
        "(the naive stack's first two parts are timed on a tenth of the turns where there are more than 5,000, and extrapolated "
        "in proportion; voc's figure holds opinions, requests and summaries of calls, for which the naive stack has nothing)\n"
    )
    planted = planted_sentences(folder)
    core = planted[planted["role"] == "core"]
    core = core.merge(read_table(SENTENCES, store=str(folder / "store"))[["sentence_id", "turn_id"]], on="sentence_id")
    best = read_table(MENTIONS, store=str(folder / "store")).sort_values("probability", ascending=False, kind="stable")
    core = core.merge(best.drop_duplicates("sentence_id")[["sentence_id", "issue_id"]], on="sentence_id", how="left")
    core = core.merge(found.topics, on="turn_id", how="left")
    rows = []
    for name, column in (("voc", "issue_id"), ("naive", "topic")):
        group = core[column].where(core[column].notna() & (core[column] != -1))
        taken = group.notna()
        alone = group.astype(object).where(taken, "alone " + core["sentence_id"])
        f1, precision, recall = pairwise_f1(core.loc[taken, "key"].to_numpy(), group[taken].to_numpy())
        rows.append({"stack": name, "groups": group.nunique(), "covered": taken.mean(), "f1_of_covered": f1, "precision": precision,
                     "recall": recall, "f1_of_all": pairwise_f1(core["key"].to_numpy(), alone.to_numpy())[0]})
    print("planted core sentences put together, over pairs (f1_of_all: one that is in no group counts as alone)")
    print(pd.DataFrame(rows).round(3).to_string(index=False))
    print("voc: " + ", ".join(f"{name} {value}" for name, value in scores(folder).items()) + "\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.02, help="of 60,000 calls")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where the load and its store are kept")
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="voc-throughput-"))
    print(f"{os.cpu_count()} cores; load before the start {os.getloadavg()[0]:.1f}", flush=True)
    if options.growth:
        table, found = growth(folder, share=options.share, seed=options.seed)
        print("processor seconds by calls\n" + table.round(1).to_string() + "\ntime ~ rows^b\n" + found.round(2).to_string())
        return
    table, figures = run_once(folder / "load", share=options.share, seed=options.seed)
    show(table, figures, share=options.share)
    if options.naive:
        compare(folder / "load", table, figures)


if __name__ == "__main__":
    main()
