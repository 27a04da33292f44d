"""The command line. Prefect is imported only where a flow runs."""

import argparse
import sys
from pathlib import Path

from flows import issues_cli, settings
from voc import __version__
from voc.errors import VocError

_EXIT_FAULT = 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a fault that the user can repair is told in Japanese and gives exit status 2."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except VocError as error:
        print(f"エラー: {error}", file=sys.stderr)
        return _EXIT_FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voc", description="お客様の声から、課題ごとの解約と問い合わせコストを見積もります。")
    parser.add_argument("--version", action="version", version=f"voc {__version__}")
    commands = parser.add_subparsers(required=True, metavar="コマンド")

    demo = commands.add_parser("demo", help="架空の会社のデータを作り、レポートまで通して実行します（数分）", description="架空の会社のデータを作り、レポートまで通して実行します（数分）")
    demo.add_argument("--folder", type=Path, default=Path("voc-demo"), help="出力先フォルダ（既定: ./voc-demo）")
    demo.add_argument("--seed", type=int, default=42, help="データを作る乱数の種（同じ値なら同じデータ）")
    demo.add_argument("--customers", type=int, default=4000, help="開始時点の顧客数（既定: 4000）")
    demo.add_argument("--months", type=int, default=24, help="データの月数（既定: 24）")
    demo.set_defaults(command=_demo)

    run = commands.add_parser("run", help="設定ファイルのとおりに取り込み、分析し、レポートを作ります", description="設定ファイルのとおりに取り込み、分析し、レポートを作ります")
    run.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    run.set_defaults(command=_run)

    mask = commands.add_parser(
        "mask", help="ファイルの個人情報を伏せ字にします", description="CSV・XLSX・JSONL の個人情報を伏せ字にします（設定も保存先も不要）。"
    )
    mask.add_argument("file", type=Path, help="CSV、XLSX、JSONL（.gz も可）")
    mask.add_argument("--text", required=True, metavar="列名", help="本文の列")
    mask.add_argument("--out", type=Path, required=True, help="書き出す CSV")
    mask.set_defaults(command=_mask)

    issues_cli.add_commands(commands)

    schedule = commands.add_parser("schedule", help="決まった時刻に自動で実行します（止めるまで動き続けます）", description="決まった時刻に自動で実行します（止めるまで動き続けます）")
    schedule.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    schedule.add_argument("--cron", default="0 6 * * *", help="実行時刻（cron 形式。既定: 毎朝 6 時）")
    schedule.set_defaults(command=_schedule)
    return parser


def _demo(options: argparse.Namespace) -> int:
    from voc.demo.company import write_company

    folder = options.folder.resolve()
    print(f"架空の会社「ミナトワークス」のデータを作っています: {folder}", file=sys.stderr)
    write_company(folder, seed=options.seed, n_customers=options.customers, n_months=options.months)
    return _run_config(folder / "voc.toml")


def _run(options: argparse.Namespace) -> int:
    return _run_config(options.config)


def _run_config(path: Path) -> int:
    from voc.config import load_config

    load_config(path)  # a wrong file is told at once, before a server is started
    settings.prepare(path.resolve().parent)
    from flows.run import run

    result = run(str(path))
    _print_result(result)
    return 0


def _schedule(options: argparse.Namespace) -> int:
    from voc.config import load_config

    config = load_config(options.config)
    settings.prepare(options.config.resolve().parent)
    from flows.schedule import serve  # imports Prefect only after its server is up

    print(f"{options.cron}（{config.company.timezone}）に実行します。止めるには Ctrl+C を押してください。", file=sys.stderr)
    serve(options.config, cron=options.cron, timezone=config.company.timezone)
    return 0


def _mask(options: argparse.Namespace) -> int:
    from voc import mask_file

    told = mask_file(options.file, text=options.text, out=options.out)
    print(f"{told['n_rows']:,} 行を読み、{told['n_spans']:,} か所を伏せ字にしました: {options.out}")
    return 0


def _print_result(result) -> None:
    counts = result.counts
    print(f"\n問い合わせ {counts['parse']:,} 件、お客様の発言 {counts['voices']:,} 文、課題 {counts['issues']} 件")
    print(f"使えなかった行 {counts['rejects']:,} 件、どの課題にも入らなかった声 {counts['unassigned_share']:.0%}")
    print("\n主な結果")
    for sentence in result.headlines:
        print(f"  ・{sentence}")
    print("\nレポート")
    for path in result.reports:
        print(f"  {path}")


if __name__ == "__main__":
    sys.exit(main())
