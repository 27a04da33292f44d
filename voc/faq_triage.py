"""How-to contacts and the FAQ: is there an article, do people find it, does it answer them, and what is that worth."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.config import Matches
from voc.impact.periods import DAYS_PER_MONTH, ZONE
from voc.impact.records import LIKELY
from voc.intervals import Z90
from voc.issues.kinds import matter_part

TRIAGED = ("使い方", "手続き")
NO_ARTICLE, HAS_ARTICLE, NOT_FOUND, UNCLEAR = "no_article", "has_article", "not_found", "unclear"
_NEARLY = 0.1  # of the cosine: within so much of the threshold an article is やや近い; the number stands in column `similarity`
VIEW_MINUTES = 60  # a contact so soon after a view may follow from it
SHIFT_DAYS = (-14, -7, 7, 14)  # the same weekday and hour: how many contacts stand behind a view by chance
MIN_CASES = 5.0  # searches without hit, or contacts after a view beyond chance, below which nothing is concluded
LOST_SHARE, AFTER_VIEW_SHARE = 0.3, 0.2
MAX_QUERIES = 3000
_DAY = 86_400
COLUMNS = [
    "issue_id", "state", "article_id", "article_title", "similarity", "n_contacts", "n_searches", "n_not_found", "n_views",
    "contacts_after_view", "yen_low", "yen_high", "evidence",
]  # fmt: skip


@dataclass(frozen=True)
class LogCounts:
    """Per issue over the days that logs cover: counts, not per month. `months`: their length; `share`: part of the
    searches that was looked at."""

    searches: np.ndarray
    lost: np.ndarray
    views: np.ndarray
    after_view: np.ndarray
    is_beyond_chance: np.ndarray
    contacts: np.ndarray
    months: float
    share: float


def faq_triage(
    issues: pd.DataFrame, impact: pd.DataFrame, mentions: pd.DataFrame, faq: pd.DataFrame, logs: pd.DataFrame, *,
    meanings: Callable[[list[str]], np.ndarray], matches: Matches, period: tuple[pd.Timestamp, pd.Timestamp],
    timezone: str = ZONE,
) -> pd.DataFrame:
    """FAQ_TRIAGE of the 使い方 and 手続き issues (ISSUES, IMPACT, MENTIONS, FAQ, FAQ_LOGS); empty without FAQ articles.

    similarity: cosine of the issue to the nearest article, the higher one of its title and of title + body. no_article: below
    `matches.article`. not_found: at least 30 % (and five) of the searches about the issue found nothing. unclear: at
    least 20 % (and five) of its contacts came within 60 minutes after a view of the article, beyond what views moved
    by one and two weeks give and beyond chance (5 %); the log knows no customers. has_article: else.
    Counts are per month, those of logs over the days of `period` (first day, last day + 1, in `timezone`) that the logs cover, empty
    without logs. yen: the deflectable contact cost per month of IMPACT; where an article stands and nothing tells what
    is wrong with it the low end is 0. `meanings` gives texts their vectors in the space of the issues.
    """
    table = issues.merge(impact, on="issue_id", how="left", suffixes=("", "_impact"))
    chosen = np.flatnonzero(table["kind"].isin(TRIAGED))
    if not len(chosen) or faq.empty:
        return pd.DataFrame(columns=COLUMNS)
    faq = faq.sort_values("article_id", kind="stable", ignore_index=True)
    matters = matter_part(issues["centroid"])
    nearest, similarity = nearest_articles(matters[chosen], faq, meanings=meanings)
    article = faq["article_id"].to_numpy(dtype=object)[nearest]
    counts = _log_counts(
        logs, mentions, issues["issue_id"].to_numpy(dtype=object)[chosen], chosen, article, matters=matters, meanings=meanings,
        least=matches.query, period=period, timezone=timezone)
    state = _states(similarity >= matches.article, counts)
    table = table.iloc[chosen].reset_index(drop=True).assign(
        state=state, similarity=similarity, article_id=np.where(state == NO_ARTICLE, None, article),
        article_title=faq["title"].to_numpy(dtype=object)[nearest],
    )
    for name, values in (("n_searches", "searches"), ("n_not_found", "lost"), ("n_views", "views"), ("contacts_after_view", "after_view")):
        table[name] = np.nan if counts is None else getattr(counts, values) / counts.months
    table.loc[table["state"] == NO_ARTICLE, ["n_views", "contacts_after_view"]] = np.nan
    table["n_contacts"] = table["n_contacts"].fillna(0.0)
    table["yen_high"] = table["deflectable_high_yen"].fillna(0.0)
    table["yen_low"] = table["deflectable_low_yen"].fillna(0.0).where(table["state"] != HAS_ARTICLE, 0.0)
    share = 1.0 if counts is None else counts.share
    table["evidence"] = [_evidence(row, least=matches.article, share=share) for row in table.to_dict("records")]
    table["article_title"] = table["article_title"].where(table["state"] != NO_ARTICLE, None)
    return table[COLUMNS]


def nearest_articles(
    matters: np.ndarray, faq: pd.DataFrame, *, meanings: Callable[[list[str]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """(row of the nearest article, its similarity) of each issue: the higher cosine of its title and of title + body."""
    title, body = faq["title"].fillna("").tolist(), faq["body"].fillna("").tolist()
    whole = [f"{head}。{text}" for head, text in zip(title, body, strict=True)]
    found = meanings([*title, *whole])
    cosines = np.maximum(matters @ found[: len(faq)].T, matters @ found[len(faq) :].T)
    best = cosines.argmax(axis=1)
    return best, cosines[np.arange(len(matters)), best]


def _log_counts(
    logs: pd.DataFrame, mentions: pd.DataFrame, issue_ids: np.ndarray, places: np.ndarray, article: np.ndarray, *,
    matters: np.ndarray, meanings, least: float, period: tuple[pd.Timestamp, pd.Timestamp], timezone: str,
) -> LogCounts | None:
    """`issue_ids`, `article`: of the triaged issues; `places`: their rows among all issues, which compete for searches."""
    begin, end = (pd.Timestamp(day).tz_localize(timezone) for day in period)
    logs = logs[(logs["at"] >= begin) & (logs["at"] < end)]
    if logs.empty:
        return None
    # a log that starts or ends within the period covers only its own days
    first, last = logs["at"].min().tz_convert(timezone).normalize(), logs["at"].max().tz_convert(timezone).normalize()
    end = min(end, last + pd.Timedelta(days=1))
    searched, lost, share = _searches(logs[logs["query"].notna()], matters, meanings=meanings, least=least)
    said = mentions[(mentions["probability"] >= LIKELY) & (mentions["mentioned_at"] >= first) & (mentions["mentioned_at"] < end)]
    said = said.drop_duplicates(["issue_id", "contact_id"])
    moments = {issue: _seconds(group["mentioned_at"]) for issue, group in said.groupby("issue_id")}
    viewed = logs[logs["article_id"].notna()]  # a click on a search result is a view too
    views = {name: _seconds(group["at"]) for name, group in viewed.groupby("article_id")}
    none, within = np.empty(0, dtype="int64"), (int(first.timestamp()), int(end.timestamp()))
    after = [after_views(moments.get(issue, none), views.get(name, none), within=within)
             for issue, name in zip(issue_ids, article, strict=True)]  # fmt: skip
    return LogCounts(
        searched[places], lost[places], np.array([len(views.get(name, none)) for name in article], dtype="float64"),
        np.array([excess for excess, _ in after]), np.array([beyond for _, beyond in after], dtype=bool),
        np.array([len(moments.get(issue, none)) for issue in issue_ids], dtype="float64"),
        (end - first) / pd.Timedelta(days=DAYS_PER_MONTH), share,
    )  # fmt: skip


def _searches(searches: pd.DataFrame, matters: np.ndarray, *, meanings, least: float) -> tuple[np.ndarray, np.ndarray, float]:
    """(searches, searches without hit) of each issue, and the share of all searches that was looked at: each is given
    to the nearest issue, if near enough; the most frequent 3,000 different ones are looked at."""
    n = len(matters)
    counted = searches.groupby("query").agg(n=("query", "size"), lost=("is_found", lambda found: int(found.eq(False).sum())))
    counted = counted.sort_index().sort_values("n", ascending=False, kind="stable")
    kept = counted.head(MAX_QUERIES)
    if kept.empty:
        return np.zeros(n), np.zeros(n), 1.0
    cosines = meanings(kept.index.tolist()) @ matters.T
    owner = np.where(cosines.max(axis=1) >= least, cosines.argmax(axis=1), n)
    sums = [np.bincount(owner, weights=kept[name].astype("float64"), minlength=n + 1)[:n] for name in ("n", "lost")]
    return *sums, float(kept["n"].sum() / counted["n"].sum())


def after_views(contacts: np.ndarray, views: np.ndarray, *, within: tuple[int, int]) -> tuple[float, bool]:
    """(contacts within 60 minutes after a view, beyond what chance gives; whether that excess is beyond chance at 5 %).

    By chance: the mean of the same count with the views moved by one and two weeks to either side, over the contacts
    for which the moved hour still lies in the log (`within`). All in whole seconds, ascending.
    """
    if not len(contacts) or not len(views):
        return 0.0, False
    observed, n = _soon_after(contacts, views, within=within)
    moved = [_soon_after(contacts - days * _DAY, views, within=within) for days in SHIFT_DAYS]
    told = sum(m for _, m in moved)
    if not told:
        return observed, False
    chance = sum(found for found, _ in moved) / told * n
    excess = max(observed - chance, 0.0) / max(1.0 - chance / max(n, 1), 0.1)  # a contact that follows a view may also stand behind another
    return excess, bool(observed - chance > Z90 * np.sqrt(observed + chance * n / told))


def _soon_after(contacts: np.ndarray, views: np.ndarray, *, within: tuple[int, int]) -> tuple[float, int]:
    told = contacts[(contacts >= within[0]) & (contacts < within[1])]
    latest = np.searchsorted(views, told, side="right") - 1
    return float(((latest >= 0) & (told - views[np.maximum(latest, 0)] <= VIEW_MINUTES * 60)).sum()), len(told)


def _seconds(instants: pd.Series) -> np.ndarray:
    return np.sort(instants.to_numpy(dtype="datetime64[s]").astype("int64"))


def _states(has_article: np.ndarray, counts: LogCounts | None) -> np.ndarray:
    state = np.where(has_article, HAS_ARTICLE, NO_ARTICLE).astype(object)
    if counts is None:
        return state
    lost = (counts.lost >= MIN_CASES) & (counts.lost >= LOST_SHARE * counts.searches)
    unclear = (
        counts.is_beyond_chance & (counts.after_view >= MIN_CASES) & (counts.after_view >= AFTER_VIEW_SHARE * counts.contacts))
    state[has_article & lost] = NOT_FOUND
    state[has_article & unclear & (~lost | (counts.after_view > counts.lost))] = UNCLEAR
    return state


def _evidence(row: dict, *, least: float, share: float) -> str:
    title = row["article_title"]
    part = f"（{row['deflectable_low_yen'] / row['contact_cost_yen']:.0%}〜{row['deflectable_high_yen'] / row['contact_cost_yen']:.0%} が自己解決できると想定）" if row["contact_cost_yen"] > 0 else ""
    parts = []
    if row["state"] == NO_ARTICLE:
        parts.append(f"答えになる FAQ 記事がありません（最も近い記事は「{title}」ですが、{'内容がやや近いだけです' if row['similarity'] >= least - _NEARLY else '別の内容です'}）。")
    else:
        parts.append(f"記事「{title}」があります（内容が{'近い' if row['similarity'] >= least + _NEARLY else 'やや近い'}）。")
    if row["n_searches"] > 0:
        parts.append(f"FAQ 内の検索は月 {row['n_searches']:.1f} 回、うち {row['n_not_found']:.1f} 回は何も見つかっていません。")
    if row["state"] != NO_ARTICLE and row["n_views"] > 0:
        after = f"偶然より月 {row['contacts_after_view']:.1f} 件多くあります" if row["contacts_after_view"] >= 0.05 else "偶然より多くはありません"
        parts.append(f"記事は月 {row['n_views']:.1f} 回読まれ、読んで {VIEW_MINUTES} 分以内の問い合わせは{after}。")
    parts.append({
        NO_ARTICLE: f"記事を作れば問い合わせを減らせます{part}。", NOT_FOUND: f"検索する言葉を記事に加えれば届きます{part}。",
        UNCLEAR: f"読んでも解決していないため、書き直しが要ります{part}。",
        HAS_ARTICLE: f"記事があっても月 {row['n_contacts']:.1f} 件の問い合わせがあります。原因は記録から分からず、減らせる額は 0 円からの幅です。",
    }[row["state"]])  # fmt: skip
    if share < 1:
        parts.append(f"検索語は多い順に {MAX_QUERIES:,} 種類（検索の {share:.0%}）を見ています。")
    return "".join(parts)
