"""The end of every report: what was left out, how figures were reached, and with what they were made."""

import json
import re

import pandas as pd

from voc.impact.lifetime import formula_text
from voc.issues.calibration import ENOUGH, is_calibrated
from voc.privacy_patterns import LABELS
from voc.reports.certainty import (
    confirmed_controls,
    how_to_confirm,
    is_provisional,
    placebo_block,
    reverse_block,
    window_text,
)
from voc.reports.formats import NONE, count, day, is_missing, percent, plain, yen
from voc.reports.wording import CHANNELS, CHIP_MEANINGS, channel_name, chip
from voc.run_words import COUNTS, NEW_VECTORS, PARTS, STAGES, vectors_word

REASONS_SHOWN = 12
NOTICES_SHOWN = 5


def run_json(run: dict, name: str) -> dict:
    """A JSON column of `runs` as a dict; empty where the run has none."""
    text = run.get(name)
    if is_missing(text) or text == "":
        return {}
    found = json.loads(text) if isinstance(text, str) else text
    return found if isinstance(found, dict) else {"": found}


def reasons(run: dict) -> list[str]:
    """Why this run cannot show churn numbers, as written by the run (settings.reasons)."""
    return [plain(reason, limit=300) for reason in run_json(run, "settings").get("reasons") or []]


def notices(run: dict) -> list[str]:
    """What the ingest of this run tells its readers: a source that failed or fell silent, a header that changed."""
    told = [plain(notice, limit=300) for notice in run_json(run, "settings").get("notices") or []]
    rest = len(told) - NOTICES_SHOWN
    return told[:NOTICES_SHOWN] + ([f"ほか {rest} 件（実行結果の画面に表示されています）"] if rest > 0 else [])


def left_out(tables: dict[str, pd.DataFrame], run: dict) -> dict:
    """Rows refused by reason, sentences set aside, duplicates and the share without an issue."""
    counts, rejects = run_json(run, "counts"), tables["rejects"]
    grouped = rejects.groupby(["stage", "reason"]).size().reset_index(name="n")
    grouped = grouped.sort_values(["n", "stage", "reason"], ascending=[False, True, True], kind="stable")
    rows = [{"stage": STAGES.get(stage, plain(stage, limit=20)), "reason": plain(reason), "n": count(n)}
            for stage, reason, n in grouped.head(REASONS_SHOWN).itertuples(index=False)]
    rest = int(grouped["n"].iloc[REASONS_SHOWN:].sum())
    if rest:
        rows.append({"stage": "", "reason": f"その他の理由（{len(grouped) - REASONS_SHOWN}種類）", "n": count(rest)})
    lines = [f"使えなかった行は{count(len(rejects))}です。" if len(rejects) else "使えなかった行はありません。"]
    # as the run told it, like the counts below; of runs that told nothing, what is stored
    set_aside = sum(counts["set_aside"].values()) if "set_aside" in counts else tables["sentences"]["set_aside"].notna().sum()
    lines.append(f"挨拶や定型文などとして分析から外した文は{count(int(set_aside))}です。")
    if counts.get("without_content"):
        lines.append(f"内容を表す語がないため判定しなかった文は{count(int(counts['without_content']))}です。")
    doubled = int(tables["contacts"]["duplicate_of"].notna().sum())
    lines.append(f"同じ内容が二重に届いていた{count(doubled)}（転送、二重の出力など）は、1件として数えました。" if doubled
                 else "内容が重複した問い合わせは見つかりませんでした。")
    masks = counts.get("mask") or {}
    if masks.get("n_texts"):
        share = percent(masks.get("n_texts_for_names", 0) / masks["n_texts"], places=1)
        lines.append(f"個人情報は保存の前に伏せ字にしました。今回新しく読んだ発言のうち、人名の判定を行ったのは{share}です。")
    voices, unassigned = counts.get("voices"), counts.get("unassigned")
    if voices and unassigned is not None:
        lines.append(f"分析した{count(voices, '文')}のうち{count(unassigned, '文')}（{percent(unassigned / voices, places=0)}）は、"
                     "どの課題にも入りませんでした。少数の声はここに含まれます。")
    return {"lines": lines, "rows": rows}


def assumptions(config, *, has_churn: bool, controls: pd.DataFrame, run: dict) -> list[dict]:
    """Titles with paragraphs, in plain Japanese, with the numbers of this configuration and this run.

    `controls`: IMPACT_CONTROLS.
    """
    impact, value, costs = config.impact, config.value, config.costs
    settings = run_json(run, "settings")
    window = window_text(settings, window_months=impact.window_months)
    window = f"{window}、" if window else "、データに最も合う期間（1〜12か月）だけ"
    churn = [
        f"課題に触れた問い合わせがあった顧客を、その後{window}「課題を経験した顧客」とみなします。"
        + ("" if impact.window_months else "期間は、データに最も合う長さを選びます（差がはっきりしなければ4か月）。"),
        f"直前{impact.learning_lag_days}日以内の問い合わせは、関係の強さを学ぶときには使わず、防げる人数を数えるときだけ含めます。",
        f"解約を決めた日は、解約日からさかのぼって{impact.decision_days}日以内で最初の解約に関する問い合わせの日とします。"
        "その後に来た問い合わせは、原因として数えません。",
        "全課題を一つの統計モデル（月単位の解約確率）に入れ、プラン、顧客区分、利用期間、時期、利用状況、過去の問い合わせ、NPSの違いを"
        "そろえたうえで、「その課題だけがなかった場合」との解約数の差を「防げる解約数」とします。",
        "課題ごとの値は重なり合うため合計できません。上位課題をまとめた値は、同時になくなった場合を計算し直しています。",
        f"会社全体で{impact.min_months}か月、解約{impact.min_churns:,}件、問い合わせ{impact.min_contacts:,}件に満たない場合、解約数は一切示しません。",
        "順位は、偶然の上振れを抑えた「慎重に見た値」のLTVと、問い合わせコストの合計で付けています。",
    ]
    limits = [
        "解約に影響しないと分かっている問い合わせによる補正をまだ確認していません。このため、すべての解約数を「暫定」としています。"
        if is_provisional(controls, settings) else
        f"解約に影響しないと人が確かめた課題{confirmed_controls(controls, settings)}件（対照）に表れた関係を偏りとみなし、すべての解約数から差し引いています。"
        "対照が感じ取れない偏りは残ります。",
        "問い合わせに表れない不満（競合の営業、社内事情など）が解約に強く関わる場合、値は実際より大きく出ることがあります。"
        "正解の分かるシミュレーションでは、そのような強い不満が隠れていても90%区間は平均で92%が正解を含みましたが、実際の会社はそれより難しいことがあります。",
        "同じことで困っていても問い合わせない顧客が比較の相手に混じると、影響は小さく見えます。"
        + ("見込みの人数はこの目減りを補正していない、控えめな値です。困った顧客のうち実際に問い合わせる人の割合は分からないため（20〜100%と想定）、区間は影響が大きい側にだけ広げています。"
           if impact.reporting_rate is None else
           f"困った顧客のうち問い合わせる人の割合を設定の{percent(impact.reporting_rate[0], places=0)}〜{percent(impact.reporting_rate[1], places=0)}とみて、"
           "見込みの人数も区間もこの目減りを補正しています。"),
        "問い合わせずに離れた顧客は数えていません。「少なくとも」はこの意味で、隠れた不満による上振れがないことの保証ではありません。",
        "毎月の防げる解約数は流れの量です。引き留めた顧客が後に解約することもあるため、契約数の純増はその累計より小さくなります。",
    ]
    rates = "、".join(f"{channel_name(name)} {yen(rate)}/時" for name, rate in costs.yen_per_hour.items() if rate)
    seconds = "、".join(f"{channel_name(name)} {s:,.0f}秒" for name, s in costs.default_handle_seconds.items() if s)
    both = "、".join(f"{channel_name(name)} {n:g}件" for name, n in costs.concurrency.items())
    cost = [
        "問い合わせコスト ＝ 対応秒数 ÷ 3,600 × 時間単価 ÷ 同時対応数 ＋ 転送回数 × 転送1回の費用。複数の課題に触れた問い合わせは、"
        "確からしさの割合で分けるため、課題の合計は全体と一致します。",
        f"時間単価（人件費・法定福利・席・管理者・システムを含む）: {rates or 'なし'}。対応秒数の記録がない場合: {seconds or 'なし'}。"
        f"同時対応数: {both or 'すべて1件'}。転送1回: {yen(costs.transfer_yen)}。",
        f"同じ顧客から同じ課題で{costs.repeat_days}日以内に再び寄せられた問い合わせを「再問い合わせ」とします。",
        "削減できる額の幅は、顧客が自己解決できる割合の想定（使い方・手続きは高め、不具合は低め、解約は0）によります。"
        "固定の人件費は、件数が減ってもすぐには現金の削減にならず、対応余力になります。",
    ]
    ltv = [
        formula_text(value),
        "顧客解約率 ＝ 当月解約数 ÷ 前月末契約数。売上解約率 ＝ 当月に失った月額料金 ÷ 前月の月額料金合計"
        "（プラン変更などによる減額は、月額の変更の記録があるときだけ含みます）。",
        "NPS ＝ 9〜10点の割合 − 0〜6点の割合（回答5件以上の場合のみ）。",
    ]
    small = ["5名に満たない顧客の集計は、個人が推測されるおそれがあるため「5名未満」とし、値を示しません。",
             "引用は個人情報を伏せ字にした文です。長い文は200字で切っています。"]
    blocks = [{"title": "防げる解約数の求め方", "lines": churn}, {"title": "この推定の限界", "lines": limits}] if has_churn else []
    return [*blocks, {"title": "問い合わせコスト", "lines": cost}, {"title": "LTV・解約率・NPS", "lines": ltv},
            {"title": "個人の保護", "lines": small}]


def was_calibrated(table: pd.DataFrame, run: dict) -> bool:
    """Whether the probabilities of `run` were calibrated: as it wrote itself; without that, by ISSUE_CALIBRATION `table`."""
    return bool(run_json(run, "settings").get("is_calibrated", is_calibrated(table)))


def calibration(table: pd.DataFrame, run: dict) -> dict:
    """What 「未校正」 means and how it goes away; or how many answers the probabilities rest on."""
    n_labels = int(table["n_labels"].sum())
    if was_calibrated(table, run):
        return {"title": "課題への割り当ての確からしさ", "lines": [
            f"人が確かめた{count(n_labels)}の文をもとに、文が課題に当たる確率を課題ごとに校正しています。"]}  # fmt: skip
    lines = [
        "「未校正」は、どの文がどの課題の声かを、この会社の人がまだ十分に確かめていないことを示します"
        f"（これまでの答え {count(n_labels)}、校正には{count(ENOUGH)}以上が要ります）。",
        "割り当てに誤りがあると、課題の件数とコストは実際からずれ、解約への影響は弱めに、または別の課題の分まで出ることがあります。"
        "シミュレーションでは、文の3割が誤った課題に入ると、防げる解約数は正しい値の6〜9割になりました。",
        "校正するには、voc issues sample --n 300 --out sample.xlsx で文を書き出し、「合っている」の列に「はい」か「いいえ」を書いて、"
        "voc issues import sample.xlsx で取り込みます。次の分析から反映します。",
    ]
    if run_json(run, "settings").get("is_widened"):
        lines.insert(2, "このため、校正するまで、防げる解約数の90%区間を広めにとっています。")
    return {"title": "課題への割り当ての確からしさ（未校正）", "lines": lines}


def evidence(tables: dict[str, pd.DataFrame], run: dict, labels: dict[str, str], *, has_churn: bool) -> list[dict]:
    """Blocks with a table each (key, title, lines, columns, rows): the controls, and what was set apart as reverse.

    Blocks with nothing to show are left out. `labels`: issue_id -> label.
    """
    blocks = [
        placebo_block(tables["impact_controls"], run_json(run, "settings"), labels) if has_churn else None,
        reverse_block(tables["impact_reverse"], labels, has_churn=has_churn),
    ]
    return [block for block in blocks if block is not None]


def confirming(tables: dict[str, pd.DataFrame], run: dict, labels: dict[str, str], *, has_churn: bool) -> list[dict]:
    """The block that tells how 「暫定」 goes away, in a list; [] where nothing is provisional."""
    controls, settings = tables["impact_controls"], run_json(run, "settings")
    return [how_to_confirm(controls, settings, labels)] if has_churn and is_provisional(controls, settings) else []


def tiers(*, is_provisional: bool) -> list[dict]:
    return [{"verdict": kind, "chip": chip(kind, is_provisional=is_provisional), "meaning": meaning} for kind, meaning in CHIP_MEANINGS]


def provenance(run: dict) -> dict:
    """Run id, dates, seed, hashes, versions and counts, as pairs for a table."""
    rows = [("実行番号", plain(run.get("run_id"))), ("分析基準日", day(run.get("as_of_on"))),
            ("乱数の種", str(run.get("seed", NONE))), ("設定のハッシュ", plain(run.get("config_sha")))]
    told = (("入力", _inputs(run_json(run, "inputs"))), ("モデル", _models(run_json(run, "models"))),
            ("ソフトウェアの版", list(run_json(run, "versions").items())), ("件数", counts_told(run_json(run, "counts"))),
            ("所要時間（秒）", _seconds(run_json(run, "seconds"))))
    blocks = [{"title": title, "pairs": [(plain(name, limit=80), plain(text)) for name, text in pairs]} for title, pairs in told if pairs]
    return {"rows": [(name, text or NONE) for name, text in rows], "blocks": blocks}


def counts_told(counts: dict) -> list[tuple[str, str]]:
    """The counts of a run as (Japanese word, number) in the order of a run; those in parts as 「あいさつ 120、回答なし 30」.

    What no reader needs (NOT_TOLD) is left out, as is what an older version counted under a name that has no word now.
    """
    told = [(word, _in_parts(name, counts[name])) for name, word in COUNTS.items() if name in counts]
    return told + [(f"今回新しく計算した{vectors_word(name.removeprefix(NEW_VECTORS))}", _in_parts(name, value))
                   for name, value in counts.items() if name.startswith(NEW_VECTORS)]  # fmt: skip


def _in_parts(name: str, value: int | dict) -> str:
    if not isinstance(value, dict):
        return f"{value:,}"
    words = {"contacts_by_channel": CHANNELS, "mask": LABELS}.get(name, PARTS.get(name, {}))
    sums = {part: sum(n.values()) if isinstance(n, dict) else n for part, n in value.items()}
    if name == "mask":  # its other counts (n_texts …) are no masks; `left_out` tells of them
        sums = {part: n for part, n in sums.items() if part in LABELS}
    return "、".join(f"{words.get(part, part)} {n:,}" for part, n in sums.items() if n) or "0"


def _seconds(seconds: dict) -> list[tuple[str, str]]:
    order = list(STAGES)
    known = sorted((name for name in seconds if name in STAGES), key=order.index)
    return [(STAGES[name], f"{seconds[name]:,.1f}") for name in known]


def _inputs(inputs: dict) -> list[tuple[str, str]]:
    """Files of this run by source, with the start of the SHA-256 over them; the whole of it is in table `runs`."""
    return [(name, f"{found['files']:,}ファイル（{_version(found['sha256'])}）" if found["files"] else "新しいファイルなし")
            for name, found in inputs.items()]  # fmt: skip


def _models(models: dict) -> list[tuple[str, str]]:
    """Models with the files that they consist of; a part of the company's own with its code and the packages that it needs."""
    return [(name, "、".join(f"{file}（{_version(sha)}）" for file, sha in found.items()) if isinstance(found, dict) else _version(found))
            for name, found in models.items()]  # fmt: skip


def _version(found: object) -> str:
    """The start of a SHA-256, or the version of a package as it is."""
    text = str(found)
    return f"SHA-256 {text[:12]}" if re.fullmatch("[0-9a-f]{64}", text) else text or NONE
