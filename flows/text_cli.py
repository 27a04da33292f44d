"""`voc mask`, `judge`, `group`, `embed`: one column of a file, without configuration and store. Prefect is not needed."""

import argparse
from collections.abc import Callable
from pathlib import Path


def add_commands(commands) -> None:
    """Add the four commands to the command line's sub-parsers."""
    _command(commands, "mask", _mask, help_text="ファイルの個人情報を伏せ字にします", does="個人情報を伏せ字にします", out="CSV")

    judge = _command(
        commands, "judge", _judge, help_text="ファイルの文ごとに、不満・要望・質問などを判定します", does="本文を判定します", out="CSV"
    )
    judge.add_argument("--level", choices=("sentence", "text"), default="sentence", help="文ごと（既定）か、1 行につき 1 件か")

    group = _command(
        commands, "group", _group, help_text="ファイルの声を課題にまとめます", does="声を課題にまとめ、CSV と一覧の HTML を書き出します",
        out="CSV（同じ名前の .html も書き出します）",
    )  # fmt: skip
    group.add_argument("--time", metavar="列名", help="日時の列（月ごとの件数を示します）")
    group.add_argument("--issues", type=int, metavar="件数", help="作る課題の数（既定: 声のまとまりから決めます）")

    embed = _command(
        commands, "embed", _embed, help_text="ファイルの本文をベクトルにします", does="本文をベクトル（.npy）にします", out=".npy"
    )
    embed.add_argument("--model", default="use", help="use（既定）、e5、both（両方をつなぐ）、または sentence-transformers のモデル名")


def _command(
    commands, name: str, function: Callable[[argparse.Namespace], int], *, help_text: str, does: str, out: str
) -> argparse.ArgumentParser:
    """A command with what all four take: the file, its column of texts, the file that is written (`out`: what kind)."""
    parser = commands.add_parser(name, help=help_text, description=f"CSV・XLSX・JSONL の{does}（設定も保存先も不要）。")
    parser.add_argument("file", type=Path, help="CSV、XLSX、JSONL（.gz も可）")
    parser.add_argument("--text", required=True, metavar="列名", help="本文の列")
    parser.add_argument("--out", type=Path, required=True, help=f"書き出す {out}")
    parser.set_defaults(command=function)
    return parser


def _mask(options: argparse.Namespace) -> int:
    from voc import mask_file

    told = mask_file(options.file, text=options.text, out=options.out)
    print(f"{told['n_rows']:,} 行を読み、{told['n_spans']:,} か所を伏せ字にしました: {options.out}")
    return 0


def _judge(options: argparse.Namespace) -> int:
    from voc import judge_file

    told = judge_file(options.file, text=options.text, out=options.out, level=options.level)
    print(f"{told['n_rows']:,} 行を読み、{told['n_judged']:,} 件を判定しました（うち判定を控えたもの {told['n_abstained']:,} 件）: {options.out}")
    return 0


def _group(options: argparse.Namespace) -> int:
    from flows.groups import group_file
    from voc.parsing.dates import ALLOWED

    told = group_file(options.file, text=options.text, out=options.out, time=options.time, n_issues=options.issues)
    print(f"{told['n_rows']:,} 行を {told['n_issues']} 件の課題にまとめました（どの課題にも入らなかった行 {told['n_left_out']:,}）: {options.out}")
    if told["n_undated"]:
        print(f"※ 日時を読めない行が {told['n_undated']:,} 行あり、月別の件数に入れていません（書き方: {ALLOWED}）。")
    return 0


def _embed(options: argparse.Namespace) -> int:
    from voc import embed_file

    told = embed_file(options.file, text=options.text, out=options.out, model=options.model)
    print(f"{told['n_rows']:,} 行を {told['n_dimensions']} 次元のベクトルにしました: {options.out}")
    return 0
