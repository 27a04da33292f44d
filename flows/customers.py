"""`voc erase` and `voc reveal`: one customer found, removed or named, told in Japanese. Prefect is not needed."""

from pathlib import Path

import pandas as pd

from voc.config import Config
from voc.errors import VocError
from voc.identity import reveal
from voc.inert import inert_line
from voc.removal import PSEUDONYM_MAP, FoundCustomer
from voc.sources.pseudonym_map import has_map, read_pseudonyms
from voc.tables import CONTACTS, CUSTOMERS, TURNS, USAGE

YES = "はい"
NOT_IN_MAP = "（対応表にありません）"
NAMES = {
    "contacts": "問い合わせ", "turns": "発言", "sentences": "文", "opinions": "意見の判定", "wishes": "要望の文", "requests": "要望",
    "calls": "通話の要約", "embeddings": "文のベクトル", "unfinished": "計算途中のベクトル", "mentions": "課題への言及",
    "customers": "顧客の表", "customer_keys": "メールアドレス・電話番号の照合", "usage": "利用状況", "orders": "注文",
    "price_changes": "月額の変更", "faq": "FAQ の記事", "faq_logs": "FAQ の利用記録", "catalogue": "オプションの一覧",
    "counts_by_hour": "時間帯別の着信数", "issues": "課題の代表例", "issue_events": "課題の履歴", "actions": "対応の記録",
    "issue_quality": "課題の品質", "issue_calibration": "課題の確率の補正", "issue_labels": "課題の確認結果", "issue_trends": "課題の増減",
    "issue_months": "課題の月別件数", "issue_segments": "課題の属性別の割合", "impact": "課題の影響額", "impact_totals": "影響額の合計",
    "impact_sensitivity": "影響額の感度", "impact_controls": "影響額の対照課題", "impact_reverse": "解約の意思に伴う課題",
    "silent": "声を上げない顧客の推定", "company_months": "会社全体の月別の値", "ltv_factors": "LTV の内訳", "retention": "継続率",
    "cost_parts": "対応費用の内訳", "cost_channels": "窓口別の費用", "customer_health": "顧客の健康度", "health_test": "健康度の検証",
    "drivers": "満足度への影響", "faq_triage": "FAQ の判定", "option_matches": "オプションとの照合", "fix_effects": "対応の効果",
    "recommendations": "提案", "contrasts": "顧客層の比較", "ranking": "課題の順位", "alerts": "注意のお知らせ", "rejects": "使えなかった行",
    "erased": "消した印", "watermarks": "読み込み済みの位置", "made_by": "計算の方法の記録", "runs": "実行の記録",
    PSEUDONYM_MAP: "仮名の対応表",
}  # fmt: skip
"""Every table as a person at the terminal reads it."""


def map_folder(config: Config, base: Path) -> Path | None:
    """Where the map of pseudonyms is; None where the configuration wants none."""
    return base / config.privacy.pseudonym_map if config.privacy.pseudonym_map else None


def question(customer: str, found: FoundCustomer) -> str:
    """What is about to be removed, and how to agree."""
    n_rows = "、".join(f"{NAMES[name]} {found.n_rows[name]:,} 件" for name in (CONTACTS.name, TURNS.name, CUSTOMERS.name, USAGE.name))
    lines = [
        f"顧客「{inert_line(customer)}」（仮名 {found.customer_id}）を、すべての表・その履歴・仮名の対応表から消します。",
        f"  {n_rows}と、そこから作った文・判定・ベクトル",
        "元に戻せません。すべての表で過去の版も読めなくなります。voc run や voc schedule が動いていないときに実行してください。",
    ]
    return "\n".join([*lines, f"消してよければ「{YES}」と入力してください: "])


def told(customer: str, found: FoundCustomer, counts: dict[str, int], *, reports: list[Path]) -> str:
    """What was removed, table by table, and what a person still has to do."""
    name = f"顧客「{inert_line(customer)}」（仮名 {found.customer_id}）"
    if any(counts.values()):
        lines = [f"{name}を消しました。", *(f"  {NAMES[table]}: {n:,} 件" for table, n in counts.items() if n)]
    else:
        lines = [f"{name}の行は残っていません。"]
    lines += [
        "消した印を残したので、取り込み元に残っていても、次の取り込みでは保存しません（取り込み元のデータは消していません）。",
        "すべての表の過去の版は消しました。今より前の版は読めません。",
    ]
    if reports:
        lines += ["作成済みのレポートには、この顧客の声の引用や、この顧客を含む数字が残っていることがあります。"
                  "voc run で作り直すか、ファイルを消してください（配布済みの写しも同じです）:"]  # fmt: skip
        lines += [f"  {path}" for path in reports]
    return "\n".join(lines)


def report_files(folder: Path) -> list[Path]:
    """Files in the folder of reports, by name."""
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def named(pseudonyms: list[str], *, folder: Path | None) -> list[tuple[str, str]]:
    """(pseudonym, customer number, or NOT_IN_MAP). Raises VocError where no map is kept or none was written yet."""
    if folder is None:
        raise VocError("仮名の対応表を残さない設定です（[privacy] の pseudonym_map が空）。対応表を使うには pseudonym_map にフォルダーを"
                       "書いて voc run --full を実行してください。")  # fmt: skip
    if not has_map(folder=folder):
        raise VocError(f"仮名の対応表がありません: {folder}。voc run で取り込むと作られます。別の場所にあるときは [privacy] の "
                       "pseudonym_map に書いてください。")  # fmt: skip
    pairs = read_pseudonyms(folder=folder)
    known = set(pairs["customer_id"])
    found = reveal(pd.Series(pseudonyms, dtype="str"), pairs)
    return [(one, number if one in known else NOT_IN_MAP) for one, number in zip(pseudonyms, found, strict=True)]
