"""The impact estimate from text to churns on the demo company: `python tests/benchmarks/end_to_end.py 311 312 --folder DEMOS`.

Each seed is run by `voc demo` (minutes; kept in `--folder`, and not run again), then the impact is estimated from its store
several times. Columns as in `tests/benchmarks/impact.py`. Lines:
planted labels: what was really said, so that only the size of the company and the method remain.
from text: labels found by the product, nothing told it. + 2 controls: two administrative issues confirmed in the configuration,
as after a first report. + N checked: N sentences answered はい / いいえ (here by the planted truth) through the code
of `voc issues sample` and `voc issues import`, and all sentences matched again with the same ledger.

The truth is per planted issue. Where the ledger has several entries about it, they share its truth by the contacts that they
hold; what an entry holds of other issues' sentences is an error of the labels and stays one. A planted issue that no
entry is about is answered by nobody.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.impact import COLUMNS, judge
from tests.benchmarks.ledger import read_voices
from tests.benchmarks.planted import planted_sentences
from voc.config import Config, load_config
from voc.customers.signals import contact_moods
from voc.demo.catalogue import load_catalogue
from voc.demo.world import World, labels, simulate
from voc.impact.estimation import Estimate, estimate
from voc.issues.calibration import COLUMNS as SHEET
from voc.issues.calibration import add_labels, calibrated, choose_sample, fit_calibration, is_calibrated, read_answers
from voc.issues.kinds import kind_shares
from voc.issues.matching import match_probabilities, mention_rows, voice_vectors
from voc.issues.matter import names_a_matter
from voc.issues.prototypes import active_prototypes, best_per_issue, reported
from voc.issues.sample_sheet import with_context
from voc.store import read_table
from voc.tables import (
    CONTACTS,
    CUSTOMERS,
    ISSUE_LABELS,
    ISSUES,
    MENTIONS,
    OPINIONS,
    SENTENCES,
    USAGE,
    empty,
)

CONTROLS = 2  # confirmed ones
CHECKED = 200  # sentences
_TRUTH = {"prevented_12": "prevented", "ltv_yen_12": "ltv_yen", "contact_cost_yen_12": "cost_yen"}


def from_text(folder: Path, config: Config, mentions: pd.DataFrame, issues: pd.DataFrame, *, controls=(), checked: bool = False) -> Estimate:
    """The estimate as `voc run` makes it from the store (flows/analyze.py), with these labels."""
    store = str(folder / "store")
    contacts = read_table(CONTACTS, store=store)
    moods = contact_moods(read_table(OPINIONS, store=store), read_table(SENTENCES, store=store))
    issues = reported(issues)
    return estimate(
        contacts[contacts["duplicate_of"].isna()], mentions[mentions["issue_id"].isin(issues["issue_id"])],
        read_table(CUSTOMERS, store=store), read_table(USAGE, store=store), issues, as_of=pd.Timestamp(config.company.as_of_on),
        sentiment=moods.set_index("contact_id")["strength"], is_calibrated=checked, controls=controls, impact=config.impact,
        value=config.value, costs=config.costs, seed=config.seed,
    )


def from_planted(world: World, config: Config, *, controls=()) -> Estimate:
    """The estimate with labels as they were planted."""
    tables = labels(world)
    return estimate(
        *(tables[name] for name in ("contacts", "mentions", "customers", "usage", "issues")), controls=controls,
        as_of=pd.Timestamp(config.company.as_of_on), impact=config.impact, value=config.value, costs=config.costs, seed=config.seed)


def checked_by_hand(
    folder: Path, mentions: pd.DataFrame, issues: pd.DataFrame, core: pd.DataFrame, *, n: int, seed: int
) -> tuple[pd.DataFrame, bool]:
    """(mentions, whether calibrated) after `n` answers, each as the planted truth has it; the issues stay as they are."""
    own = main_keys(mentions, core).set_index("issue_id")["key"]
    sheet = choose_sample(mentions, with_context(read_table(SENTENCES, store=str(folder / "store"))), issues, n=n, seed=seed)
    # a sentence of no matter of its own (a wish, a detail) is judged by what else its contact says
    of_sentence, of_contact = (core.groupby(column)["key"].agg(set).to_dict() for column in ("sentence_id", "contact_id"))
    contact = mentions.drop_duplicates("sentence_id").set_index("sentence_id")["contact_id"]
    is_right = [
        own.get(issue_id) in (of_sentence.get(sentence_id) or of_contact.get(contact[sentence_id], set()))
        for issue_id, sentence_id in zip(sheet[SHEET["issue_id"]], sheet[SHEET["sentence_id"]], strict=True)
    ]
    answers = read_answers(sheet.assign(**{SHEET["answer"]: np.where(is_right, "はい", "いいえ")}).astype(str), known=set(issues["issue_id"]))
    voices, opinions, vectors = read_voices(folder)
    at = voices["started_at"].max()
    calibration = fit_calibration(add_labels(empty(ISSUE_LABELS), answers, at=at, by="benchmark"), at=at)
    order = np.lexsort((voices["sentence_id"].to_numpy(dtype=str), voices["contact_id"].to_numpy(dtype=str)))
    voices, opinions, vectors = voices.iloc[order].reset_index(drop=True), opinions.iloc[order].reset_index(drop=True), vectors[order]
    points = voice_vectors(vectors, kind_shares(voices["text"], opinions), contacts=voices["contact_id"])
    active = active_prototypes(issues)
    chances, ids = best_per_issue(match_probabilities(points, active.centroids, active.thresholds, owners=active.ids), active)
    chances = calibrated(chances, ids, calibration)
    chances[~voices["terms"].map(names_a_matter).to_numpy(dtype=bool)] = 0.0
    return mention_rows(chances, voices, ids), is_calibrated(calibration)


def main_keys(mentions: pd.DataFrame, core: pd.DataFrame) -> pd.DataFrame:
    """issue_id, key: the planted issue that most core sentences of each entry are about ('' where it has none)."""
    counts = mentions.merge(core[["sentence_id", "key"]], on="sentence_id").groupby(["issue_id", "key"]).size().rename("n").reset_index()
    best = counts.sort_values(["issue_id", "n", "key"], ascending=[True, False, True]).drop_duplicates("issue_id")
    return mentions[["issue_id"]].drop_duplicates().merge(best[["issue_id", "key"]], on="issue_id", how="left").fillna({"key": ""})


def truth_of_entries(truth: pd.DataFrame, mentions: pd.DataFrame, core: pd.DataFrame) -> pd.DataFrame:
    """issue_id, key, role, prevented, ltv_yen, cost_yen, share: the truth of each entry and of planted issues without one.

    `truth`: one row per planted issue with key, role and the three figures a month.
    """
    own = main_keys(mentions, core)
    held = mentions.merge(own, on="issue_id").merge(core[["contact_id", "key"]].drop_duplicates(), on=["contact_id", "key"])
    held = held.groupby(["issue_id", "contact_id"])["probability"].max().groupby("issue_id").sum()
    own["share"] = own["issue_id"].map(held).fillna(0.0)
    own["share"] /= own.groupby("key")["share"].transform("sum").where(lambda total: total > 0, 1.0)
    rows = truth.merge(own, on="key", how="outer").fillna({"role": "zero", "share": 1.0})
    rows["issue_id"] = rows["issue_id"].fillna("(" + rows["key"] + ")")
    figures = ["prevented", "ltv_yen", "cost_yen", "exposed_events"]
    rows[figures] = rows[figures].fillna(0.0).mul(rows["share"], axis=0)
    return rows.sort_values("issue_id", ignore_index=True)


def figures_of(found: Estimate, truth: pd.DataFrame) -> dict[str, float]:
    """The columns of `tests/benchmarks/impact.py`, and the window that was learned."""
    table = found.impact.set_index("issue_id").reindex(truth["issue_id"])
    cost = table["contact_cost_yen"].fillna(0.0)
    answer = pd.DataFrame({
        "mean": table["churns_prevented"], "low": table["churns_low"], "high": table["churns_high"], "cost": cost,
        "yen": table["ltv_shrunken_yen"].fillna(0.0) + cost, "is_sure": table["tier"] == "推定値",
        "careful": table["churns_shrunken"], "is_alarmed": bool(found.diagnostics["banner"]),
    }).reset_index(drop=True)
    return {**judge(answer, truth), "window": found.diagnostics["window_months"]}


def administrative(truth: pd.DataFrame, mentions: pd.DataFrame) -> list[str]:
    """The most spoken entries about what cannot make anybody leave, one a matter, as a person confirms them."""
    mine = truth[truth["role"] == "control"].assign(size=lambda d: d["issue_id"].map(mentions["issue_id"].value_counts()).fillna(0))
    return mine.sort_values(["size", "issue_id"], ascending=[False, True]).drop_duplicates("key")["issue_id"].head(CONTROLS).tolist()


def lines_of(folder: Path, *, n_checked: int = CHECKED) -> list[dict]:
    """One row per line of the table for one demo folder that `voc demo` has finished."""
    config, store = load_config(folder / "voc.toml"), str(folder / "store")
    params = pd.read_json(folder / "truth" / "params.json", typ="series")
    world = simulate(load_catalogue(), seed=int(params["seed"]), n_customers=int(params["n_customers"]), n_months=int(params["n_months"]))
    mentions, issues = read_table(MENTIONS, store=store), read_table(ISSUES, store=store)
    planted = planted_sentences(folder)
    core = planted[planted["role"] == "core"]
    truth = world.truth.rename(columns=_TRUTH)[["key", "role", *_TRUTH.values()]]
    rows, found = [], from_planted(world, config)
    truth["exposed_events"] = found.impact.set_index("issue_id")["n_exposed_events"].reindex(truth["key"]).to_numpy()
    told = truth.assign(issue_id=truth["key"])
    rows.append({"line": "planted labels", **figures_of(found, told)})
    confirmed = told.loc[told["role"] == "control", "key"].head(CONTROLS).tolist()
    rows.append({"line": f"planted labels + {CONTROLS} controls", **figures_of(from_planted(world, config, controls=confirmed), told)})
    for name, checked in (("from text", 0), (f"from text + {n_checked} checked", n_checked)):
        is_checked = False
        if checked:
            mentions, is_checked = checked_by_hand(folder, mentions, issues, core, n=checked, seed=config.seed)
        own = truth_of_entries(truth, mentions, core)
        for suffix, controls in (("", []), (f" + {CONTROLS} controls", administrative(own, mentions))):
            found = from_text(folder, config, mentions, issues, controls=controls, checked=is_checked)
            rows.append({"line": name + suffix, **figures_of(found, own)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--folder", type=Path, required=True, help="where the demos are kept, one folder a seed")
    parser.add_argument("--customers", type=int, default=4000)
    parser.add_argument("--csv", type=Path, help="every seed, written as they come")
    options = parser.parse_args()
    rows = []
    for seed in options.seeds:
        own = options.folder / f"seed{seed}"
        if not (own / "reports").is_dir():
            command = ["demo", "--seed", str(seed), "--customers", str(options.customers), "--folder", str(own)]
            subprocess.run([sys.executable, "-m", "flows.cli", *command], check=True)
        rows += [{"seed": seed, **row} for row in lines_of(own)]
        table = pd.DataFrame(rows)
        if options.csv:
            table.to_csv(options.csv, index=False)
        shown = [name for name in COLUMNS if name in table] + ["window"]
        print(f"{table['seed'].nunique()} seeds\n" + table.groupby("line", sort=False)[shown].mean().round(2).to_string(), flush=True)


if __name__ == "__main__":
    main()
