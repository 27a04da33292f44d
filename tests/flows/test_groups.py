"""`voc group --time`: Japanese spellings are read, what cannot be read is counted, months are those of the zone."""

import pandas as pd
import pytest

from flows import groups


@pytest.mark.parametrize(("zone", "months"), [("Asia/Tokyo", ["2026-05", "2026-04", "2026-05"]), ("UTC", ["2026-04", "2026-04", "2026-05"])])
def test_dates_are_read_as_everywhere_and_the_others_counted(tmp_path, monkeypatch, zone, months):
    (tmp_path / "a.csv").write_text("t,d\na,2026-05-01T03:00:00+09:00\nb,令和8年4月2日\nc,2026/5/3 10:00\nd,昨日\ne,4/5/2026\nf,\n", encoding="utf-8")
    seen = {}

    def group(texts, *, times, n_issues):
        seen["times"] = times
        return pd.DataFrame({"row": range(len(texts)), "issue_id": "I", "label": "x", "kind": "y", "probability": 1.0})

    monkeypatch.setattr(groups, "group", group)
    monkeypatch.setattr(groups, "groups_page", lambda *_, months: seen.update(months=months) or "")
    counts = groups.group_file(tmp_path / "a.csv", text="t", time="d", out=tmp_path / "o.csv", timezone=zone)
    assert counts["n_undated"] == 3 and seen["times"][3:] == [None] * 3
    assert seen["months"].dropna().dt.strftime("%Y-%m").tolist() == months
