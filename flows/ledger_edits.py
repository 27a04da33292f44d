"""The ledger that a person edits: read, judged, written at once. The only clock is the person's.

What people write (names of issues and areas, what was done) is masked like customers' texts before it is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from flows.ledger_store import read_ledger, write_ledger
from flows.settings import store_of
from voc.config import load_config
from voc.errors import VocError
from voc.issues.edits import WRITTEN, Edit, EditError, checked_labels, edit_rows, known_issue
from voc.issues.events import advance
from voc.issues.listing import edit_lines
from voc.issues.sheet import TEXTS, Sheet, changed_rows, read_sheet, sheet_edits
from voc.issues.splitting import pick_like, split_rows
from voc.runs import latest_completed
from voc.store import read_table
from voc.tables import EMBEDDINGS, MENTIONS, OPINIONS, RUNS, SENTENCES

_FEWEST = 2  # sentences of a part


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger as it is in `store`: frames of ISSUES, ISSUE_EVENTS, MENTIONS; `timezone` and `id_patterns` (see
    `voc.privacy.mask_texts`) of the company, `seed` and embedder of its configuration."""

    issues: pd.DataFrame
    events: pd.DataFrame
    mentions: pd.DataFrame
    store: str
    timezone: str
    id_patterns: Mapping[str, str] = field(default_factory=dict)
    seed: int = 42
    embedder: str | None = None

    def sentences(self) -> pd.DataFrame:
        return read_table(SENTENCES, store=self.store)


def open_ledger(config_path: Path) -> Ledger:
    """The ledger of a configuration's store. Raises VocError where no run has written one yet."""
    config = load_config(config_path)
    store = store_of(config, config_path.resolve().parent)
    issues, events = read_ledger(store)
    if issues.empty:
        raise VocError(f"課題の台帳がまだありません（{store}）。先に voc run {config_path} を実行してください。")
    return Ledger(
        issues, events, read_table(MENTIONS, store=store), store, config.company.timezone, config.privacy.id_patterns, config.seed,
        config.parts.embedder,
    )


def edit_ledger(ledger: Ledger, edits: list[Edit], *, by: str) -> tuple[Ledger, list[str]]:
    """The ledger after all `edits`, written at once, and what of them was masked.

    Raises EditError, and writes nothing, where one cannot be fulfilled.
    """
    at, today = _now(ledger.timezone)
    written = [(number, name) for number, edit in enumerate(edits) for name in WRITTEN.get(edit.kind, ()) if getattr(edit, name)]
    masked, told = _masked([getattr(edits[number], name) for number, name in written], ledger)
    for (number, name), text in zip(written, masked, strict=True):
        edits = [*edits[:number], replace(edits[number], **{name: text}), *edits[number + 1 :]]
    rows = edit_rows(edits, ledger.issues, ledger.events, at=at, by=by, today=today)
    return _save(ledger, rows, ledger.mentions), told


def _masked(texts: list[str], ledger: Ledger) -> tuple[list[str], list[str]]:
    """(the texts without personal data, a line for each that had any)."""
    if not texts:
        return [], []
    from voc.japanese import name_like, person_names  # loads the dictionary
    from voc.privacy import mask_texts

    frame = mask_texts(texts, names=person_names, name_like=name_like, id_patterns=ledger.id_patterns)
    told = [f"個人情報と見られる部分を伏せて記録します: {text}" for text, spans in zip(frame["masked"], frame["spans"], strict=True) if spans]
    return frame["masked"].tolist(), told


def import_sheet(ledger: Ledger, data: bytes, *, name: str, by: str) -> list[str]:
    """Fulfil what was changed in an edited issues.xlsx, all or nothing; the lines that tell it."""
    sheet = read_sheet(data, name=name)
    sheet, hidden = _masked_sheet(sheet, ledger)
    told = [f"列「{column}」が表にないため、この列は変更していません。" for column in sheet.missing]
    newest = latest_completed(read_table(RUNS, store=ledger.store))
    if newest and sheet.run_id != newest["run_id"]:
        told.append("この表は最新の分析のものではありません。書き換えたセルだけを反映します。")
    edits = sheet_edits(sheet, ledger.issues, ledger.events)
    if not edits:
        return [*told, "変更されたセルはありません。台帳はそのままです。"]
    edit_ledger(ledger, edits, by=by)
    told += hidden
    end = f"{len(edits):,} 件の変更を台帳に反映しました。金額と順位は次の voc run で計算し直します。"
    return [*told, *edit_lines(edits, ledger.issues), end]


def _masked_sheet(sheet: Sheet, ledger: Ledger) -> tuple[Sheet, list[str]]:
    """The sheet with its changed texts masked, so that it may come a second time and be told as unchanged."""
    cells = sheet.cells.copy()
    places = [place for column in TEXTS if column in cells for place in changed_rows(sheet, column)]
    masked, told = _masked([cells.at[place] for place in places], ledger)
    for place, text in zip(places, masked, strict=True):
        cells.at[place] = text
    return replace(sheet, cells=cells), told


def split_issue(
    ledger: Ledger,
    issue_id: str,
    *,
    labels: tuple[str | None, str],
    keywords: list[str] | None,
    sentence_ids: list[str] | None,
    keep: int | None,
    by: str,
) -> list[str]:
    """Part the voices of an issue at once in part 0, the rest, and part 1: those with a keyword, or like the given sentences.

    `labels` of the two parts (None: the name it has); `keep` is the part that keeps the id, None the larger one.
    """
    issue_id = known_issue(issue_id, ledger.issues)
    given, hidden = _masked([label for label in labels if label is not None], ledger)
    labels = [None if label is None else given.pop(0) for label in labels]
    labels = checked_labels(labels, issue_id, ledger.issues)
    from voc.issue_space import stored_points  # loads the models

    sentences = ledger.sentences()
    is_own = ledger.mentions["issue_id"] == issue_id
    own = ledger.mentions[is_own].merge(sentences[["sentence_id", "text"]], on="sentence_id")
    opinions, embeddings = (read_table(table, store=ledger.store) for table in (OPINIONS, EMBEDDINGS))
    points = stored_points(own["sentence_id"], sentences=sentences, opinions=opinions, embeddings=embeddings, embedder=ledger.embedder)
    has_vector = ~np.isnan(points).any(axis=1)
    if not has_vector.any():
        raise VocError("この課題の声のベクトルが保存されていません。voc run を実行してから分けてください。")
    own, points = own[has_vector].reset_index(drop=True), points[has_vector]
    part_of = _picked(own, points, keywords=keywords, sentence_ids=sentence_ids).astype(int)
    sizes = np.bincount(part_of, minlength=2)
    if sizes.min() < _FEWEST:
        raise EditError([f"{issue_id}: 抜き出すほうが {sizes[1]:,} 文、残りが {sizes[0]:,} 文になります。どちらも {_FEWEST} 文以上になるようにしてください"])
    at, _ = _now(ledger.timezone)
    rows, ids = split_rows(
        issue_id, ledger.issues, part_of=part_of, points=points, labels=labels, keep=keep, at=at, by=by,
        first_seen_at=[own.loc[part_of == part, "mentioned_at"].min() for part in (0, 1)],
    )  # fmt: skip
    place = pd.Series(np.array(ids, dtype=object)[part_of], index=own["sentence_id"])
    moved = ledger.mentions["sentence_id"].map(place).fillna(issue_id)
    mentions = ledger.mentions.assign(issue_id=ledger.mentions["issue_id"].where(~is_own, moved))
    _save(ledger, rows, mentions, exemplars=_nearest(own, points, part_of, ids))
    return hidden + [f"{ids[part]}「{labels[part]}」: {sizes[part]:,} 文{'（番号を引き継ぎました）' if ids[part] == issue_id else ''}" for part in (1, 0)]


def _save(ledger: Ledger, rows: list[dict], mentions: pd.DataFrame, *, exemplars: dict[str, list[str]] | None = None) -> Ledger:
    issues, events = advance(ledger.issues, ledger.events, rows)
    if exemplars:
        issues["exemplar_ids"] = [exemplars.get(one, old) for one, old in zip(issues["issue_id"], issues["exemplar_ids"], strict=True)]
    issues, events, mentions = write_ledger(issues, events, mentions, store=ledger.store)
    return replace(ledger, issues=issues, events=events, mentions=mentions)


def _now(timezone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    at = pd.Timestamp(datetime.now(UTC))
    return at, at.tz_convert(timezone).tz_localize(None).normalize()


def _picked(own: pd.DataFrame, points: np.ndarray, *, keywords: list[str] | None, sentence_ids: list[str] | None) -> np.ndarray:
    if keywords:
        if not all(word.strip() for word in keywords):
            raise EditError(["--keyword が空です。声に含まれる語を書いてください"])
        return np.logical_or.reduce([own["text"].str.contains(word.strip(), regex=False, case=False).to_numpy() for word in keywords])
    unknown = sorted(set(sentence_ids) - set(own["sentence_id"]))
    if unknown:
        raise EditError([f"文 {one} はこの課題の声ではありません。voc issues show で文番号を確かめてください" for one in unknown])
    return pick_like(points, own["sentence_id"].isin(sentence_ids).to_numpy())


def _nearest(own: pd.DataFrame, points: np.ndarray, part_of: np.ndarray, ids: list[str]) -> dict[str, list[str]]:
    found = {}
    for part, issue_id in enumerate(ids):
        rows = np.flatnonzero(part_of == part)
        order = rows[np.argsort(-(points[rows] @ points[rows].mean(axis=0)), kind="stable")]
        found[issue_id] = own.iloc[order].drop_duplicates("text")["sentence_id"].head(5).tolist()
    return found
