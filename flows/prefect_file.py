"""The deployments as a prefect.yaml, for a Prefect server and workers of the company's own."""

import json
from collections.abc import Mapping
from pathlib import Path

from flows.schedule import JOBS
from flows.settings import SETTINGS

POOL = "voc"
_HEAD = """# voc の 3 つの予定（毎日の取り込みと分析、週次と月次のレポート）。`voc schedule voc.toml --prefect-file 保存先` で作り直せます。
# Prefect のサーバーが動いているところで（統計の送信は DO_NOT_TRACK=1 PREFECT_SERVER_ANALYTICS_ENABLED=false で止めます）:
#   prefect work-pool create {pool} --type process
#   prefect work-pool set-concurrency-limit {pool} 1     # 同時に動くのは 1 つだけ
#   prefect deploy --all --prefect-file （このファイル）
#   prefect worker start --pool {pool}
# 止まっている間に遅れた実行がたまっても、実行するのは 1 回だけです（表 runs を見て、済んだものは何もせずに終わります）。
name: voc

definitions:
  work_pool: &pool
    name: {pool}
    job_variables:
      env:
{env}

pull:
  - prefect.deployments.steps.set_working_directory:
      directory: {folder}

deployments:
"""
_ONE = """  - name: {name}
    description: {description}
    entrypoint: flows.scheduled.{job}
    parameters:
      config_path: {config_path}
      cron: {cron}
    schedules:
      - cron: {cron}
        timezone: {timezone}
    concurrency_limit: 1
    work_pool: *pool
"""


def prefect_file(crons: Mapping[str, str], *, timezone: str, config_path: str, folder: str, name: str) -> str:
    """The text of a prefect.yaml: `crons` job -> time; `folder` is where the worker finds the folder `flows`.

    Every text is written as JSON, which YAML reads as it stands.
    """
    env = "\n".join(f"        {variable}: {_json(value)}" for variable, value in {**SETTINGS, "PYTHONPATH": folder}.items())
    said = {"timezone": _json(timezone), "config_path": _json(config_path), "name": _json(name)}
    jobs = (_ONE.format(job=job, cron=_json(cron), description=_json(JOBS[job]), **said) for job, cron in crons.items())
    return _HEAD.format(pool=POOL, env=env, folder=_json(folder)) + "\n".join(jobs)


def write_prefect_file(path: Path, text: str) -> None:
    """Write `text` to `path`. What stands there is replaced: it is made from the configuration."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
