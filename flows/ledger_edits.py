"""The ledger that a person edits: read, judged, written at once. The only clock is the person's."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from flows.ledger_store import read_ledger, write_ledger
from flows.settings import store_of
from voc.config import load_config
from voc.errors import SourceError, VocError
from voc.issues.edits import Edit, EditError, checked_labels, edit_rows, known_issue
from voc.issues.events import advance
from voc.issues.kinds import kind_shares
from voc.issues.listing import edit_lines
from voc.issues.matching import voice_vectors
from voc.issues.sheet import read_sheet, sheet_edits
from voc.issues.splitting import pick_like, split_rows
from voc.raw import MAX_BYTES
from voc.store import read_table
from voc.tables import EMBEDDINGS, MENTIONS, OPINIONS, RUNS, SENTENCES

_FEWEST = 2  # sentences of a part


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger as it is in `store`: frames of ISSUES, ISSUE_EVENTS, MENTIONS; `timezone` of the company."""

    issues: pd.DataFrame
    events: pd.DataFrame
    mentions: pd.DataFrame
    store: str
    timezone: str

    def sentences(self) -> pd.DataFrame:
        return read_table(SENTENCES, store=self.store)


def open_ledger(config_path: Path) -> Ledger:
    """The ledger of a configuration's store. Raises VocError where no run has written one yet."""
    config = load_config(config_path)
    store = store_of(config, config_path.resolve().parent)
    issues, events = read_ledger(store)
    if issues.empty:
        raise VocError(f"課題の台帳がまだありません（{store}）。先に voc run {config_path} を実行してください。")
    return Ledger(issues, events, read_table(MENTIONS, store=store), store, config.company.timezone)


def edit_ledger(ledger: Ledger, edits: list[Edit], *, by: str) -> Ledger:
    """The ledger after all `edits`, written at once. Raises EditError, and writes nothing, where one cannot be fulfilled."""
    at, today = _now(ledger.timezone)
    rows = edit_rows(edits, ledger.issues, ledger.events, at=at, by=by, today=today)
    return _save(ledger, rows, ledger.mentions)


def import_sheet(ledger: Ledger, path: Path, *, by: str) -> list[str]:
    """Fulfil what was changed in an edited issues.xlsx, all or nothing; the lines that tell it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path} は大きすぎます（上限 {MAX_BYTES:,} バイト）。")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} を読めません（{error.strerror}）。パスと権限を確かめてください。") from None
    sheet = read_sheet(data, name=path.name)
    told = [f"列「{column}」が表にないため、この列は変更していません。" for column in sheet.missing]
    runs = read_table(RUNS, store=ledger.store)
    if len(runs) and sheet.run_id != runs.sort_values("started_at")["run_id"].iloc[-1]:
        told.append("この表は最新の分析のものではありません。書き換えたセルだけを反映します。")
    edits = sheet_edits(sheet, ledger.issues, ledger.events)
    if not edits:
        return [*told, "変更されたセルはありません。台帳はそのままです。"]
    edit_ledger(ledger, edits, by=by)
    end = f"{len(edits):,} 件の変更を台帳に反映しました。金額と順位は次の voc run で計算し直します。"
    return [*told, *edit_lines(edits, ledger.issues), end]


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
    labels = checked_labels(labels, issue_id, ledger.issues)
    texts = ledger.sentences()[["sentence_id", "text"]]
    is_own = ledger.mentions["issue_id"] == issue_id
    own = ledger.mentions[is_own].merge(texts, on="sentence_id")
    points = _points(own, texts, store=ledger.store)
    has_vector = ~np.isnan(points).any(axis=1)
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
    return [f"{ids[part]}「{labels[part]}」: {sizes[part]:,} 文{'（番号を引き継ぎました）' if ids[part] == issue_id else ''}" for part in (1, 0)]


def _points(own: pd.DataFrame, texts: pd.DataFrame, *, store: str) -> np.ndarray:
    """Points of the sentences `own` in the ledger's space; NaN where no vector is stored."""
    from voc.embeddings import join_vectors

    # one vector a distinct text and model, under the sentence that said it first
    stored = read_table(EMBEDDINGS, store=store).merge(texts, on="sentence_id")
    opinions = read_table(OPINIONS, store=store).set_index("sentence_id").reindex(own["sentence_id"]).reset_index()
    parts, known = {}, opinions["intent"].notna().to_numpy()
    for model, rows in stored[stored["text"].isin(own["text"])].groupby("model"):
        index = pd.Index(rows["text"]).get_indexer(own["text"])
        known = known & (index >= 0)
        parts[model] = np.vstack(rows["vector"].tolist())[index]
    if not parts or not known.any():
        raise VocError("この課題の声のベクトルが保存されていません。voc run を実行してから分けてください。")
    points = voice_vectors(join_vectors(parts), kind_shares(own["text"], opinions))
    points[~known] = np.nan
    return points


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
