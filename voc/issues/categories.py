"""A company's own list of issues (name, kind, area, examples) as locked issues of the ledger."""

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voc.cleaning.controls import without_controls
from voc.errors import SourceError
from voc.issues.edits import LONGEST_LABEL
from voc.issues.events import birth_rows, event_row, issue_id_of, next_number, place_of
from voc.issues.kinds import KINDS
from voc.unit_vectors import unit

BY = "categories"
_HEADINGS = {
    "name": "name", "名前": "name", "課題名": "name", "分類名": "name", "kind": "kind", "種類": "kind",
    "parent": "parent", "領域": "parent", "大分類": "parent", "examples": "examples", "例文": "examples", "例": "examples",
}  # fmt: skip
_MIN_EXAMPLES = 2
# The best threshold for 3, 5 and 10 examples of a planted issue of the demo is 0.41, 0.44 and 0.47 (medians of 30
# issues; F1 there 0.74, 0.78, 0.82, with this curve 0.65, 0.68, 0.73). The spread of so few examples tells nothing.
_FULL, _FEW = 0.50, 1.5


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the list: `kind` is None where the examples decide it; `row` its line in the file."""

    name: str
    kind: str | None
    parent: str | None
    examples: tuple[str, ...]
    row: int


def read_categories(text: str, *, file: str) -> list[Category]:
    """The categories in CSV `text` with columns name, kind?, parent?, examples (parted by |, or in several rows of one name).

    The Japanese headings 課題名, 種類, 領域, 例文 serve as well. Raises SourceError with every fault and its line.
    """
    lines = list(csv.reader(io.StringIO(without_controls(text.removeprefix("\ufeff")), newline="")))
    header = [_HEADINGS.get(name.strip().lower(), "") for name in (lines[0] if lines else [])]
    absent = [name for name in ("name", "examples") if name not in header]
    if absent:
        raise SourceError(f"{file} に列 {absent} がありません。1 行目に name,kind,parent,examples（課題名,種類,領域,例文）と書いてください。")
    found: dict[str, Category] = {}
    faults = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name}
        faults += [f"{file} {number} 行目: {fault}" for fault in _faults(row, found)]
        name = row.get("name", "")
        before = found.get(name, Category(name, None, None, (), number))
        examples = (*before.examples, *(part.strip() for part in row.get("examples", "").split("|") if part.strip()))
        found[name] = Category(
            name, before.kind or row.get("kind") or None, before.parent or row.get("parent") or None,
            tuple(dict.fromkeys(examples)), before.row,
        )  # fmt: skip
    faults += [
        f"{file} {one.row} 行目: 「{one.name}」の例文が {len(one.examples)} 文です。{_MIN_EXAMPLES} 文以上（5〜10 文が目安）書いてください"
        for one in found.values() if len(one.examples) < _MIN_EXAMPLES and one.name
    ]  # fmt: skip
    if not found:
        faults.append(f"{file} に分類が 1 つもありません。2 行目から書いてください")
    if faults:
        raise SourceError("\n".join([f"分類の表に {len(faults)} 件の誤りがあります。", *(f"  - {fault}" for fault in faults)]))
    return list(found.values())


def category_rows(
    categories: Sequence[Category],
    issues: pd.DataFrame,
    events: pd.DataFrame,
    *,
    embed: Callable[[list[str], list[str | None]], tuple[np.ndarray, list[str]]],
    at: pd.Timestamp,
) -> tuple[list[dict], list[str]]:
    """(rows of `event_row`, what a person should know) that bring the ledger in line with `categories`.

    `embed(texts, kinds)` gives unit points in the space of the ledger's centroids, with the kind of each text where
    `kinds` gives None. A new name becomes a locked issue, or takes over the issue that has this label already. Examples
    that changed move the prototype; a name that a person changed in the ledger stays changed; a row that was taken out
    of the list closes nothing. The same list twice gives no event.
    """
    known = _known(events)
    rows, told = [], []
    number = next_number(issues["issue_id"])
    labels = issues[issues["status"] != "merged"].set_index("label")["issue_id"].to_dict()
    for category in categories:
        sha = _sha(category)
        issue_id, old_sha = known.get(category.name, (None, None))
        if old_sha == sha:
            continue
        kind, place = _prototype(category, embed)
        mark = {"category": category.name, "examples_sha": sha}
        if issue_id is None and category.name not in labels:
            born = pd.DataFrame([{"issue_id": issue_id_of(number), "label": category.name, "kind": kind, "status": "locked",
                                  "parent": category.parent, "first_seen_at": at, **place}])  # fmt: skip
            rows += birth_rows(born, at=at, by=BY, note=f"分類の表の {category.row} 行目", **mark)
            number += 1
            continue
        if issue_id is None:
            issue_id = labels[category.name]
            status = issues.set_index("issue_id").at[issue_id, "status"]
            if status != "locked":
                rows.append(event_row(issue_id, "lock", at=at, by=BY, old=status, to="locked"))
            told.append(f"分類「{category.name}」は、同じ名前の課題 {issue_id} を引き継ぎました。")
        rows.append(event_row(issue_id, "recentre", at=at, by=BY, note="分類の表の例文に合わせました。", definition={**place, **mark}))
        if category.parent:
            rows.append(event_row(issue_id, "set_parent", at=at, by=BY, to=category.parent))
    gone = sorted(set(known) - {category.name for category in categories})
    told += [f"分類「{name}」は表にありませんが、課題 {known[name][0]} は残しています。不要なら voc issues close か exclude を使ってください。" for name in gone]
    return rows, told


def _faults(row: dict[str, str], found: dict[str, Category]) -> list[str]:
    name, kind = row.get("name", ""), row.get("kind", "")
    faults = []
    if not name:
        faults.append("課題名（name）が空です")
    if len(name) > LONGEST_LABEL:
        faults.append(f"課題名が {len(name)} 文字です。{LONGEST_LABEL} 文字以内にしてください（「{name[:12]}…」）")
    if kind and kind not in KINDS:
        faults.append(f"種類「{kind[:20]}」はありません。使えるのは {'、'.join(KINDS)} です（空なら例文から決めます）")
    for column, word in (("kind", "種類"), ("parent", "領域")):
        before = getattr(found.get(name), column, None)
        if before and row.get(column) and row[column] != before:
            faults.append(f"「{name}」の{word}が前の行（{before}）と違います。同じ名前の行では同じにしてください")
    return faults


def _prototype(category: Category, embed: Callable) -> tuple[str, dict]:
    texts = list(category.examples)
    points, kinds = embed(texts, [category.kind] * len(texts))
    kind = category.kind or max(KINDS, key=lambda one: (kinds.count(one), -KINDS.index(one)))
    if category.kind is None and any(one != kind for one in kinds):
        points, _ = embed(texts, [kind] * len(texts))
    centre = unit(points.sum(axis=0))
    return kind, place_of(centre, _FULL * math.sqrt(len(points) / (len(points) + _FEW)))


def _known(events: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Category name -> (its issue, the hash of the examples that its prototype was made from)."""
    own = events[(events["by"] == BY) & events["kind"].isin(["birth", "recentre"])].sort_values("position")
    found = {}
    for issue_id, definition in zip(own["issue_id"], own["definition"], strict=True):
        told = json.loads(definition)
        found[told["category"]] = (issue_id, told["examples_sha"])
    return found


def _sha(category: Category) -> str:
    content = json.dumps([category.kind, category.parent, sorted(category.examples)], ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
