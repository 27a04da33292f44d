"""Slides on what moves the NPS and on what tests the churn numbers: blocks of the report -> slides as in voc.reports.deck."""

from voc.reports.formats import plain

ROWS = 5
_LABEL, _LINE = 34, 150


def drivers_slide(report: dict) -> dict | None:
    """The issues whose absence would raise the NPS most (block `drivers` of the report); None where there are none."""
    found = report["drivers"]
    if not found:
        return None
    rows = [[plain(row["label"], limit=_LABEL), row["customers"], f"{row['gain']}pt", row["interval"],
             "上がる関連がある" if row["is_sure"] else "上がるとは言えない"] for row in found["rows"][:ROWS]]
    return {
        "kind": "drivers", "title": "NPSを動かしている課題", "lead": "課題がなかった場合に、全体のNPSが何ポイント上がるか。", "head": ["課題", "顧客", "NPSの上昇", "90%区間", "読み方"], "widths": [4.6, 1.3, 1.7, 2.2, 2.3],
        "rows": rows, "lines": [found["note"]], "amounts": _driver_amounts(found["rows"][:ROWS]),
        "notes": ["出典: 表 drivers（measure = nps。gain、gain_low、gain_high、n_customers）。課題番号: " + "、".join(row["issue_id"] for row in found["rows"][:ROWS])],
    }  # fmt: skip


def _driver_amounts(rows: list[dict]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        for text, columns in ((f"{row['gain']}pt", "gain"), (row["interval"], "gain_low gain_high"), (row["customers"], "n_customers")):
            found.setdefault(text, row["source"] + columns)
    return found


def placebo_slide(report: dict) -> dict | None:
    """What the model says of issues that cannot cause churn (block `placebo` of the report); None where it tested none."""
    found = next((block for block in report["evidence"] if block["key"] == "placebo"), None)
    if found is None:
        return None
    rest = len(found["rows"]) - ROWS
    lines = [plain(line, limit=_LINE) for line in found["lines"]] + ([f"ほか{rest}件の対照は executive.html の「{found['title']}」にあります。"] if rest > 0 else [])
    return {
        "kind": "placebo", "title": "検証：解約の理由になりえない課題", "lead": "影響がないと分かっている課題に「影響」が出ないかを確かめた結果です。", "head": found["columns"], "widths": [4.3, 1.3, 3.4, 3.1],
        "rows": [[plain(cell, limit=44) for cell in row] for row in found["rows"][:ROWS]], "lines": lines, "amounts": {},
        "notes": ["出典: 表 impact_controls（補正前の強さ ＝ exp(log_odds)、90%区間。補正後 ＝ churns_low、churns_high）、runs（settings）。"],
    }  # fmt: skip
