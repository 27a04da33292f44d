"""What grows and what fades: contacts of the last weeks against what the weeks before let one expect.

Expected counts follow the volume of each channel, so that a wave of survey answers is no surge of every issue. With two
years of data the season counts too. A straight trend is deliberately no part of what is expected: it would explain away
an issue that grows week by week, which is what the reader asks for (measured in tests/benchmarks/trends.py).
Overdispersion is estimated for each issue (quasi-Poisson), many issues are corrected for (Benjamini-Hochberg).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc
from scipy.stats import chi2, false_discovery_control
from statsmodels.genmod.families import Poisson  # not statsmodels.api: it loads all models and takes four times as long
from statsmodels.genmod.generalized_linear_model import GLM

from voc.tables import ISSUE_TRENDS, check, empty

RECENT, BEFORE, SHOWN = 4, 26, 26
"""Weeks that are tested, weeks they are compared with, weeks that the table keeps."""
FALSE_SHARE = 0.10
"""At most this share of the issues that are called emerging or fading is so by chance (Benjamini-Hochberg)."""
AFTER_FIX = 8
"""Whole weeks after an action before it is judged."""
_LEAST_BEFORE = 8  # weeks without which nothing is compared
_NOTABLE = 1.25  # a surer but smaller change is no news
_FEWEST = 5.0  # contacts seen and expected together, below which nothing is tested
_NEW = 3  # contacts that make a new issue worth a line
_YEAR = 365.25 / 7
_LEVEL = 0.90  # of intervals


@dataclass(frozen=True, slots=True)
class Change:
    """One comparison: `seen` and `expected` contacts, `ratio` with its 90 % interval, `p` (nan: not tested)."""

    seen: int
    expected: float
    ratio: float
    low: float
    high: float
    p: float


def issue_trends(
    mentions: pd.DataFrame, contacts: pd.DataFrame, issues: pd.DataFrame, events: pd.DataFrame, actions: pd.DataFrame, *,
    as_of_on: pd.Timestamp, timezone: str,
) -> pd.DataFrame:  # fmt: skip
    """ISSUE_TRENDS, a row for each of `issues` (those that reports show).

    A week is seven days of `timezone` that end where `as_of_on` begins; an issue's count is the number of its contacts.
    `contacts` are those without copies; `events` and `actions` are ISSUE_EVENTS and ACTIONS.
    """
    if issues.empty or contacts.empty:
        return empty(ISSUE_TRENDS)
    issues = issues.sort_values("issue_id", ignore_index=True)
    counts, volume = weekly_counts(mentions, contacts, issues["issue_id"].tolist(), as_of_on=as_of_on, timezone=timezone)
    n_weeks = volume.shape[1]
    recent = np.arange(n_weeks - RECENT, n_weeks)
    found = [compare(own, volume, recent) if n_weeks >= RECENT + _LEAST_BEFORE else None for own in counts]
    q = _corrected([np.nan if one is None else one.p for one in found])
    fixes = _judged_fixes(actions, issues, counts, volume, as_of_on=as_of_on)
    fix_q = dict(zip(fixes, _corrected([change.p for _, _, change in fixes.values()]), strict=True))
    back = _reopened(events, as_of_on=as_of_on, timezone=timezone)
    rows = []
    for place, issue_id in enumerate(issues["issue_id"]):
        own = counts[place].sum(axis=0)
        state, words, change, q_value = _state(
            own, found[place], q[place], back=back.get(issue_id), fix=fixes.get(issue_id), fix_q=fix_q.get(issue_id)
        )
        rows.append({
            "issue_id": issue_id, "state": state, "n_recent": int(own[-RECENT:].sum()), "q_value": q_value,
            "expected": np.nan if change is None else round(change.expected, 2),
            "ratio": np.nan if change is None else round(change.ratio, 3), "ratio_low": np.nan if change is None else round(change.low, 3),
            "ratio_high": np.nan if change is None else round(change.high, 3),
            "fixed_on": fixes[issue_id][0] if issue_id in fixes else None, "weeks": own[-SHOWN:].astype(float).tolist(), "evidence": words,
        })  # fmt: skip
    return check(pd.DataFrame(rows), ISSUE_TRENDS)


def weekly_counts(
    mentions: pd.DataFrame, contacts: pd.DataFrame, issue_ids: list[str], *, as_of_on: pd.Timestamp, timezone: str
) -> tuple[np.ndarray, np.ndarray]:
    """(contacts by issue x channel x week, contacts by channel x week), the last week first to end at `as_of_on`.

    Only whole weeks from the first contact on.
    """
    end = pd.Timestamp(as_of_on).tz_localize(None).normalize()
    days = contacts["started_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    ago = ((end - pd.Timedelta(days=1) - days).dt.days // 7).to_numpy()
    n_weeks = int((end - days.min()).days // 7)
    channels = sorted(contacts["channel"].unique())
    of = contacts.assign(week=n_weeks - 1 - ago, number=pd.Index(channels).get_indexer(contacts["channel"]))
    of = of[(ago >= 0) & (of["week"] >= 0)].set_index("contact_id")[["week", "number"]]
    volume = np.zeros((len(channels), n_weeks))
    np.add.at(volume, (of["number"].to_numpy(), of["week"].to_numpy()), 1)
    pairs = mentions[["issue_id", "contact_id"]].drop_duplicates().join(of, on="contact_id", how="inner")
    place = pd.Index(issue_ids).get_indexer(pairs["issue_id"])
    counts = np.zeros((len(issue_ids), len(channels), n_weeks))
    np.add.at(counts, (place[place >= 0], pairs["number"].to_numpy()[place >= 0], pairs["week"].to_numpy()[place >= 0]), 1)
    return counts, volume


def compare(own: np.ndarray, volume: np.ndarray, weeks: np.ndarray) -> Change:
    """Contacts of an issue (`own`, channel x week) in consecutive `weeks` against the BEFORE weeks before them.

    The rate per contact of each channel before gives the expected counts; with two years before, a yearly wave is fitted
    to them (quasi-Poisson regression, with one step for older weeks). p: two-sided, from the predictive (negative
    binomial) distribution of the new count given those before, counts divided by the dispersion where that is over 1.
    """
    first = int(weeks[0])
    base = np.arange(max(first - BEFORE, 0), first)
    is_old = volume[:, base].sum(axis=1) > 0  # a channel that was opened just now has nothing to be compared with
    own, volume = own[is_old], volume[is_old]
    rate = own[:, base].sum(axis=1) / volume[:, base].sum(axis=1)
    level, seen = rate @ volume, own.sum(axis=0)
    expected, information, dispersion = _expected(seen, level, base, weeks)
    return _judge(seen[weeks].sum(), expected, information, dispersion)


def _expected(seen: np.ndarray, level: np.ndarray, base: np.ndarray, weeks: np.ndarray) -> tuple[float, float, float]:
    """(expected count in `weeks`, contacts that this knowledge is worth, dispersion of the weeks before)."""
    old = np.arange(base[-1] + 1)
    if len(old) < 2 * _YEAR or seen[base].sum() < _FEWEST:
        usual = np.maximum(level[base], 1e-9)
        dispersion = ((seen[base] - usual) ** 2 / usual).sum() / max(len(base) - 1, 1)
        return float(level[weeks].sum()), float(seen[base].sum()), float(dispersion)
    rows = old[level[old] > 0]
    fit = GLM(seen[rows], _season(rows, base[0]), family=Poisson(), offset=np.log(level[rows])).fit()
    wave = _season(weeks, base[0])
    each = np.exp(wave @ fit.params) * level[weeks]
    total = max(float(each.sum()), 1e-9)
    slope = each @ wave / total  # of the log of the expected sum
    return total, float(1 / max(slope @ fit.cov_params() @ slope, 1e-9)), float(fit.pearson_chi2 / fit.df_resid)


def _season(weeks: np.ndarray, since: int) -> np.ndarray:
    turn = 2 * np.pi * weeks / _YEAR
    return np.column_stack([np.ones(len(weeks)), weeks < since, np.sin(turn), np.cos(turn)]).astype(float)


def _judge(seen: float, expected: float, information: float, dispersion: float) -> Change:
    scale = max(dispersion, 1.0)
    ratio = seen / expected if expected > 0 else np.nan
    if seen + expected < _FEWEST or expected <= 0:
        return Change(int(seen), expected, ratio, np.nan, np.nan, np.nan)
    known, new = information / scale + 0.5, seen / scale
    chance = known / (known + expected / scale)
    at_least = 1 - betainc(known, new, chance) if new > 0 else 1.0
    at_most = betainc(known, new + 1, chance)
    side = (1 - _LEVEL) / 2
    # limits of the new count alone, widened by what is not known of the old ones
    low = chi2.ppf(side, 2 * new) / 2 if new > 0 else 0.0
    high = chi2.ppf(1 - side, 2 * (new + 1)) / 2
    blur = (1.6449 / np.sqrt(known)) ** 2
    middle = max(new, 0.5)
    lower = np.exp(-np.sqrt(np.log(middle / low) ** 2 + blur)) if low > 0 else 0.0
    upper = np.exp(np.sqrt(np.log(high / middle) ** 2 + blur))
    unit = middle * scale / expected
    return Change(int(seen), expected, ratio, float(unit * lower), float(unit * upper), float(min(1.0, 2 * min(at_least, at_most))))


def _corrected(p: list[float]) -> np.ndarray:
    """q values of Benjamini and Hochberg; nan where nothing was tested."""
    values = np.asarray(p, dtype=float)
    tested = ~np.isnan(values)
    if tested.any():
        values[tested] = false_discovery_control(values[tested])
    return values


def _judged_fixes(actions: pd.DataFrame, issues: pd.DataFrame, counts: np.ndarray, volume: np.ndarray, *, as_of_on: pd.Timestamp) -> dict:
    """issue_id -> (day, what was done, Change) of the latest action with AFTER_FIX whole weeks after and enough before."""
    end, found = pd.Timestamp(as_of_on).tz_localize(None).normalize(), {}
    place = {issue_id: row for row, issue_id in enumerate(issues["issue_id"])}
    for action in actions.sort_values(["done_on", "action_id"]).to_dict("records"):
        n_after = int((end - action["done_on"]).days - 1) // 7  # the week of the action counts on neither side
        first = volume.shape[1] - n_after
        if action["issue_id"] not in place or n_after < AFTER_FIX or first - 1 < _LEAST_BEFORE:
            continue
        own, weeks = counts[place[action["issue_id"]]], np.arange(first, volume.shape[1])
        without = np.delete(own, first - 1, axis=1), np.delete(volume, first - 1, axis=1)
        found[action["issue_id"]] = (action["done_on"], action["note"], compare(*without, weeks - 1))
    return found


def _reopened(events: pd.DataFrame, *, as_of_on: pd.Timestamp, timezone: str) -> dict[str, str]:
    """issue_id -> why a run reopened it in the last RECENT weeks."""
    limit = pd.Timestamp(as_of_on).tz_localize(None).tz_localize(timezone) - pd.Timedelta(weeks=RECENT)
    own = events[(events["kind"] == "reopen") & (events["at"] > limit) & (events["by"] == "voc")].sort_values("position")
    return dict(zip(own["issue_id"], own["note"].fillna(""), strict=True))


def _state(own: np.ndarray, change, q: float, *, back: str | None, fix, fix_q: float | None) -> tuple[str, str, Change | None, float]:
    """(state, sentence, the comparison that it rests on, its q value)."""
    seen = own[-RECENT:].sum()
    if change is None:
        return "steady", f"比較に必要な期間（{_LEAST_BEFORE + RECENT}週）の声がまだありません。直近{RECENT}週は{seen:,.0f}件です。", None, np.nan
    if own[:-RECENT].sum() == 0 and seen >= _NEW:
        return "new", f"直近{RECENT}週に初めて寄せられた課題です（{seen:,.0f}件）。", change, np.nan
    told = _told(change)
    if back is not None:
        return "reopened", f"解決または休止の後に再び声がありました。{back}直近{RECENT}週は{seen:,.0f}件です。", change, q
    is_sure = q <= FALSE_SHARE
    if is_sure and change.ratio >= _NOTABLE:
        return "emerging", told, change, q
    if fix is not None:
        has_fallen = fix_q <= FALSE_SHARE and fix[2].ratio <= 1 / _NOTABLE
        since = _since(*fix)
        if has_fallen:
            return "falling_since_fix", since, fix[2], fix_q
        told += since + "対応の後に減ったとは、まだ言えません。"
    if is_sure and change.ratio <= 1 / _NOTABLE:
        return "fading", told, change, q
    return "steady", told, change, q


def _told(change: Change) -> str:
    if np.isnan(change.p):
        return f"直近{RECENT}週は{change.seen:,}件です。件数が少なく、増減は判断していません。"
    return f"直近{RECENT}週は{change.seen:,}件で、{_against(change, 'それまで')}"


def _since(day: pd.Timestamp, note: object, after: Change) -> str:
    done = f"{day.year}年{day.month}月{day.day}日の対応" + (f"（{note}）" if isinstance(note, str) else "") + "の後は"
    return done + (f"{after.seen:,}件です。" if np.isnan(after.p) else f"{after.seen:,}件で、{_against(after, '対応前')}")


def _against(change: Change, before: str) -> str:
    return (f"{before}の割合と声全体の量から見込まれる{change.expected:,.1f}件の{change.ratio:.1f}倍です"
            f"（90%区間 {change.low:.1f}〜{change.high:.1f}倍）。")  # fmt: skip
