"""The impact estimate on companies with a known truth: `python tests/benchmarks/impact.py --seeds 101-110`.

Prints one table: per world the means over seeds, ours and the formulas that other tools print.
cover: truth inside the 90 % interval. claim: harmless issues whose whole interval is above 0. rmse: error over the error
of answering 0. sum: sum over harmful issues / truth. found: harmful issues with >= 0.5 churns a month whose interval is
above 0. answered: of issues with >= 5 exposed churns. reverse: churns a month blamed on reverse issues. ndcg: of the
first ten by yen. cost: sum of errors / sum of contact costs. sure: issues of tier 推定値. careful: rmse of the shrunken
value; top5: its sum over the five largest / truth. banner: share of worlds in which the controls gave the alarm
(`voc.impact.estimation._banner`).
"""

import argparse
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.worlds import RATE, WORLDS, World, labelled_contacts, parameters, simulate
from voc.config import Costs
from voc.impact import estimate_labelled
from voc.impact.cost import contact_cost
from voc.impact.hazard import fit_hazard, prevented, prevented_tables

FEW = 5.0
COLUMNS = ["cover", "claim", "rmse", "sum", "found", "answered", "reverse", "ndcg", "cost", "sure", "careful", "top5", "banner", "seconds"]


def ours(world: World, *, seed: int = 1) -> pd.DataFrame:
    """By `voc.impact.estimate_labelled`: issue_id, mean, low, high (churns per month), yen, cost, is_sure."""
    found = estimate_labelled(
        labelled_contacts(world), world.customers, world.issues, usage=world.usage, nps=world.nps, params=parameters(world),
        seed=seed)
    table = found.table.set_index("issue_id").reindex(world.issues["issue_id"]).reset_index()
    names = {"churns_prevented_per_month": "mean", "lo": "low", "hi": "high", "yen_per_month": "yen",
             "contact_cost_per_month": "cost"}
    careful = found.estimate.impact.set_index("issue_id")["churns_shrunken"].reindex(table["issue_id"]).to_numpy()
    return table.rename(columns=names).assign(
        is_sure=table["tier"] == "推定値", careful=careful, is_alarmed=bool(found.estimate.diagnostics["banner"]))


def _costs() -> Costs:
    return Costs(yen_per_hour=dict(zip(("call", "email", "chat"), RATE.tolist(), strict=True)), concurrency={})


def naive(world: World, formula: str) -> pd.DataFrame:
    """The same columns by what other tools print: volume, churned contactors, rate difference, ever-contact logit."""
    best = world.links.sort_values("probability").groupby("contact").tail(1)
    n_issues, n = len(world.issues), len(world.customers)
    person = pd.Index(world.customers["customer_id"]).get_indexer(world.contacts["customer_id"])[best["contact"]]
    ever = sparse.csr_matrix((np.ones(len(best)), (person, best["issue"])), shape=(n, n_issues))
    ever.data[:] = 1.0
    left = world.customers["churn_date"].notna().to_numpy().astype(float)
    exposed, gone = np.asarray(ever.sum(axis=0)).ravel(), left @ ever
    months = world.setting.n_months
    if formula == "volume":
        mean = np.bincount(best["issue"], minlength=n_issues).astype(float)
        width = np.sqrt(mean)
    elif formula == "churned contactors":
        mean, width = gone, np.sqrt(gone)
    elif formula == "rate difference":
        rate, other = gone / np.maximum(exposed, 1), (left.sum() - gone) / np.maximum(n - exposed, 1)
        mean = (rate - other) * exposed
        width = exposed * np.sqrt(rate * (1 - rate) / np.maximum(exposed, 1) + other * (1 - other) / (n - exposed))
    else:
        plan = pd.get_dummies(world.customers[["plan", "segment"]], drop_first=True).to_numpy(dtype=float)
        x = np.column_stack([np.ones(n), plan])
        fit = fit_hazard(x, ever, left, np.arange(n), penalty=1e-3)
        eta = x @ fit.coefficients[:x.shape[1]] + ever @ fit.log_odds
        grid = prevented_tables(eta, ever, np.ones((n, 1)), n_months=1.0)
        z = np.array([0.0, -1.645, 1.645])
        mean, low, high = prevented(grid, np.clip(fit.log_odds[:, None] + z * fit.se[:, None], -4, 5))[:, 0].T / months
    if formula != "logit on ever-contact":
        mean, low, high = mean / months, (mean - 1.645 * width) / months, (mean + 1.645 * width) / months
    cost = np.bincount(best["issue"], contact_cost(
        world.contacts.assign(n_transfers=world.contacts["transfers"]), costs=_costs())[best["contact"]], n_issues) / months
    price = float((world.truth["ltv_yen"].abs().sum()) / max(world.truth["prevented"].abs().sum(), 1e-9))
    return pd.DataFrame({
        "issue_id": world.issues["issue_id"], "mean": mean, "low": low, "high": high, "cost": cost,
        "yen": np.maximum(mean, 0.0) * price + cost, "is_sure": True, "careful": np.nan, "is_alarmed": False})


FORMULAS = ("volume", "churned contactors", "rate difference", "logit on ever-contact")


def ndcg(yen: np.ndarray, truth: np.ndarray, k: int = 10) -> float:
    """NDCG@k with the true yen (not below 0) as gain; ties in the order of the table."""
    gain, discount = np.maximum(truth, 0.0), 1 / np.log2(np.arange(2, k + 2))
    found = gain[np.argsort(-yen, kind="stable")[:k]] @ discount
    return float(found / (np.sort(gain)[::-1][:k] @ discount))


def judge(answer: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """The figures of one answer; both tables in the order of the issues. `blind`: its interval columns are absent."""
    role, real = truth["role"].to_numpy(), truth["prevented"].to_numpy()
    mean, low, high = (answer[name].to_numpy() for name in ("mean", "low", "high"))
    told, cause = np.isfinite(mean), role != "reverse"
    judged, value = told & cause, np.nan_to_num(mean)
    harmful, harmless = role == "harmful", np.isin(role, ["zero", "control"]) | ((role == "harmful") & (real == 0))
    big = harmful & (real >= 0.5)
    many = cause & (truth["exposed_events"].to_numpy() >= FEW)
    zero = np.sqrt((real[cause] ** 2).mean())
    error = np.sqrt(((value - real)[cause] ** 2).mean())
    careful = answer["careful"].fillna(0.0).to_numpy()
    first = np.argsort(-careful, kind="stable")[:5]
    yen = (truth["ltv_yen"].clip(lower=0.0) + truth["cost_yen"]).to_numpy()
    return {
        "cover": ((low <= real) & (real <= high))[judged].mean() if judged.any() else np.nan,
        "claim": (low > 0)[harmless & told].mean() if (harmless & told).any() else np.nan,
        "claim_zero": (low > 0)[(role == "zero") & told].mean() if ((role == "zero") & told).any() else np.nan,
        "rmse": error / zero if zero else np.nan, "abs_rmse": error,
        "sum": value[harmful].sum() / real[harmful].sum() if zero else np.nan,
        "found": (low > 0)[big].mean() if big.any() else np.nan,
        "answered": told[many].mean() if many.any() else np.nan, "reverse": np.abs(value[~cause]).sum(),
        "ndcg": ndcg(answer["yen"].to_numpy(), yen),
        "cost": np.abs(answer["cost"] - truth["cost_yen"]).sum() / truth["cost_yen"].sum(),
        "sure": float(answer["is_sure"].sum()), "banner": float(answer["is_alarmed"].any()),
        "careful": np.sqrt(((careful - real)[cause] ** 2).mean()) / zero if zero else np.nan,
        "top5": careful[first].sum() / real[first].sum() if real[first].sum() > 0 else np.nan,
    }


def one(task: tuple[str, int], *, formulas: tuple[str, ...]) -> list[dict]:
    name, seed = task
    world = simulate(WORLDS[name], seed)
    start = perf_counter()
    rows = [{"world": name, "seed": seed, "method": "voc", **judge(ours(world), world.truth)}]
    rows[0]["seconds"] = perf_counter() - start
    for formula in formulas:
        start = perf_counter()
        rows.append({"world": name, "seed": seed, "method": formula, **judge(naive(world, formula), world.truth),
                     "seconds": perf_counter() - start})
    return rows


def run(
    tasks: list[tuple[str, int]], *, jobs: int, formulas: tuple[str, ...], csv: Path | None = None
) -> pd.DataFrame:
    """One row per task and method; `csv` grows task by task."""
    work, found = partial(one, formulas=formulas), []
    with ProcessPoolExecutor(jobs) as pool:
        for rows in pool.map(work, tasks):
            found += rows
            if csv:
                pd.DataFrame(found).to_csv(csv, index=False)
    return pd.DataFrame(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="101-110", help="5, 1-5 or 1,3,7")
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--no-naive", action="store_true")
    parser.add_argument("--csv", type=Path, help="every world and seed, written as they come")
    options = parser.parse_args()
    seeds = [seed for part in options.seeds.split(",") for seed in range(
        int(part.split("-")[0]), int(part.split("-")[-1]) + 1)]
    table = run([(name, seed) for seed in seeds for name in options.worlds], jobs=options.jobs,
                formulas=() if options.no_naive else FORMULAS, csv=options.csv)
    shown = table.groupby(["method", "world"], sort=False)[COLUMNS].mean().reset_index()
    order = {method: position for position, method in enumerate(("voc", *FORMULAS))}
    shown = shown.sort_values("method", key=lambda names: names.map(order), kind="stable")
    print(f"{len(seeds)} seeds a world: {options.seeds}")
    print(shown.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
