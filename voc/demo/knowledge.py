"""What the demo company gives beside its contacts: FAQ search and view logs, an option catalogue, and what is planted there.

Of every how-to issue one thing is true: no article answers it, its article is not found by the words that customers type,
its article is read and does not help, or nothing is wrong (faq_use.tsv). Options that grant a request: options.tsv.
"""

import random
from importlib.resources import files

import pandas as pd

_LOST = {"no_article": 0.5, "not_found": 0.6, "unclear": 0.05, "has_article": 0.08}  # searched in vain before a contact
_READ = {"not_found": 0.03, "unclear": 0.55, "has_article": 0.05}  # read the article just before a contact
_HELPED = {"not_found": 0.5, "unclear": 1.5, "has_article": 2.5}  # readers per contact who never contacted
_MINUTES = (4, 45)


def load_faq_use() -> pd.DataFrame:
    """Columns key, state, article_id, query, lost_query (tuples of texts)."""
    frame = _read("faq_use.tsv")
    return frame.assign(**{name: [tuple(filter(None, text.split("|"))) for text in frame[name]] for name in ("query", "lost_query")})


def load_options() -> pd.DataFrame:
    """Columns option_id, name, description, plans, price_yen, key (the planted issue that it grants, or '')."""
    return _read("options.tsv")


def faq_log(contacts: pd.DataFrame, *, seed: int, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Columns at (in the zone of `contacts`), query, article_id, n_hits ('' where not of that row), from `first` to `last`.

    `contacts`: contact_id, at, channel, issues. Each contact has a generator of its own.
    """
    use = {row["key"]: row for row in load_faq_use().to_dict("records")}
    asked = contacts[contacts["channel"] != "survey"]
    rows: list[tuple] = []
    for contact_id, at, issues in zip(asked["contact_id"], asked["at"], asked["issues"], strict=True):
        matter = next((use[key] for key in issues if key in use), None)
        if matter is not None:
            rows += _around(random.Random(f"{seed}:faq:{contact_id}"), matter, at)
    log = pd.DataFrame(rows, columns=["at", "query", "article_id", "n_hits"])
    log = log[(log["at"] >= first) & (log["at"] < last)]
    return log.sort_values(["at", "query", "article_id"], kind="stable", ignore_index=True)


def _around(rng: random.Random, matter: dict, at: pd.Timestamp) -> list[tuple]:
    """What was searched and read before one contact, and by those who found their answer about that time."""
    state, rows = matter["state"], []
    before = at - pd.Timedelta(minutes=rng.randint(*_MINUTES))
    if rng.random() < _LOST[state]:
        rows.append((before, rng.choice(matter["lost_query"]), "", "0"))
    if rng.random() < _READ.get(state, 0.0):
        rows.append((before + pd.Timedelta(seconds=50), "", matter["article_id"], ""))
    helped = _HELPED.get(state, 0.0)
    for _ in range(int(helped) + (rng.random() < helped % 1)):
        moment = at + pd.Timedelta(minutes=rng.randint(-20 * 1440, 20 * 1440))
        if rng.random() < 0.7:
            rows.append((moment, rng.choice(matter["query"]), "", str(rng.randint(1, 6))))
        rows.append((moment + pd.Timedelta(seconds=rng.randint(10, 90)), "", matter["article_id"], ""))
    return rows


def _read(name: str) -> pd.DataFrame:
    with (files("voc.demo") / name).open(encoding="utf-8") as handle:
        return pd.read_csv(handle, sep="\t", quoting=3, dtype=str, keep_default_na=False)
