"""`voc schedule`, `voc status`, `voc doctor`: the commands of whoever keeps voc running."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from flows import settings


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the three commands to the parser of `voc`."""
    schedule = commands.add_parser(
        "schedule", help="決まった時刻に自動で実行します（止めるまで動き続けます）",
        description="毎日の取り込みと分析、週次と月次のレポートを、設定 [schedule] の時刻に実行します（止めるまで動き続けます）。"
        "止まっている間に過ぎた予定は、始めるときに 1 回だけ実行します。",
    )  # fmt: skip
    schedule.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    schedule.add_argument("--cron", help="毎日の実行の時刻（cron 形式。既定: 設定 [schedule] daily、なければ毎朝 6 時）")
    schedule.add_argument("--prefect-file", type=Path, metavar="FILE", help="実行せずに、Prefect の配置ファイル（prefect.yaml）を書き出します")
    schedule.set_defaults(command=_schedule)
    status = commands.add_parser(
        "status", help="直近の実行、次の予定、黙っている取り込み元、注意のお知らせを見ます",
        description="直近の実行、次の予定、黙っている取り込み元、開いている注意のお知らせを見ます。予定どおり動いていなければ終了コードは 1 です。",
    )  # fmt: skip
    status.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    status.set_defaults(command=_status)
    doctor = commands.add_parser(
        "doctor", help="機械、保存先、取り込み元が今夜の実行に耐えるか調べます",
        description="版、モデルのハッシュ、保存先、取り込み元、空き容量、フォント、時計、権限を調べます。何も変えません。終了コード: 0 OK、1 注意、2 異常。",
    )  # fmt: skip
    doctor.add_argument("config", type=Path, help="設定ファイル（voc.toml）")
    doctor.set_defaults(command=_doctor)


def _schedule(options: argparse.Namespace) -> int:
    from flows.schedule import announced, serve, times
    from voc.config import load_config

    config = load_config(options.config)
    crons, zone = times(config, cron=options.cron), config.company.timezone
    told = announced(crons, timezone=zone, now=datetime.now(UTC))
    if options.prefect_file:
        return _write_prefect_file(options, crons, zone)
    settings.prepare(options.config.resolve().parent)
    print("\n".join([*told, "止めるには Ctrl+C を押してください。"]), file=sys.stderr, flush=True)
    serve(options.config, crons=crons, timezone=zone)
    return 0


def _write_prefect_file(options: argparse.Namespace, crons: dict[str, str], zone: str) -> int:
    from flows.prefect_file import POOL, prefect_file, write_prefect_file

    path = options.config.resolve()
    text = prefect_file(crons, timezone=zone, config_path=str(path), folder=str(Path(__file__).resolve().parent.parent), name=path.stem)
    write_prefect_file(options.prefect_file, text)
    print(f"Prefect の配置ファイルを書き出しました: {options.prefect_file}（作業プール {POOL}）")
    print(f"次は prefect deploy --all --prefect-file {options.prefect_file} です。手順はファイルの先頭にあります。")
    return 0


def _status(options: argparse.Namespace) -> int:
    from flows.status import status
    from voc.config import load_config

    found = status(load_config(options.config), base=options.config.resolve().parent)
    print("\n".join(found.lines))
    return found.status


def _doctor(options: argparse.Namespace) -> int:
    from flows.doctor import diagnose
    from voc.config import load_config

    found = diagnose(load_config(options.config), base=options.config.resolve().parent)
    for line in found.lines:
        print(f"{line.state}\t{line.place}: {line.told}")
    return found.status
