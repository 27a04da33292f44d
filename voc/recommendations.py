"""What to do about each issue, by stated rules: 守り or 攻め, who, which figure to reach, by when, and what pays it back."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from voc.config import Costs, Planning
from voc.faq_triage import HAS_ARTICLE, NO_ARTICLE, NOT_FOUND, TRIAGED, UNCLEAR
from voc.impact.at_stake import PRAISE, kinds_of, ltv_at_stake, may_cost_customers
from voc.impact.cost import saving_ranges
from voc.impact.reverse import cancel_intent

DEFENCE, OFFENCE = "守り", "攻め"
REQUEST = "要望"
OFFENSIVE = (REQUEST, PRAISE)
DEPARTMENTS = {
    "不具合": "開発", "使い方": "カスタマーサポート（FAQ）", "手続き": "カスタマーサポート（FAQ）", "要望": "商品企画", "料金": "営業企画",
    "対応": "コンタクトセンター", "称賛": "マーケティング", "解約": "カスタマーサクセス",
}  # fmt: skip
OTHER_DEPARTMENT = "カスタマーサポート"
BY_WORDS = "使い方"  # an option that is there already needs to be told, like any how-to
OPTION_SHARE = 0.5
LEFT_AFTER_FIX = 0.5  # planning convention: half of the contacts are still to come by the due day of a fix
SHOWN_CHURNS = 0.05  # a month; less would print as 0.0
MONTHS = {"使い方": 1, "手続き": 1, "対応": 2, "料金": 2, "称賛": 1, "解約": 1}  # to the proposed due day
MONTHS_OTHER = 3
CONTACTS = "問い合わせ（月・件）"
LEAVING, KEPT, OPTION, TOLD, ARTICLE, FIX = "leaving", "kept", "option", "told", "article", "fix"
WORDS_RULES = (OPTION, TOLD, ARTICLE)
_TARGET_BASIS = {
    KEPT: "件数を保つことが目標です。",
    OPTION: "目標の件数は、対象プランの顧客について、自己解決できる割合の想定の低い方によります。",
    TOLD: "目標の件数は、自己解決できる割合の想定の低い方の半分によります（記事はすでにあるため）。",
    ARTICLE: "目標の件数は、自己解決できる割合の想定の低い方によります。",
    FIX: "目標の件数は、期限までに半減という計画上の約束で、推定ではありません。",
}
COLUMNS = [
    "issue_id", "stance", "owner", "is_owner_given", "action", "target_from", "target_to", "target_unit", "due_on",
    "is_due_given", "effort", "value_yen", "payback_months", "basis",
]  # fmt: skip


def recommendations(
    issues: pd.DataFrame, impact: pd.DataFrame, triage: pd.DataFrame, options: pd.DataFrame, *, as_of_on: pd.Timestamp,
    costs: Costs, planning: Planning, controls: Collection[str] = (),
) -> pd.DataFrame:
    """RECOMMENDATIONS, one row per issue (ISSUES, IMPACT, FAQ_TRIAGE, OPTION_MATCHES). `controls`: the confirmed ones.

    stance: 攻め for 要望, 称賛 and issues whose customers stay longer (flag protective), else 守り. owner, due_on: of the
    ledger, else proposed by kind (`planning.departments`; 1 to 3 months from `as_of_on`). action: by kind, by the state
    of the FAQ, and by an option that grants the request already.
    Target: contacts per month. An article that lacks, is not found or not clear saves the cautious deflectable share (low
    end x success) of them, one with no known fault half of that; an option (held by the plan of at least half of those
    who asked) the same share of these; a fix leaves half by the due day (a convention, not an estimate); praise and
    protective issues hold their number; none where customers ask to leave (their contacts are no cause).
    value_yen per month: of words the contact cost that the target saves; of a fix the whole contact cost and the
    LTV at stake (`ltv_at_stake`) of the tier 推定値 with churns_low > 0; empty where nothing is to be reduced. payback_months =
    effort (人日) x `planning.yen_per_person_day` / value_yen, empty where one of them is not known.
    """
    table = issues.drop_duplicates("issue_id").merge(impact, on="issue_id", how="left").merge(
        triage[["issue_id", "state", "article_title"]], on="issue_id", how="left")
    table = table.merge(_best_option(options), on="issue_id", how="left").sort_values("issue_id", kind="stable", ignore_index=True)
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    leaving = cancel_intent(table) | (table["flag"] == "reverse").to_numpy()
    kept = (table["kind"] == PRAISE).to_numpy() | (table["flag"] == "protective").to_numpy()
    rule = _rules(table, leaving=leaving, kept=kept)
    by_words = np.isin(rule, WORDS_RULES)
    share = _share_left(table, rule, costs=costs)
    before = table["n_contacts"].to_numpy(dtype="float64")
    has_target = ~leaving & (before > 0)
    table["target_from"] = np.where(has_target, before, np.nan)
    table["target_to"] = np.where(has_target, before * share, np.nan)
    table["target_unit"] = np.where(has_target, CONTACTS, None)
    table["is_proven"] = _proven(table, kinds_of(issues), controls) & (rule == FIX)
    ltv = np.where(table["is_proven"], ltv_at_stake(table, kinds_of(issues), controls), 0.0)
    table["value_yen"] = _value(table, share, rule, ltv)
    given = table["owner"].notna().to_numpy()
    proposed = table["kind"].where(rule != OPTION, BY_WORDS).map({**DEPARTMENTS, **planning.departments}).fillna(OTHER_DEPARTMENT)
    table["owner"] = table["owner"].astype("object").where(given, proposed)
    table["is_owner_given"] = given
    table["is_due_given"] = table["due_on"].notna()
    months = np.where(by_words, 1, table["kind"].map(MONTHS).fillna(MONTHS_OTHER)).astype("int64")
    days = [pd.Timestamp(as_of_on) + pd.DateOffset(months=int(n)) for n in months]
    table["due_on"] = table["due_on"].where(table["is_due_given"], pd.Series(days, index=table.index, dtype=table["due_on"].dtype))
    table["stance"] = np.where(kept | table["kind"].isin(OFFENSIVE), OFFENCE, DEFENCE)
    cost = table["effort"].astype("float64") * (np.nan if planning.yen_per_person_day is None else planning.yen_per_person_day)
    table["payback_months"] = np.where(table["value_yen"] > 0, cost / table["value_yen"].where(table["value_yen"] > 0), np.nan)
    rows = table.assign(rule=rule).to_dict("records")
    table["action"], table["basis"] = [_action(row) for row in rows], [_basis(row) for row in rows]
    return table[COLUMNS]


def _best_option(options: pd.DataFrame) -> pd.DataFrame:
    best = options.sort_values(["similarity", "option_id"], ascending=[False, True], kind="stable").drop_duplicates("issue_id")
    known = best["n_on_plan"] + best["n_other_plan"]
    return best.assign(on_plan_share=np.where(known > 0, best["n_on_plan"] / known.where(known > 0), 0.0))[
        ["issue_id", "option_name", "on_plan_share"]]


def _rules(table: pd.DataFrame, *, leaving: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Which rule an issue falls under, the first that fits."""
    is_how_to = table["kind"].isin(TRIAGED).to_numpy()
    has_option = (table["on_plan_share"] >= OPTION_SHARE).to_numpy()  # where most would have to pay more, it is no answer
    return np.select(
        [leaving, kept, has_option, is_how_to & (table["state"] == HAS_ARTICLE).to_numpy(), is_how_to],
        [LEAVING, KEPT, OPTION, TOLD, ARTICLE], FIX)  # fmt: skip


def _share_left(table: pd.DataFrame, rule: np.ndarray, *, costs: Costs) -> np.ndarray:
    """Part of the contacts that the target leaves."""
    success = costs.deflection_success[0]
    low = np.array([pair[0] for pair in saving_ranges(table, costs=costs)]) * success
    on_plan = table["on_plan_share"].fillna(0.0).to_numpy(dtype="float64")
    return np.select(
        [rule == KEPT, rule == OPTION, rule == TOLD, rule == ARTICLE],
        [1.0, 1.0 - on_plan * costs.deflectable_range(BY_WORDS)[0] * success, 1.0 - low / 2, 1.0 - low], LEFT_AFTER_FIX)  # fmt: skip


def _proven(table: pd.DataFrame, kinds: pd.Series, controls: Collection[str]) -> np.ndarray:
    """Whether the issue costs customers for sure: then, and only then, its LTV counts and its churns are told."""
    return ((table["tier"] == "推定値") & (table["churns_low"] > 0)).to_numpy() & may_cost_customers(table, kinds, controls)


def _value(table: pd.DataFrame, share: np.ndarray, rule: np.ndarray, ltv: np.ndarray) -> np.ndarray:
    saved = table["contact_cost_yen"].fillna(0.0).to_numpy(dtype="float64") * np.where(rule == FIX, 1.0, 1.0 - share)
    return np.where(np.isin(rule, (LEAVING, KEPT)), np.nan, ltv + saved)


def _action(row: dict) -> str:
    if row["rule"] == LEAVING:
        return "解約を決めた後の声として件数目標を置かず、理由を聞き取って記録し、元になった課題を直します。"
    if row["kind"] == PRAISE:
        return "評価されている点を変えずに保ち、導入事例や案内文で伝えます。"
    if row["flag"] == "protective":
        return "この問い合わせをした顧客は解約しにくいため、件数を減らさず、問い合わせ先の案内を保ちます。"
    if row["rule"] == OPTION:
        return f"近い機能「{row['option_name']}」がすでにあります。使い方の FAQ を示す回答文を用意します。"
    if row["kind"] in TRIAGED:
        return _faq_action(row)
    return {
        "不具合": "再現条件を確かめて原因を直し、直るまでの回避方法を FAQ に載せます。",
        "要望": "声の多い場面から要件をまとめ、実現の可否と時期を決めて伝えます。",
        "料金": "料金の説明と請求の内訳を見直し、誤った請求があれば直します。",
        "対応": "待ち時間・転送・回答の食い違いの原因を分け、応対の手順を直します。",
    }.get(row["kind"], "声を読んで原因を確かめ、担当と対応を決めます。")


def _faq_action(row: dict) -> str:
    title = row["article_title"]
    return {
        NO_ARTICLE: "答えになる FAQ 記事を新しく作り、画面と自動応答から案内します。",
        NOT_FOUND: f"FAQ 記事「{title}」の題名と検索語に、顧客が使う言葉を加えます。",
        UNCLEAR: f"FAQ 記事「{title}」を、問い合わせの多い手順から書き直します。",
        HAS_ARTICLE: f"FAQ 記事「{title}」を、困る画面と自動応答から直接開けるようにします。",
    }.get(row["state"], "手順を案内する FAQ 記事を用意し、画面から案内します。")


def _basis(row: dict) -> str:
    if pd.isna(row["n_contacts"]):
        return "この期間の問い合わせの集計がありません。"
    parts = [f"問い合わせ 月 {row['n_contacts']:.1f} 件、対応費用 月 {row['contact_cost_yen']:,.0f} 円。"]
    if row["rule"] == LEAVING:
        return parts[0] + "解約の原因とは数えません。"
    if row["tier"] == "データ不足":
        parts.append("解約への影響はデータ不足で判断できません。")
    elif row["is_proven"] and row["churns_shrunken"] >= SHOWN_CHURNS:
        parts.append(f"防げる解約は慎重に見て毎月 {row['churns_shrunken']:.1f} 名（{row['tier']}）。")
    elif row["rule"] == FIX:
        parts.append(f"解約への影響は確認できません（{row['tier']}）。")
    if row["target_from"] > 0:
        parts.append(_TARGET_BASIS[row["rule"]])
    return "".join(parts)
