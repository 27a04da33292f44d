"""What Prefect's own interface shows of a run, in Japanese: progress, headlines, ranking, where the reports are.

Figures and labels of issues alone, no customer's sentence; and a label is made of customers' words, so that every text is
made inert (voc.inert) before it becomes Markdown or a cell.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from voc.inert import inert_markdown

FILES = {
    "product.html": "プロダクト向けレポート", "executive.html": "経営向けレポート", "executive.pptx": "経営向けスライド", "executive.pdf": "経営向けPDF",
    "cs.html": "CS向け資料", "product.xlsx": "プロダクト向けの表", "cs.xlsx": "CS向けの表", "issues.xlsx": "課題の台帳（書き換え用）",
}  # fmt: skip


def start_progress() -> UUID:
    """Show the bar of a run at 0 % and return its id."""
    return create_progress_artifact(progress=0.0, key="voc-progress", description="取り込み、分析、レポート作成の進み具合")


def reached(progress: UUID, stage: str, percent: float) -> None:
    """Move the bar of start_progress to `percent`; `stage` is the one that ended."""
    update_progress_artifact(artifact_id=progress, progress=percent, description=f"{stage}まで終わりました")


def summary_markdown(sentences: Sequence[str], written: Sequence[Path], *, n_notices: int) -> str:
    """Headlines, how many notices the ingest gave and the names of the files as Markdown.

    The notices themselves stay out: they may repeat the head of a file that has a customer's words in the place of names.
    """
    warned = [f"{n_notices}件あります。内容は product.html の冒頭にあります。"] if n_notices else []
    parts = [("主な結果", sentences), ("取り込みの注意", warned), ("レポート", [f"{FILES.get(path.name, 'レポート')}（{path.name}）" for path in written])]
    blocks = ["\n".join([f"## {title}", "", *(f"- {inert_markdown(line)}" for line in lines)]) for title, lines in parts if lines]
    return "\n\n".join(blocks)


def ranking_table(rows: Sequence[dict]) -> list[dict[str, str]]:
    """Rows of voc.reports.content.ranking as cells of a table artifact."""
    return [
        {name: inert_markdown(text) for name, text in (
            ("順位", row["rank"]), ("順位の幅", row["rank_span"] or "—"), ("課題番号", row["issue_id"]), ("課題", row["label"]), ("種類", row["kind"]),
            ("判定", row["churn"]["chip"]), ("防げる解約／月", row["churn"]["figure"] or row["churn"]["detail"] or "—"),
            ("LTV換算／月", row["value"]["figure"] or row["value"]["detail"] or "—"), ("コスト／月", row["cost"]), ("件数／月", row["contacts"]),
        )} for row in rows
    ]  # fmt: skip


def tell_prefect(sentences: Sequence[str], rows: Sequence[dict], written: Sequence[Path], *, n_notices: int) -> None:
    """Write the artifacts of a finished run. `rows`: of voc.reports.content.ranking; `written`: the report files."""
    create_markdown_artifact(key="voc-headlines", markdown=summary_markdown(sentences, written, n_notices=n_notices), description="主な結果")
    create_table_artifact(key="voc-ranking", table=ranking_table(rows), description="課題の順位（解約数は少なくとも見込める人数。課題どうしは合計できません）")
    for path in written:
        key = "voc-file-" + path.name.replace(".", "-").lower()
        create_link_artifact(key=key, link=path.resolve().as_uri(), link_text=FILES.get(path.name, path.name), description="レポートのファイル")
    get_run_logger().info("reports written: %d", len(written))
