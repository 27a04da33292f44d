"""What Prefect's interface and the terminal show: hostile text in labels, notices and file names stays text."""

import re
from pathlib import Path

import pytest

from tests.test_inert import HOSTILE


def row(label):
    return {"rank": 1, "rank_span": "", "issue_id": "VOC-0001", "label": label, "kind": label, "churn": {"chip": "推定値（暫定）", "figure": "8.6名", "detail": "6.1〜11.3名"},
            "value": {"figure": "", "detail": ""}, "cost": "1万円", "contacts": "96件"}


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_summary_and_table_take_hostile_text(text):
    from flows.telling import ranking_table, summary_markdown  # imports Prefect

    told = summary_markdown([text], [Path("/x/product.html"), Path(f"/x/{text.replace('/', '')}")], n_notices=2)
    marks = re.findall(r"^(?:## |- )", told, re.M)
    assert marks == ["## ", "- ", "## ", "- ", "## ", "- ", "- "]
    assert not re.search(r"[\[\]<>|`*]|://", told)
    cells = ranking_table([row(text)])[0]
    assert not any(re.search(r"[\[\]<>|`*()\n]|://", cell) for cell in cells.values())
    assert (cells["防げる解約／月"], cells["LTV換算／月"], cells["順位の幅"]) == ("8.6名", "—", "—")


@pytest.mark.slow
def test_the_summary_names_files_in_japanese():
    from flows.telling import summary_markdown

    told = summary_markdown(["a"], [Path("/x/executive.pptx")], n_notices=0)
    assert "取り込みの注意" not in told and told.endswith("- 経営向けスライド（executive.pptx）")
