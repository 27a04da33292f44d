"""How far the churn numbers may be trusted: confirmed controls, what they showed, and what was set apart as reverse."""

import json
import math

import pandas as pd

from voc.impact.calibration import MIN_CONTROLS
from voc.impact.reverse import BY_PERSON, BY_TIMING, BY_WORDS, GAP_DAYS, LATER_DAYS
from voc.intervals import Z90
from voc.reports.formats import LABEL_LENGTH, NONE, SMALL_GROUP, count, is_missing, people_range, percent, plain

_BASIS = {BY_PERSON: "人の指定", BY_WORDS: "課題の名前", BY_TIMING: "時期（解約の直前に集中）"}
_WHY_CONTROLS = "住所変更、領収書の発行、営業時間の確認など、解約の理由になりえない課題"


def confirmed_controls(controls: pd.DataFrame, settings: dict) -> int:
    """How many negative controls the run used (settings.n_controls); where it does not say, how many the table confirms."""
    told = settings.get("n_controls")
    return int(controls["is_confirmed"].sum()) if is_missing(told) else int(told)


def is_provisional(controls: pd.DataFrame, settings: dict) -> bool:
    """True while fewer than two negative controls are confirmed: nothing has corrected the numbers for hidden bias."""
    return confirmed_controls(controls, settings) < MIN_CONTROLS


def window_text(settings: dict, *, window_months: int | None) -> str:
    """How long a contact counts: as the run learned it, or as [impact] window_months says; '' where neither tells."""
    learned = settings.get("window_months")
    if not is_missing(learned):
        return f"{learned}か月間" + ("（データから選択）" if window_months is None else "（設定）")
    return "" if window_months is None else f"{window_months}か月間（設定）"


def how_to_confirm(controls: pd.DataFrame, settings: dict, labels: dict[str, str]) -> dict:
    """Title and lines on how 「暫定」 goes away: the candidates by name and the line for voc.toml. `labels`: by issue_id."""
    n = confirmed_controls(controls, settings)
    known = controls.loc[controls["is_confirmed"] | controls["is_proposed"], "issue_id"].tolist()
    proposed = controls.loc[controls["is_proposed"] & ~controls["is_confirmed"], "issue_id"].tolist()
    ids = json.dumps(known, ensure_ascii=False) if len(known) >= MIN_CONTROLS else '["VOC-00xx", "VOC-00xx", "VOC-00xx"]'
    found = (["候補（課題の名前から選んだもの）: " + "、".join(f"「{_label(one, labels)}」（{one}）" for one in proposed) + "。"] if proposed else
             ["候補は、課題の名前からは見つかりませんでした。課題の一覧から選んでください。"])  # fmt: skip
    return {"title": "「暫定」を外すには", "lines": [
        f"{_WHY_CONTROLS}を「対照」として3〜8件選びます（現在 確認済み{n}件、{MIN_CONTROLS}件以上が要ります）。"
        "対照にも解約との関係が出れば、それは記録にない不満などによる偏りと分かり、その分をすべての解約数から差し引けます。",
        *found,
        f"解約の理由になりえないことを人が確かめたうえで、voc.toml の [impact] に controls = {ids} と書きます。次の分析から補正し、「暫定」の表示は消えます。",
    ]}  # fmt: skip


def placebo_block(controls: pd.DataFrame, settings: dict, labels: dict[str, str]) -> dict | None:
    """What the model says of issues that cannot cause churn, before the correction; None where it says nothing of any.

    title, lines, columns and rows of finished text. The strength is exp(log-odds) with its 90 % interval: 1 is no effect.
    """
    rows = controls.dropna(subset=["log_odds", "log_odds_se"]).sort_values(
        ["is_confirmed", "issue_id"], ascending=[False, True], kind="stable")
    if rows.empty:
        return None
    reach = Z90 * rows["log_odds_se"]
    low, high = rows["log_odds"] - reach, rows["log_odds"] + reach
    # a candidate may still turn out to be a cause: it counts only where nothing better is there
    tested = rows["is_confirmed"].astype(bool) | (not rows["is_confirmed"].any())
    n, excluded = int(tested.sum()), int((tested & ((low > 0) | (high < 0))).sum())
    name = "確認済みの対照" if rows["is_confirmed"].any() else "候補"
    cells = [
        [f"{_label(row['issue_id'], labels)}（{row['issue_id']}）", "確認済み" if row["is_confirmed"] else "候補",
         f"{_times(row['log_odds'])}（{_times(one).removesuffix('倍')}〜{_times(other)}）", people_range(row["churns_low"], row["churns_high"])]
        for row, one, other in zip(rows.to_dict("records"), low, high, strict=True)
    ]  # fmt: skip
    lines = [plain(settings["banner"], limit=300)] if settings.get("banner") else []
    lines += [
        "解約の理由になりえない課題（対照）を、ほかの課題と同じモデルで推定した結果です。補正前は1倍、補正後は0名をまたぐのが正常です。",
        f"補正前の90%区間が1倍をまたがない{name}は、{n}件中{excluded}件（{percent(excluded / n, places=0)}）です"
        "（偏りがなくても、偶然で1割ほどは外れます）。",
        *_bias_lines(settings),
    ]
    columns = ["対照の課題", "確認", "解約のしやすさ（補正前、90%区間）", "防げる解約／月（補正後、90%区間）"]
    return {"key": "placebo", "title": "対照の課題で確かめた偏り", "lines": lines, "columns": columns, "rows": cells}


def _bias_lines(settings: dict) -> list[str]:
    shift, spread, n = settings.get("shift"), settings.get("spread"), settings.get("n_controls")
    if is_missing(shift) or is_missing(spread) or is_missing(n):
        return []
    if n < MIN_CONTROLS:
        return [f"確認済みの対照が{MIN_CONTROLS}件に満たないため、偏りは差し引かず、課題ごとのばらつきを{spread:.2f}（対数オッズ）と仮定して区間を広げています。"]
    sign = "+" if shift > 0 else "−" if shift < 0 else ""
    return [f"確認済みの対照{n}件から学んだ偏りは{sign}{abs(shift):.2f}（対数オッズ。解約のしやすさで{_times(shift)}）、課題ごとのばらつきは{spread:.2f}です。"
            "すべての課題の推定からこの偏りを差し引き（不満のあるときに語られやすい課題ほど多めに）、ばらつきの分だけ区間を広げています。"]


def reverse_block(reverse: pd.DataFrame, labels: dict[str, str], *, has_churn: bool) -> dict | None:
    """The issues set apart as contacts after the decision to leave, with the evidence; None where there are none.

    title, lines, columns and rows of finished text. Without churn numbers, and below five churns, none is printed.
    """
    if reverse.empty:
        return None
    rows = reverse.sort_values(["is_overruled", "issue_id"], kind="stable").to_dict("records")
    taken = [row["issue_id"] for row in rows if not row["is_overruled"] and row["basis"] != BY_PERSON]
    lines = [f"「時期」は、問い合わせから{GAP_DAYS}日以内の解約が多く、その後（{GAP_DAYS + 1}〜{LATER_DAYS}日）には少ない課題です。解約を決めてから連絡しているとみなし、"
             "解約数を計上していません。ただし、早めに予告された本当の理由のこともあるため、人の確認が要ります。"]  # fmt: skip
    if taken:
        lines.append(f"本当の解約の理由である課題は、voc.toml の [impact] に not_reverse = {json.dumps(taken[:1])} のように番号を書くと、次の分析から原因として推定します。")
    lines.append('反対に、解約を決めた後の連絡にすぎない課題は、reverse = ["VOC-00xx"] と書くと、解約数を計上しません。')
    columns = ["課題", "根拠", f"{GAP_DAYS}日以内の解約", "問い合わせに占める割合", f"その後の割合（{GAP_DAYS}日あたり）", "扱い"]
    return {"key": "reverse-list", "title": "「解約を決めた後」とみなした課題の根拠", "lines": lines, "columns": columns,
            "rows": [_reverse_row(row, labels, has_churn=has_churn) for row in rows]}  # fmt: skip


def _reverse_row(row: dict, labels: dict[str, str], *, has_churn: bool) -> list[str]:
    n = row["n_churns"]
    figures = [NONE, NONE, NONE]
    if has_churn and not is_missing(n):
        figures = ([f"{SMALL_GROUP}件未満", NONE, NONE] if n < SMALL_GROUP else
                   [count(n), percent(row["churn_share"], places=0), percent(row["later_churn_share"], places=1)])  # fmt: skip
    return [f"{_label(row['issue_id'], labels)}（{row['issue_id']}）", _BASIS.get(row["basis"], plain(row["basis"], limit=20)), *figures,
            "原因として推定（人の判断）" if row["is_overruled"] else "解約数を計上しない"]  # fmt: skip


def _label(issue_id: str, labels: dict[str, str]) -> str:
    return plain(labels.get(issue_id), limit=LABEL_LENGTH) or issue_id


def _times(log_odds: float) -> str:
    """exp(log-odds) as 「1.12倍」; beyond 100 times nothing exact is known."""
    return "100倍超" if log_odds > math.log(100) else f"{math.exp(log_odds):.2f}倍"
