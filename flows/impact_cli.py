"""`voc impact FOLDER`: issues that are labelled already -> what each costs. No store, no language models, no Prefect."""

import argparse
import sys
from pathlib import Path

_SHOWN = 10  # reasons of refused rows on the screen; all are in the file


def add_commands(commands) -> None:
    """Add `impact` to the command line's sub-parsers."""
    parser = commands.add_parser(
        "impact", help="課題の付いた問い合わせの表から、課題ごとの解約と費用を推定します",
        description="フォルダーの contacts.csv、customers.csv、issues.csv（任意: usage.csv、nps.csv、params.json）から、"
        "課題ごとに防げる解約数、金額、対応費用を月平均で推定します（設定も保存先も不要）。使えなかった行は OUT の隣の .rejects.csv に書き出します。",
    )  # fmt: skip
    parser.add_argument("folder", type=Path, help="表の入ったフォルダー")
    parser.add_argument("--out", type=Path, required=True, help="書き出す CSV（例: est.csv。est.rejects.csv も書き出します）")
    parser.add_argument(
        "--file", action="append", default=[], metavar="表=ファイル名", help="別の名前のファイル（例: contacts=問い合わせ.csv。何度でも）")
    parser.add_argument(
        "--column", action="append", default=[], metavar="表.列=列名", help="別の名前の列（例: contacts.time=受付日時。何度でも）")
    parser.add_argument(
        "--not-reverse", action="append", default=[], metavar="課題番号", help="時期から「解約を決めた後の問い合わせ」と判断させない課題（何度でも）")
    parser.add_argument("--sensitivity", action="store_true", help="前提を変えた推定も OUT の隣の .sensitivity.csv に書き出します（数倍の時間）")
    parser.add_argument("--seed", type=int, default=42, help="乱数の種（同じ値なら同じ結果）")
    parser.set_defaults(command=_impact)


def _impact(options: argparse.Namespace) -> int:
    import pandas as pd

    from voc.config import Impact
    from voc.errors import SourceError
    from voc.impact.labelled import estimate_labelled
    from voc.sources.labelled_files import NAMES, read_labelled, write_csv

    files = dict(_pair(text, "--file", sorted(NAMES)) for text in options.file)
    out = options.out
    beside = {kind: out.with_name(f"{out.name.removesuffix('.csv')}.{kind}.csv") for kind in ("rejects", "sensitivity")}
    inputs = {(options.folder / files.get(name, usual)).resolve() for name, usual in NAMES.items()}
    if inputs & {path.resolve() for path in (out, *beside.values())}:
        raise SourceError(f"出力先 {out} が入力ファイルと同じです。--out に別の名前を指定してください。")
    tables, broken, guessed = read_labelled(options.folder, files=files, columns=_columns(options.column))
    found = estimate_labelled(
        **tables, impact=Impact(not_reverse=options.not_reverse), seed=options.seed, with_sensitivity=options.sensitivity)
    rejects = pd.concat([broken, found.rejects], ignore_index=True)
    write_csv(found.table, out)
    write_csv(rejects, beside["rejects"])
    if options.sensitivity:
        write_csv(found.sensitivity, beside["sensitivity"])
    sizes = "、".join(f"{name} {len(frame):,} 行" for name, frame in tables.items() if name != "params")
    _tell([f"読んだ行: {sizes}", *guessed, *found.notices], found.table, rejects, out, beside["rejects"])
    return 0


def _pair(text: str, option: str, allowed: list[str]) -> tuple[str, str]:
    from voc.errors import SourceError

    name, is_pair, value = text.partition("=")
    if not is_pair or not value or name.strip() not in allowed:
        raise SourceError(f"{option} {text} は使えません。名前=値 の形で書いてください。使える名前: {'、'.join(allowed)}。")
    return name.strip(), value.strip()


def _columns(texts: list[str]) -> dict[str, dict[str, str]]:
    from voc.impact.labelled_tables import COLUMNS

    allowed = [f"{table}.{column}" for table, names in COLUMNS.items() for column in names]
    columns = {}
    for place, theirs in (_pair(text, "--column", allowed) for text in texts):
        table, _, ours = place.partition(".")
        columns.setdefault(table, {})[ours] = theirs
    return columns


def _tell(lines: list[str], table, rejects, out: Path, rejects_path: Path) -> None:
    if len(rejects):
        counts = rejects.groupby(["source", rejects["reason"].str.replace(r"「[^」]*」", "「…」", regex=True)]).size()
        lines.append(f"使えなかった行や値 {len(rejects):,} 件（{rejects_path}）")
        lines += [f"  {source} {n:,} 件: {reason}" for (source, reason), n in counts.nlargest(_SHOWN).items()]
    tiers = table["tier"].value_counts()
    told = "、".join(f"{tier} {tiers.get(tier, 0)} 件" for tier in ("推定値", "参考値", "データ不足"))
    lines.append(f"課題 {len(table)} 件（{told}）を書き出しました: {out}")
    sys.stdout.write("\n".join(lines) + "\n")
