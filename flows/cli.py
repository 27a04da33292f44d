"""The command line. Prefect is imported only where a flow runs."""

import argparse
import sys
from pathlib import Path

from flows import impact_cli, issues_cli, operations_cli, settings, text_cli
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
    run.add_argument("--full", action="store_true", help="前回の続きからではなく、取り込み元をすべて読み直します")
    run.set_defaults(command=_run)

    report = commands.add_parser(
        "report", help="保存した分析結果からレポートを作り直します（読み込みも分析もしません）",
        description="保存した分析結果からレポートを作り直します（読み込みも分析もしません）。日次は新しい課題と急に増えた課題、週次は件数の動きと上位の課題、月次は3つの資料です。",
    )  # fmt: skip
    report.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    report.add_argument("--period", choices=("daily", "weekly", "monthly"), default="monthly", help="daily: 日次、weekly: 週次、monthly: 月次（既定）")
    report.set_defaults(command=_report)
    plan = commands.add_parser("plan", help="voc run が何をするか、どれくらいかかるかを示します", description="voc run が何を読み、何を計算し直すか、その理由とおよその所要時間を示します（何も保存しません）。")
    plan.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    plan.set_defaults(command=_plan)

    text_cli.add_commands(commands)

    terms = commands.add_parser(
        "terms", help="用語集に加える候補を一覧にします", description="取り込んだ声から、用語集にない製品・画面・機能の名前や表記ゆれの候補を CSV にします。"
    )
    terms.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    terms.add_argument("--out", type=Path, default=Path("terms_candidates.csv"), help="書き出す CSV（既定: ./terms_candidates.csv）")
    terms.set_defaults(command=_terms)

    issues_cli.add_commands(commands)
    impact_cli.add_commands(commands)

    operations_cli.add_commands(commands)
    _setup_commands(commands)
    _customer_commands(commands)
    return parser


def _customer_commands(commands: argparse._SubParsersAction) -> None:
    erase = commands.add_parser(
        "erase", help="顧客 1 名を、保存したすべての表とその履歴から消します",
        description="顧客 1 名を、保存したすべての表・その履歴・仮名の対応表から消し、次の取り込みでも保存しないように記録します。"
        "元に戻せません。取り込み元のデータと作成済みのレポートは消しません。voc run が動いていないときに実行してください。",
    )  # fmt: skip
    erase.add_argument("customer", metavar="顧客", help="顧客番号（仮名、またはその顧客だけが使うメールアドレス・電話番号も可）")
    erase.add_argument("--config", type=Path, default=Path("voc.toml"), help="設定ファイル（既定: ./voc.toml）")
    erase.add_argument("--yes", action="store_true", help="確認せずに消します")
    erase.add_argument("--even-if-unknown", action="store_true", help="保存したデータにない顧客でも、これから届くデータを保存しないように記録します")
    erase.set_defaults(command=_erase)

    reveal = commands.add_parser("reveal", help="仮名から顧客番号を調べます", description="仮名の対応表で、仮名から顧客番号を調べます。")
    reveal.add_argument("pseudonyms", nargs="+", metavar="仮名", help="レポートや表にある仮名（K で始まる 17 文字）")
    reveal.add_argument("--config", type=Path, default=Path("voc.toml"), help="設定ファイル（既定: ./voc.toml）")
    reveal.set_defaults(command=_reveal)


def _setup_commands(commands: argparse._SubParsersAction) -> None:
    init = commands.add_parser(
        "init", help="フォルダーの中身を見て、設定ファイルの下書きを作ります",
        description="フォルダーの中身を見て、設定ファイルの下書きを作ります。推測に自信のないところは「要確認」と書きます。",
    )  # fmt: skip
    init.add_argument("folder", type=Path, help="データの入ったフォルダー")
    init.add_argument("--out", type=Path, default=Path("voc.toml"), help="書き出す設定ファイル（既定: ./voc.toml。上書きはしません）")
    init.set_defaults(command=_init)

    check = commands.add_parser(
        "check", help="設定ファイルを確かめ、すべての読み込み元につながるか試します",
        description="設定ファイルを確かめ、すべての読み込み元につながるか試します（何も保存しません）。",
    )  # fmt: skip
    check.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    check.set_defaults(command=_check)


def _demo(options: argparse.Namespace) -> int:
    from voc.demo.company import write_company

    folder = options.folder.resolve()
    print(f"架空の会社「ミナトワークス」のデータを作っています: {folder}", file=sys.stderr)
    write_company(folder, seed=options.seed, n_customers=options.customers, n_months=options.months)
    return _run_config(folder / "voc.toml")


def _run(options: argparse.Namespace) -> int:
    return _run_config(options.config, is_full=options.full)


def _run_config(path: Path, *, is_full: bool = False) -> int:
    from voc.config import load_config

    load_config(path)  # a wrong file is told at once, before a server is started
    settings.prepare(path.resolve().parent)
    from flows.one_run import one_run
    from flows.run import run

    with one_run(path.resolve().parent):
        result = run(str(path), is_full=is_full)
    _print_result(result)
    return 0


def _plan(options: argparse.Namespace) -> int:
    import os

    from voc.config import load_config

    config, base = load_config(options.config), options.config.resolve().parent
    settings.prepare(base)
    from flows.plan import plan, plan_lines

    made = plan(config, base=base, store=settings.store_of(config, base), environ=os.environ)
    print(*plan_lines(made), sep="\n")
    return 0


def _report(options: argparse.Namespace) -> int:
    from flows.report_files import render_period
    from voc.config import load_config
    from voc.inert import inert_line

    written, notices = render_period(load_config(options.config), base=options.config.resolve().parent, period=options.period)
    for notice in notices:
        print(f"⚠ {inert_line(notice)}", file=sys.stderr)
    print("レポート", *(f"  {path}" for path in written), sep="\n")
    return 0


def _init(options: argparse.Namespace) -> int:
    from voc.sources.folder_heads import write_draft

    made = write_draft(options.folder, out=options.out)
    print(f"設定の下書きを作りました: {options.out}")
    for name, form, n_files in made.sources:
        print(f"  {name}（{form}）: ファイル {n_files:,} 個")
    for title, lines in (("要確認", made.doubts), ("読み込まないファイル", [f"{files}: {reason}" for files, reason in made.left])):
        if lines:
            print(f"\n{title}（{len(lines)} 件）", *(f"  ・{line}" for line in lines), sep="\n")
    print(f"\n内容を直してから voc check {options.out} で確かめてください。")
    return 0


def _check(options: argparse.Namespace) -> int:
    import os

    from voc.config import load_config
    from voc.sources.checkup import check_up

    config = load_config(options.config)
    findings = check_up(config, base=options.config.resolve().parent, environ=os.environ)
    for finding in findings:
        print(f"{'✓' if finding.is_fine else '✗'} {finding.place}: {finding.told}")
    n_faults = sum(not finding.is_fine for finding in findings)
    print(f"{n_faults} 件の問題があります。直してからもう一度確かめてください。" if n_faults else "問題はありません。voc run で実行できます。")
    return _EXIT_FAULT if n_faults else 0


def _erase(options: argparse.Namespace) -> int:
    import os

    import pandas as pd

    from flows import customers
    from flows.store_lock import store_lock
    from voc.config import load_config
    from voc.removal import erase, find_customer
    from voc.sources.pseudonym_key import pseudonym_key

    config, base = load_config(options.config), options.config.resolve().parent
    place = {
        "store": settings.store_of(config, base),
        "map_folder": customers.map_folder(config, base),
        "key": pseudonym_key(config.privacy, base=base, environ=os.environ, may_make=False),
    }
    found = find_customer(options.customer, **place)
    if found.is_known and not options.yes and _answer(customers.question(options.customer, found)) != customers.YES:
        print("消さずに終わりました。", file=sys.stderr)
        return 1
    with store_lock(place["store"], base=base):
        counts = erase(options.customer, **place, erased_at=pd.Timestamp.now("UTC"), even_if_unknown=options.even_if_unknown)
    print(customers.told(options.customer, found, counts, reports=customers.report_files(base / config.reports.path)))
    return 0


def _answer(question: str) -> str:
    """What a person types; nothing where nobody is there to type."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _reveal(options: argparse.Namespace) -> int:
    from flows import customers
    from voc.config import load_config
    from voc.inert import inert_line

    folder = customers.map_folder(load_config(options.config), options.config.resolve().parent)
    found = customers.named(options.pseudonyms, folder=folder)
    for pseudonym, number in found:
        print(f"{inert_line(pseudonym)} -> {inert_line(number)}")
    return 1 if any(number == customers.NOT_IN_MAP for _, number in found) else 0


def _terms(options: argparse.Namespace) -> int:
    from flows.terms import write_candidates
    from voc.config import load_config

    config, base = load_config(options.config), options.config.resolve().parent
    n = write_candidates(config, base=base, store=settings.store_of(config, base), out=options.out)
    print(f"候補 {n:,} 件を書き出しました: {options.out}\n使うものの kind（product、screen、feature、competitor）を埋めて用語集に移してください。")
    return 0


def _print_result(result) -> None:
    from voc.inert import inert_line

    counts = result.counts
    if result.notices:
        print("\n取り込みの注意")
        for notice in result.notices:
            print(f"  ⚠ {inert_line(notice)}")
    pulled = f"うち新しく読んだもの {counts.get('new', 0):,} 件、更新 {counts.get('replaced', 0):,} 件"
    print(f"\n問い合わせ {counts['parse']:,} 件（{pulled}）、お客様の発言 {counts['voices']:,} 文、課題 {counts['issues']} 件")
    print(f"使えなかった行 {counts['rejects']:,} 件、どの課題にも入らなかった声 {counts['unassigned_share']:.0%}")
    print("\n主な結果")
    for sentence in result.headlines:
        print(f"  ・{inert_line(sentence)}")
    print("\nレポート")
    for path in result.reports:
        print(f"  {path}")


if __name__ == "__main__":
    sys.exit(main())
