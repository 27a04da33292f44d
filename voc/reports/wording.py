"""What may be said about an issue, by tier. Every sentence on churn in a report is written here.

An issue is a dict with the columns of `impact` (all amounts per month). Sentences follow three rules:
a number appears only where its tier allows one; every churn number is 「暫定」 while fewer than two negative controls are
confirmed (`is_provisional`, True where an issue does not say); and it is a lower bound (「少なくとも」), because silent
customers are not seen. `is_calibrated` is False where no person has checked which sentences belong to which issue:
then the numbers say 「未校正」 too.
"""

from voc.impact.lifetime import TIER_NAMES
from voc.impact.segments import TIER
from voc.impact.silent import LEAST
from voc.reports.formats import SMALL_GROUP, count, is_missing, people, people_range, yen, yen_range

TIER_ESTIMATE, TIER_REFERENCE, TIER_INSUFFICIENT = "推定値", "参考値", "データ不足"
UNCALIBRATED, PROVISIONAL = "未校正", "暫定"
ENOUGH_EVENTS = 20
ATTACK = ("要望", "称賛")
DEFENCE = ("不具合", "対応", "料金", "手続き", "使い方", "解約")
CHANNELS = {"call": "電話", "email": "メール", "chat": "チャット", "survey": "アンケート", "review": "レビュー", "ticket": "チケット"}
ATTRIBUTES = {"plan": "プラン", "segment": "顧客区分"}  # LTV区分 is its own word

# Strongest claim first: used to choose the issue of a headline.
VERDICTS = ("estimate", "reference", "unclear", "insufficient", "protective", "none", "reverse")
CHIPS = {
    "estimate": "推定値",
    "unclear": "影響を確認できず",
    "reference": "参考値",
    "insufficient": "データ不足",
    "reverse": "解約後の問い合わせ",
    "protective": "解約しにくい",
    "none": "解約数なし",
}
WITH_NUMBERS = ("estimate", "unclear", "reference", "protective")  # what may be provisional
CHIP_MEANINGS = [
    ("estimate", "この課題を経験した解約が20件以上あり、90%区間の下限も0を上回ります。数値を示します。"),
    ("unclear", "件数は足りていますが、90%区間が0をまたぎます。解約を減らせるとは言えません。"),
    ("reference", "この課題を経験した解約が5〜20件か、記録にない要因の影響が強い課題です。区間と方向だけを示します。"),
    ("insufficient", "この課題を経験した解約が5件未満、または会社全体のデータが足りません。解約数は示しません。"),
]


def verdict(issue: dict) -> str:
    """Which kind of statement the row allows: one of VERDICTS."""
    if issue.get("flag") == "reverse":
        return "reverse"
    low, high, tier = issue.get("churns_low"), issue.get("churns_high"), issue.get("tier")
    has_interval = not (is_missing(low) or is_missing(high))
    if tier == TIER_INSUFFICIENT:
        return "insufficient"
    if issue.get("flag") == "protective" or (tier == TIER_ESTIMATE and has_interval and high < 0):
        return "protective"
    if not has_interval or tier not in (TIER_ESTIMATE, TIER_REFERENCE):
        return "none"
    if tier == TIER_REFERENCE:
        return "reference"
    return "estimate" if low > 0 and not is_missing(issue.get("churns_prevented")) else "unclear"


def chip(kind: str, *, is_provisional: bool) -> str:
    """The short name of a verdict, with （暫定） where it carries a churn number that is provisional."""
    return CHIPS[kind] + (f"（{PROVISIONAL}）" if is_provisional and kind in WITH_NUMBERS else "")


def standing(word: str, issue: dict) -> str:
    """「推定値」 with 「・暫定」 where the number is provisional and 「・未校正」 where its sentences are not calibrated."""
    marks = [(PROVISIONAL, issue.get("is_provisional", True)), (UNCALIBRATED, not issue.get("is_calibrated", True))]
    return "・".join(filter(None, [word, *(mark for mark, stands in marks if stands)]))


TREND_WORDS = {
    "new": "新しい課題", "reopened": "再発", "emerging": "増えている", "fading": "減っている", "falling_since_fix": "対応の後に減少",
}  # fmt: skip
FAQ_STATES = {
    "no_article": "記事がない", "has_article": "記事がある", "not_found": "記事が見つけられていない", "unclear": "記事が伝わっていない",
}  # fmt: skip
GROWING, SHRINKING = ("reopened", "emerging", "new"), ("falling_since_fix", "fading")


def channel_name(channel: object) -> str:
    return CHANNELS.get(channel, str(channel))


def attribute_name(attribute: object) -> str:
    return ATTRIBUTES.get(attribute, str(attribute))


def group_name(attribute: object, value: object) -> object:
    """A customer group as its readers call it: ハイタッチ for `high` of LTV区分."""
    return TIER_NAMES.get(value, value) if attribute == TIER else value


def direction(low: float, high: float) -> str:
    if low > 0:
        return "解消すれば解約が減る方向です"
    return "解消しても解約は減らない方向です" if high < 0 else "増減の方向はまだ定まりません"


def contact_line(issue: dict) -> str:
    """Volume and cost: always allowed, whatever the tier."""
    if is_missing(issue.get("n_contacts")):
        return "問い合わせ件数は集計できていません。"
    cost = issue.get("contact_cost_yen")
    if is_missing(cost) or cost == 0:
        return f"寄せられた声は月{count(issue['n_contacts'])}です。"
    return f"問い合わせは月{count(issue['n_contacts'])}、コストは月{yen(cost)}です。"


def issue_sentence(issue: dict) -> str:
    """The statement of one issue, by tier."""
    interval = people_range(issue.get("churns_low"), issue.get("churns_high"))
    kind = verdict(issue)
    if kind == "estimate":
        value = "" if is_missing(issue.get("ltv_yen")) else f"LTV換算で月{yen(issue['ltv_yen'])}。"
        careful = "" if is_missing(issue.get("churns_shrunken")) else (
            f"慎重に見ると{people(issue['churns_shrunken'])}です。")
        return (f"この課題を解消すれば、問い合わせた顧客だけで少なくとも毎月{people(issue['churns_prevented'])}"
                f"（90%区間 {interval}、{standing(TIER_ESTIMATE, issue)}）の解約を防げる見込みです。{value}{careful}")
    if kind == "unclear":
        return (f"解約への影響は確認できません（90%区間 毎月{interval}、{standing(TIER_ESTIMATE, issue)}）。" + contact_line(issue))
    if kind == "reference":
        return (f"{direction(issue['churns_low'], issue['churns_high'])}（90%区間 毎月{interval}、{standing(TIER_REFERENCE, issue)}）。"
                f"{why_reference(issue)}、一つの数値では示しません。" + contact_line(issue))
    if kind == "protective":
        shown = "" if interval == "—" else f"（{'、'.join(filter(None, [f'90%区間 毎月{interval}', standing('', issue)]))}）"
        return f"この問い合わせをした顧客は、解約しにくい傾向があります{shown}。減らさず、この窓口への導線を残してください。"
    if kind == "reverse":
        return "解約を決めた後の問い合わせです。解約の原因ではないため、解約数は計上しません。" + contact_line(issue)
    if kind == "insufficient":
        return f"この課題を経験した解約は{events(issue)}です。{cannot(issue)}{waiting(issue)}" + contact_line(issue)
    return "解約数は算出していません。" + contact_line(issue)


def events(issue: dict) -> str:
    """Churn events among customers with the issue; fewer than five customers are not counted out."""
    number = issue.get("n_exposed_events")
    if is_missing(number):
        return "不明"
    return f"{SMALL_GROUP}件未満" if number < SMALL_GROUP else f"{number:,.0f}件"


def why_reference(issue: dict) -> str:
    number = issue.get("n_exposed_events")
    # With enough events, only hidden causes lower an issue to a reference value.
    if not is_missing(number) and number >= ENOUGH_EVENTS:
        return "記録にない要因の影響が強いため"
    return f"この課題を経験した解約が{events(issue)}と少ないため"


def cannot(issue: dict) -> str:
    number = issue.get("n_exposed_events")
    if not is_missing(number) and number >= SMALL_GROUP:
        return "会社全体の期間または件数が足りないため、解約数は推定できません。"
    return "解約数は推定できません。"


def waiting(issue: dict) -> str:
    """When an estimate can be had, or '' where that is not known."""
    months = issue.get("months_to_answer")
    if is_missing(months) or months <= 0:
        return ""
    return f"今の頻度なら、あと約{max(1, round(months))}か月で推定できるようになります。"


def churn_cell(issue: dict) -> dict:
    """What the ranked table shows in the churn column: figure (may be empty), detail, chip, class."""
    kind = verdict(issue)
    interval = people_range(issue.get("churns_low"), issue.get("churns_high"))
    figure = people(issue["churns_prevented"]) if kind == "estimate" else ""
    detail = interval if kind in ("estimate", "unclear", "reference", "protective") and interval != "—" else ""
    return {"figure": figure, "detail": detail, "chip": chip(kind, is_provisional=issue.get("is_provisional", True)), "verdict": kind}


def value_cell(issue: dict) -> dict:
    """LTV at stake per month: point and range for an estimate, range only for a reference value."""
    kind = verdict(issue)
    has_range = not (is_missing(issue.get("ltv_low_yen")) or is_missing(issue.get("ltv_high_yen")))
    span = yen_range(issue["ltv_low_yen"], issue["ltv_high_yen"]) if has_range else ""
    if kind == "estimate":
        return {"figure": yen(issue.get("ltv_yen")), "detail": span}
    return {"figure": "", "detail": span if kind == "reference" else ""}


def grounds(issue: dict) -> list[tuple[str, str]]:
    """What the churn figure rests on: (name, text) pairs."""
    kind = verdict(issue)
    is_provisional = issue.get("is_provisional", True)
    lines = [("判定", chip(kind, is_provisional=is_provisional))]
    if kind in ("estimate", "unclear", "reference", "insufficient", "protective"):
        lines.append(("この課題を経験した解約", events(issue)))
    if kind == "estimate" and not is_missing(issue.get("e_value")):
        robust = "「頑健」。" if issue.get("badge") == "頑健" else ""
        lines.append(("見えていない要因への強さ", f"{robust}記録にない不満が、問い合わせと解約の両方に{issue['e_value']:.1f}倍以上"
                      "関係していれば、この結果はそれだけで説明がついてしまいます。"))
    if is_provisional and kind in WITH_NUMBERS:
        lines.append(("暫定の理由", "解約に影響しないと分かっている問い合わせ（住所変更など）による補正を、まだ確認していません。"))
    if not issue.get("is_calibrated", True):
        lines.append(("未校正の理由", "どの文がこの課題の声かを、人がまだ確かめていません。件数、コスト、解約数は、割り当ての誤りの分だけずれることがあります。"))
    if kind == "estimate":
        lines.append(("少なくともの理由", LEAST))
    return lines


def request_headline(issue: dict | None) -> tuple[str, str]:
    """(sentence, basis) for 「この機能要望が実現すれば、毎月〇〇名の解約を防げる」."""
    if issue is None:
        return "機能要望に当たる課題は、今回は見つかりませんでした。", ""
    name, kind = f"「{issue['label']}」", verdict(issue)
    interval = people_range(issue.get("churns_low"), issue.get("churns_high"))
    if kind == "estimate":
        parts = [f"90%区間 {interval}", standing(TIER_ESTIMATE, issue)]
        if not is_missing(issue.get("ltv_yen")):
            parts.append(f"LTV換算 月{yen(issue['ltv_yen'])}")
        if not is_missing(issue.get("churns_shrunken")):
            parts.append(f"慎重に見て{people(issue['churns_shrunken'])}")
        return (f"{name}の要望が実現すれば、問い合わせた顧客だけで少なくとも毎月{people(issue['churns_prevented'])}"
                "の解約を防げる見込みです。", "／".join(parts))
    if kind == "reference":
        known = issue["churns_low"] > 0 or issue["churns_high"] < 0
        heading = direction(issue["churns_low"], issue["churns_high"])
        doubt = f"{heading}が、人数はまだ一つの値で示せません" if known else "解約が減るかどうかも、その人数も、まだ示せません"
        return (f"{name}の要望は、{doubt}。",
                f"90%区間 毎月{interval}／{standing(TIER_REFERENCE, issue)}／経験した解約 {events(issue)}")
    if kind == "unclear":
        return f"{name}の要望が実現しても、解約が減るとは確認できません。", f"90%区間 毎月{interval}／{standing(TIER_ESTIMATE, issue)}"
    if kind == "insufficient":
        return (f"{name}の要望で防げる解約数は、まだ推定できません。",
                "／".join(filter(None, ["データ不足", f"経験した解約 {events(issue)}", waiting(issue).rstrip("。")])))
    if kind == "protective":
        return f"{name}を寄せた顧客は解約しにくい傾向があり、防げる解約数はありません。", "／".join(filter(None, [f"90%区間 毎月{interval}", standing("", issue)]))
    return (f"最も多い機能要望は{name}で、月{count(issue.get('n_contacts'))}です。",
            "防げる解約数は算出していません")


def saving_headline(issue: dict | None) -> tuple[str, str]:
    """(sentence, basis) for 「この導線を直せば、問い合わせコストが〇〇円削減できる」.

    The range is that of the assumed share of contacts which customers can solve by themselves; it is no
    statistical interval, and the basis says so.
    """
    if issue is None:
        return "導線の改善で問い合わせコストを減らせる課題は、今回は見つかりませんでした。", ""
    low, high = issue.get("deflectable_low_yen"), issue.get("deflectable_high_yen")
    if is_missing(high) or high <= 0:
        return (f"「{issue['label']}」が最も多い使い方・不具合の声です（月{count(issue.get('n_contacts'))}）。",
                "削減できる問い合わせコストはありません（対応コストのかからない窓口の声です）")
    parts = [f"現在 月{yen(issue['contact_cost_yen'])}", "幅は自己解決できる割合の想定によるもので、統計の区間ではありません"]
    if issue.get("kind") == "不具合":
        parts.append(f"不具合そのものを解消すれば最大 月{yen(issue['contact_cost_yen'])}")
    if not issue.get("is_calibrated", True):
        parts.append(UNCALIBRATED)
    if verdict(issue) != "none":
        parts.append(f"解約への影響: {churn_basis(issue)}")
    return f"「{issue['label']}」の導線を直せば、問い合わせコストを毎月{yen_range(low, high)}削減できる見込みです。", "／".join(parts)


def churn_basis(issue: dict) -> str:
    """A short clause on churn for a sentence that is about something else."""
    cell = churn_cell(issue)
    detail = f"90%区間 毎月{cell['detail']}、" if cell["detail"] else ""
    figure = f"少なくとも毎月{cell['figure']}、" if cell["figure"] else ""
    return figure + detail + cell["chip"]


def joint_headline(
    total: dict | None, *, n_top: int, cost_yen: float | None, contact_share: float | None, is_calibrated: bool = True,
    is_provisional: bool = True, is_first: bool = True,
) -> tuple[str, str]:
    """(sentence, basis) on the top issues removed together; never a sum over issues.

    `is_first`: they are the first ranks; else the first of those with an estimate.
    """
    shares = [] if is_missing(contact_share) else [f"課題に分類された声の{contact_share * 100:.0f}%"]
    if not (is_missing(cost_yen) or cost_yen == 0):
        shares.append(f"問い合わせコスト 月{yen(cost_yen)}")
    if total is None or is_missing(total.get("churns_low")) or is_missing(total.get("churns_prevented")):
        if not n_top:
            return "順位を付けられる課題は、今回は見つかりませんでした。", ""
        return f"上位{n_top}課題をまとめて解消したときに防げる解約数は、まだ示せません。", "／".join(shares + ([] if is_calibrated or not shares else [UNCALIBRATED]))
    mark = standing(TIER_ESTIMATE, {"is_calibrated": is_calibrated, "is_provisional": is_provisional})
    interval = people_range(total["churns_low"], total["churns_high"])
    name = f"{'' if is_first else '推定値が出ている'}上位{total['n_issues']}課題"
    note = "同時に解消した場合を計算した値で、課題ごとの合計ではありません"
    if total["churns_low"] <= 0:
        return (f"{name}をまとめて解消しても、解約が減るとは確認できません。",
                "／".join([f"90%区間 毎月{interval}", mark, *shares]))
    value = [] if is_missing(total.get("ltv_yen")) else [f"LTV換算 月{yen(total['ltv_yen'])}"]
    return (f"{name}をまとめて解消すれば、問い合わせた顧客だけで少なくとも毎月{people(total['churns_prevented'])}"
            "の解約を防げる見込みです。", "／".join([f"90%区間 {interval}", mark, note, *value, *shares]))
