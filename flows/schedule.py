"""Serve the main flow on a schedule, in Japanese time, one run at a time."""

from pathlib import Path

from flows.run import run


def serve(config_path: Path, *, cron: str, timezone: str) -> None:
    """Run the flow of `config_path` at each time of `cron` until the process is stopped."""
    from prefect.schedules import Cron

    run.serve(
        name=f"voc-{config_path.stem}",
        schedule=Cron(cron, timezone=timezone),
        parameters={"config_path": str(config_path.resolve())},
        limit=1,
    )
