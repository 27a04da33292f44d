"""`voc issues sample` and the way back: which sentences people are asked about, and what their answers change."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from flows.ledger_edits import Ledger, import_sheet
from voc.errors import SourceError, VocError
from voc.issues.calibration import (
    ENOUGH,
    add_labels,
    choose_sample,
    fit_calibration,
    is_calibrated,
    labels_of_now,
    read_answers,
)
from voc.issues.sample_sheet import is_sample, read_sample, with_context
from voc.raw import MAX_BYTES
from voc.reports.sample_sheet import write_sample_sheet
from voc.store import read_table, write_table
from voc.tables import ISSUE_CALIBRATION, ISSUE_LABELS

_SUFFIX = ".xlsx"


def sample(ledger: Ledger, out: Path, *, n: int, seed: int) -> list[str]:
    """Write the sheet of at most `n` mentions, without those that people have answered, to `out`. Returns what to tell."""
    if n < 1:
        raise VocError(f"--n {n} は使えません。1 以上の件数を書いてください（300 件ほどが目安です）。")
    if out.suffix.lower() != _SUFFIX:
        raise SourceError(f"--out {out} は使えません。末尾が {_SUFFIX} のファイル名を書いてください。")
    if out.exists():
        raise SourceError(f"{out} はすでにあります。答えを書いたものかもしれないので、上書きしません。別の名前を書いてください。")
    labels = labels_of_now(read_table(ISSUE_LABELS, store=ledger.store), ledger.issues)
    key = ["issue_id", "sentence_id"]
    is_open = ~ledger.mentions.set_index(key).index.isin(labels.set_index(key).index)
    calibration = read_table(ISSUE_CALIBRATION, store=ledger.store)
    # the answered ones count as told, so that a stratum's weight is that of what is left
    rows = choose_sample(ledger.mentions[is_open], with_context(ledger.sentences()), ledger.issues, n=n, seed=seed, calibration=calibration)
    if rows.empty:
        raise VocError("答えのない声がありません。新しい声が入ってから、もう一度実行してください。")
    write_sample_sheet(rows, out)
    return [
        f"{len(rows):,} 件を {out} に書きました（課題 {rows['課題番号'].nunique():,} 件）。",
        f"「合っている」の列に「はい」か「いいえ」を書き、voc issues import {out} で取り込んでください。",
    ]


def import_file(ledger: Ledger, path: Path, *, by: str) -> list[str]:
    """Take in an edited issues.xlsx or a filled sheet of `voc issues sample`, told apart by their headers."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path} は大きすぎます（上限 {MAX_BYTES:,} バイト）。")
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} を読めません（{error.strerror}）。パスと権限を確かめてください。") from None
    if is_sample(data, name=path.name):
        return import_answers(ledger, data, name=path.name, by=by)
    return import_sheet(ledger, data, name=path.name, by=by)


def import_answers(ledger: Ledger, data: bytes, *, name: str, by: str) -> list[str]:
    """Store the answers of a filled sheet and the calibration that all answers so far give; nothing where one is wrong."""
    answers = read_answers(read_sample(data, name=name), known=set(ledger.issues["issue_id"]))
    is_here = answers["sentence_id"].isin(ledger.sentences()["sentence_id"])
    told = [f"{(~is_here).sum():,} 件の文は、保存期間の経過などで今はありません。この答えは使いません。"] if not is_here.all() else []
    answers = answers[is_here]
    if answers.empty:
        raise VocError(f"{name} に使える答えが 1 件もありません。「合っている」の列に「はい」か「いいえ」を書いてから取り込んでください。")
    at = pd.Timestamp(datetime.now(UTC))
    labels = add_labels(read_table(ISSUE_LABELS, store=ledger.store), answers, at=at, by=by)
    now = labels_of_now(labels, ledger.issues)
    calibration = fit_calibration(now, at=at)
    write_table(labels, ISSUE_LABELS, store=ledger.store)
    write_table(calibration, ISSUE_CALIBRATION, store=ledger.store)
    right = (now["is_right"].astype(bool) * now["weight"]).sum() / now["weight"].sum()
    told.append(f"{len(answers):,} 件の答えを取り込みました（これまでの合計 {len(now):,} 件、全体では約 {right:.0%} の文が合っています）。")
    if not is_calibrated(calibration):
        return [*told, f"校正済みになるには、あと {ENOUGH - len(now):,} 件の答えが要ります。それまで、レポートには「未校正」と書きます。"]
    return [*told, "割り当ての確率を校正しました。次の voc run から、件数、金額、解約数に使います。"]
