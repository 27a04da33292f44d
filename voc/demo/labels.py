"""The product's tables as they would be if the texts had been read: for tests of the impact without any text."""

import hashlib

import numpy as np
import pandas as pd

from voc.tables import CONTACTS, CUSTOMERS, ISSUES, MENTIONS, USAGE, check

_SMALLEST = 0.02


def labels(world, *, accuracy: float | None = None, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Tables `contacts`, `mentions`, `customers`, `usage`, `issues` of `world`, each checked.

    accuracy: None gives probability 1 to what was said. Otherwise a calibrated classifier of that mean accuracy:
    every planted mention shows a Gaussian signal over all issues and the probability is its exact posterior.
    issue_id is the key of the catalogue, sentence_id the contact_id with -0 (and -1 for a second issue).
    Mails have no handling time, as in the files.
    """
    said = world.contacts[["contact_id", "customer_id", "started_at", "issues"]].explode("issues").dropna(
        subset=["issues"])
    keys = world.catalogue["key"].to_numpy()
    true = pd.Index(keys).get_indexer(said["issues"])
    order = said.groupby("contact_id").cumcount().astype(str)
    base = pd.DataFrame({
        "sentence_id": said["contact_id"] + "-" + order, "contact_id": said["contact_id"],
        "customer_id": said["customer_id"], "mentioned_at": said["started_at"],
    }).reset_index(drop=True)
    if accuracy is None:
        mentions = base.assign(issue_id=keys[true], probability=1.0)
    else:
        posterior = _posterior(true, len(keys), accuracy=accuracy, rng=np.random.default_rng([seed, 7]))
        row, column = np.nonzero(posterior >= _SMALLEST)
        mentions = base.iloc[row].assign(issue_id=keys[column], probability=posterior[row, column])
    contacts = world.contacts.drop(columns=["issues", "repeat_of", "is_muttering"]).assign(source="world")
    contacts["source_row"] = contacts["contact_id"]
    contacts["content_sha"] = [hashlib.sha256(name.encode()).hexdigest() for name in contacts["contact_id"]]
    contacts.loc[contacts["channel"] == "email", "handle_seconds"] = np.nan
    return {
        "contacts": check(contacts, CONTACTS),
        "mentions": check(mentions, MENTIONS),
        "customers": check(world.customers, CUSTOMERS),
        "usage": check(world.usage, USAGE),
        "issues": check(_issues(world.catalogue, mentions), ISSUES),
    }


def _posterior(true: np.ndarray, n_issues: int, *, accuracy: float, rng: np.random.Generator) -> np.ndarray:
    """Rows of P(issue | signal); the strength of the signal is found so that the best guess is right that often."""
    prior = np.bincount(true, minlength=n_issues) / max(len(true), 1)
    noise = rng.standard_normal((len(true), n_issues))
    hit = np.arange(n_issues)[None, :] == true[:, None]

    def posterior(strength: float) -> np.ndarray:
        with np.errstate(divide="ignore"):
            score = np.log(prior) + strength * (noise + strength * hit)
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return score / score.sum(axis=1, keepdims=True)

    low, high = 0.01, 12.0
    for _ in range(25):
        middle = (low + high) / 2
        right = (posterior(middle).argmax(axis=1) == true).mean()
        low, high = (middle, high) if right < accuracy else (low, middle)
    return posterior(high)


def _issues(catalogue: pd.DataFrame, mentions: pd.DataFrame) -> pd.DataFrame:
    first = mentions.groupby("issue_id")["mentioned_at"].min()
    heard = catalogue[catalogue["key"].isin(first.index)]
    n = len(heard)
    return pd.DataFrame({
        "issue_id": heard["key"], "label": heard["topic"], "kind": heard["kind"], "status": "open",
        "first_seen_at": heard["key"].map(first), "centroid": [[] for _ in range(n)], "threshold": 0.5,
        "exemplar_ids": [[] for _ in range(n)], "keywords": [[] for _ in range(n)],
        "n_sentences": heard["key"].map(mentions.groupby("issue_id")["sentence_id"].nunique()),
    })
