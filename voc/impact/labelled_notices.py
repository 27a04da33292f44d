"""What a person must hear of beside the numbers from labelled tables, in Japanese."""

import pandas as pd

from voc.impact.estimation import Estimate
from voc.impact.periods import timestamp
from voc.impact.reverse import BY_TIMING, GAP_DAYS

_UNKNOWN = r"^issues の課題「(.*)」が issues の表にありません"
_MOST = 5


def unknown_issues(refused: list[pd.DataFrame]) -> list[str]:
    """A line with the labels that the table of issues lacks, the most frequent first; `refused`: REJECTS."""
    reasons = pd.concat([part["reason"] for part in refused if len(part)] or [pd.Series(dtype="str")])
    names = reasons.astype("str").str.extract(_UNKNOWN)[0].dropna().value_counts()
    if names.empty:
        return []
    first = sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST]
    listed = "、".join(f"{name}（{n:,} 件）" for name, n in first)
    more = f" ほか {len(names) - _MOST} 種" if len(names) > _MOST else ""
    return [f"issues の表にない課題が問い合わせに付いています: {listed}{more}。解約と費用のどちらにも数えていません。issues の表に加えてください。"]


def result_notices(found: Estimate, rows: dict[str, pd.DataFrame], *, controls: list[str]) -> list[str]:
    """Lines on the window, on rows that do not count, and on why a churn number is missing or only 参考値.

    `rows`: the cleaned tables by name; `controls`: ids of the negative controls.
    """
    told, window = found.diagnostics, found.case.window
    left = told["left_out"]
    first, last = (f"{timestamp(day):%Y-%m-%d}" for day in (window.period_start, window.period_end))
    lines = [f"集計期間: {first} から {last} の前日まで（満 {window.n_months} か月）。数値はこの期間の月平均です。"]
    outside = (found.case.contacts["day"] < window.period_start) | (found.case.contacts["day"] >= window.period_end)
    n_outside = int(outside.sum()) + left.get("contacts_after_as_of", 0)
    if n_outside:
        lines.append(f"期間外の問い合わせ {n_outside:,} 件は費用に数えません（期間前のものは経験の有無にだけ使います）。")
    if left.get("customers_start_after_as_of"):
        lines.append(f"集計期間の終わりより後に契約した顧客 {left['customers_start_after_as_of']:,} 名は使いません。")
    if not len(rows["contacts"]):
        lines.append("問い合わせが 1 件もありません。")
    if not rows["customers"]["mrr"].notna().any():
        lines.append("月額（mrr）がないため、金額は問い合わせの対応費用だけです。")
    elif left.get("prices_filled"):
        lines.append(f"月額（mrr）のない顧客 {left['prices_filled']:,} 名は、同じプランの中央値で補いました。")
    lines += [f"解約数は推定できません: {reason}" for reason in told["reasons"]]
    lines += [f"参考値にとどめます: {doubt}" for doubt in told["doubts"]] if not told["reasons"] else []
    if told["banner"]:
        lines.append(told["banner"])
    if told["is_widened"]:
        lines.append("課題の確率が人の判断と比べられていないため（params の labels_calibrated = false）、区間を広げています。")
    if len(controls) < 2 and not told["reasons"]:
        lines.append("対照の課題（negative_control = 1）が 2 件未満のため、隠れた偏りを補正していません（区間だけ広げています）。")
    found_by_timing = found.reverse[(found.reverse["basis"] == BY_TIMING) & ~found.reverse["is_overruled"].astype(bool)]
    lines += [
        f"{row.issue_id} は解約を決めた後の問い合わせと判断しました（{GAP_DAYS} 日以内の解約 {row.n_churns:.0f} 件、"
        f"問い合わせの {row.churn_share:.0%}）。原因なら --not-reverse {row.issue_id} を付けてください。"
        for row in found_by_timing.itertuples()
    ]
    if told["unknown_ids"]:
        lines.append(f"指定された課題が issues の表にありません: {'、'.join(told['unknown_ids'])}")
    return lines
