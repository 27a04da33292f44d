"""`voc erase` and `voc reveal`: one customer found, removed or named, told in Japanese. Prefect is not needed."""

from pathlib import Path

import pandas as pd

from voc.config import Config
from voc.errors import VocError
from voc.identity import reveal
from voc.inert import inert_line
from voc.removal import PSEUDONYM_MAP, FoundCustomer
from voc.run_words import TABLES
from voc.sources.pseudonym_map import has_map, read_pseudonyms
from voc.tables import CONTACTS, CUSTOMERS, TURNS, USAGE

YES = "はい"
NOT_IN_MAP = "（対応表にありません）"
NAMES = {**TABLES, PSEUDONYM_MAP: "仮名の対応表"}
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
