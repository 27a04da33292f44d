"""Life-time value of customers (LTV): the company's formula, what each factor contributes, and tiers by LTV."""

import numpy as np
import pandas as pd

from voc.config import Value
from voc.impact.periods import NOT_ENDED, Window
from voc.impact.value import monthly_churn_of_plan
from voc.part_results import PartError, yen_faults
from voc.parts import is_address, load_part

HIGH, MIDDLE, LOW = "high", "mid", "low"
TIER_NAMES = {HIGH: "ハイタッチ", MIDDLE: "ミドルタッチ", LOW: "ロータッチ"}
ALL_PLANS = ""
_CHURN_DROP = 0.1  # the table tells what a churn rate lower by this share would be worth
_NOBODY = "顧客表にこのプランの契約がありません。[value] のプラン名の綴りを確認してください。"

_OWN = "LTV は自社の式で計算しました。単価・頻度・月数の比の積は、LTV の比と一致するとは限りません。"


def months_of(monthly_churn: np.ndarray, duration_months: np.ndarray, *, value: Value) -> tuple[np.ndarray, np.ndarray]:
    """(months that a customer stays, which limit applied: "floor", "cap" or None).

    `duration_months` where it is known, else 1 / churn with churn at least `churn_floor`; at most `cap_months`.
    `price_over_churn` knows no duration.
    """
    is_given = ~np.isnan(duration_months) & (value.formula != "price_over_churn")
    with np.errstate(divide="ignore"):
        wanted = np.where(is_given, duration_months, 1.0 / np.maximum(monthly_churn, value.churn_floor))
    limit = np.where(wanted > value.cap_months, "cap", np.where(~is_given & (monthly_churn < value.churn_floor), "floor", None))
    return np.minimum(wanted, value.cap_months), limit


def paid_months(months: np.ndarray, *, value: Value) -> np.ndarray:
    """`months` as they count today: 1 / (1 / months + r), r the monthly rate of `discount_per_year`; no rate: unchanged.

    The sum over t >= 1 of (1 - c)^(t - 1) / (1 + r)^t, the present value of 1 yen a month from a customer who leaves
    with probability c = 1 / months each month.
    """
    rate = (1.0 + value.discount_per_year) ** (1.0 / 12.0) - 1.0
    return months / (1.0 + months * rate)


def lifetime_value(
    price_yen: np.ndarray, monthly_churn: np.ndarray, *, value: Value, duration_months: np.ndarray | None = None
) -> np.ndarray:
    """LTV in yen by `value.formula`; `price_yen`: what a customer pays in a month (price x purchases a month).

    price_over_churn: price / churn. price_frequency_duration: price x frequency x duration. With `_margin`: the same
    x gross margin. Floor, cap and discount as in `months_of` and `paid_months`. A company's own formula gets the churn that
    belongs to those months, no discount and no margin; raises PartError where it gives anything but yen.
    """
    duration = np.full(len(price_yen), np.nan) if duration_months is None else duration_months
    months, _ = months_of(np.asarray(monthly_churn, dtype="float64"), duration, value=value)
    if is_address(value.formula):
        return _own_value(np.asarray(price_yen, dtype="float64"), 1.0 / months, formula=value.formula)
    return price_yen * paid_months(months, value=value) * margin(value)


def _own_value(price_yen: np.ndarray, monthly_churn: np.ndarray, *, formula: str) -> np.ndarray:
    known, yen = ~np.isnan(price_yen), np.full(len(price_yen), np.nan)
    found = load_part(formula)(price_yen[known], monthly_churn[known])
    faults = yen_faults(found, int(known.sum()))
    if faults:
        raise PartError(f'[value] formula = "{formula}"', faults)
    yen[known] = found
    return yen


def margin(value: Value) -> float:
    """The gross margin where the formula has one, else 1."""
    return value.gross_margin if value.formula == "price_frequency_duration_margin" else 1.0


def plan_churn(customers: pd.DataFrame, window: Window, *, value: Value) -> pd.Series:
    """Monthly churn by plan: what the company says (`plan_monthly_churn`), else as measured over the period."""
    measured = monthly_churn_of_plan(customers, window)
    given = {plan: rate for plan, rate in value.plan_monthly_churn.items() if plan in measured.index}
    return pd.Series({**measured.to_dict(), **given}, dtype="float64")


def valued_customers(customers: pd.DataFrame, window: Window, *, value: Value) -> pd.DataFrame:
    """`customers` (plan, start, end, price) with frequency (purchases a month), price (now price x frequency: yen a
    month), ltv (yen; NaN without any known price) and tier (high, mid, low, or None where there is no LTV).

    A `frequency` that is there already, from orders, belongs to a price a month and is kept.
    """
    frame = customers.copy()
    if "frequency" not in frame:
        frame["frequency"] = frame["plan"].map(value.frequency_per_month).astype("float64").fillna(1.0)
        frame["price"] = frame["price"] * frame["frequency"]
    churn = frame["plan"].map(plan_churn(frame, window, value=value)).fillna(0.0).to_numpy(dtype="float64")
    duration = frame["plan"].map(value.duration_months).to_numpy(dtype="float64")
    frame["ltv"] = lifetime_value(frame["price"].to_numpy(dtype="float64"), churn, value=value, duration_months=duration)
    active = ((frame["start"] < window.period_end) & (frame["end"] >= window.period_start)).to_numpy()
    frame["tier"] = ltv_tiers(frame["ltv"].to_numpy(), active, value=value)
    return frame


def ltv_tiers(ltv_yen: np.ndarray, active: np.ndarray, *, value: Value) -> np.ndarray:
    """high, mid or low for each LTV, None for NaN: by `tier_yen`, else by `tier_quantiles` of the customers in `active`.

    Where many share one LTV all of them stand at the middle of their ranks, so a company with one price is all mid.
    """
    known = ~np.isnan(ltv_yen)
    if value.tier_yen is not None:
        cuts, position = value.tier_yen, ltv_yen
    else:
        base = np.sort(ltv_yen[known & active])
        sides = [np.searchsorted(base, np.where(known, ltv_yen, 0.0), side=side) for side in ("left", "right")]
        cuts, position = value.tier_quantiles, (sides[0] + sides[1]) / 2 / max(len(base), 1)
    tier = np.where(position >= cuts[1], HIGH, np.where(position >= cuts[0], MIDDLE, LOW)).astype(object)
    tier[~known] = None
    return tier


def ltv_factors(customers: pd.DataFrame, window: Window, *, value: Value) -> pd.DataFrame:
    """LTV_FACTORS: a row per plan, and '' for all customers, with what makes the LTV.

    ltv_yen = price_yen x frequency x gross_margin_share x paid_months; the three ratios to the row '' multiply to
    ltv_yen / its ltv_yen (not so with a company's own formula: see its note). ltv_less_churn_yen: LTV if customers left a tenth less often. n_customers: at the end of
    the period; price_yen: mean of one purchase (a subscription: of a month) over customers of the period.
    `customers`: as from `valued_customers`. A plan of the configuration that nobody has is a row with a note.
    """
    active = customers[(customers["start"] < window.period_end) & (customers["end"] >= window.period_start)]
    measured = monthly_churn_of_plan(customers, window)
    whole = monthly_churn_of_plan(customers.assign(plan=ALL_PLANS), window)
    rows = [_factors(ALL_PLANS, active, whole.get(ALL_PLANS, 0.0), value=value, window=window)]
    rows += [_factors(plan, group, measured[plan], value=value, window=window) for plan, group in active.groupby("plan", sort=True)]
    table = pd.DataFrame(rows)
    named = {*value.plan_monthly_churn, *value.duration_months, *value.frequency_per_month} - set(customers["plan"])
    table = pd.concat([table, pd.DataFrame({"plan": sorted(named), "n_customers": 0, "is_churn_given": True, "note": _NOBODY})])
    all_plans = table.iloc[0]
    for name, column in (("price_ratio", "price_yen"), ("frequency_ratio", "frequency"), ("months_ratio", "paid_months")):
        table[name] = table[column] / all_plans[column] if all_plans[column] > 0 else np.nan
    return table.reset_index(drop=True)


def _factors(plan: str, active: pd.DataFrame, measured: float, *, value: Value, window: Window) -> dict:
    given = value.plan_monthly_churn.get(plan) if plan else None
    churn = measured if given is None else given
    stays = np.array([value.duration_months.get(plan, np.nan)])
    months, limit = months_of(np.array([churn]), stays, value=value)
    fewer, _ = months_of(np.array([churn * (1 - _CHURN_DROP)]), stays / (1 - _CHURN_DROP), value=value)
    monthly = float(active["price"].mean())
    frequency = float(monthly / (active["price"] / active["frequency"]).mean()) if monthly > 0 else float(active["frequency"].mean())
    is_own = is_address(value.formula)
    worth = lifetime_value(np.full(2, monthly), 1.0 / np.concatenate([months, fewer]), value=value) if is_own else (
        monthly * margin(value) * paid_months(np.concatenate([months, fewer]), value=value))  # fmt: skip
    return {
        "plan": plan, "n_customers": int((active["end"].clip(upper=NOT_ENDED) >= window.period_end).sum()),
        "price_yen": monthly / frequency, "frequency": frequency, "gross_margin_share": np.nan if is_own else margin(value),
        "churn_share": measured, "churn_used_share": churn, "is_churn_given": given is not None,
        "months": months[0], "limit": limit[0], "paid_months": months[0] if is_own else paid_months(months, value=value)[0],
        "ltv_yen": worth[0], "ltv_less_churn_yen": worth[1], "note": _OWN if is_own else None,
    }  # fmt: skip


def formula_text(value: Value) -> str:
    """The formula of the report's LTV, with its limits, in Japanese."""
    if is_address(value.formula):
        return (f"LTV ＝ 自社の式 {value.formula}（月額と月次解約率から）。"
                f"解約率の下限{value.churn_floor * 100:g}%、継続月数の上限{value.cap_months:g}か月を当てた解約率を渡しています。")  # fmt: skip
    words = {
        "price_over_churn": "LTV ＝ 月額料金 ÷ 月次解約率（粗利率は掛けていません）",
        "price_frequency_duration": "LTV ＝ 単価 × 購買頻度（回/月） × 継続月数（粗利率は掛けていません）",
        "price_frequency_duration_margin": f"LTV ＝ 単価 × 購買頻度（回/月） × 継続月数 × 粗利率{value.gross_margin * 100:g}%",
    }[value.formula]
    months = "" if value.formula == "price_over_churn" else "継続月数 ＝ 1 ÷ プランの月次解約率。"
    discount = f"割引率は年{value.discount_per_year * 100:g}%です。" if value.discount_per_year else "割引はしていません。"
    return f"{words}。{months}解約率の下限{value.churn_floor * 100:g}%、継続月数の上限{value.cap_months:g}か月。{discount}"
