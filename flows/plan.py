"""`voc plan`: what a run would do, why, and about how long; from listings, watermarks, marks and earlier runs alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from flows.fingerprints import changed_parts, fingerprints
from flows.masking import READ_AGAIN, made_with, masking_sha
from voc.config import Config
from voc.errors import SourceError
from voc.issue_space import MODELS, models_of
from voc.privacy import hidden_name
from voc.run_words import STAGES, vectors_word
from voc.runs import COMPLETED, INTERRUPTED, completed, in_order
from voc.sources.listing import listing
from voc.sources.pseudonym_key import pseudonym_key
from voc.store import read_table
from voc.tables import MADE_BY, RUNS, WATERMARKS

_STAGES = {
    "sentences": (STAGES["sentences"], "sentences"), "use": (vectors_word("use"), "embeddings"), "e5": (vectors_word("e5"), "embeddings"),
    "opinions_vectors": (vectors_word("意見"), "opinions"), "opinions": (STAGES["opinions"], "opinions"),
    "wishes": (STAGES["requests"], "requests"), "calls": (STAGES["calls"], "calls"),
}  # fmt: skip
_READING = ("read", "parse", "clean", "mask", "link")
_BY_ROWS = {"sentences": "new_turns", "embeddings": "new_texts", "opinions": "new_texts", "requests": "new_wishes"}


@dataclass(frozen=True)
class SourcePlan:
    """What a source has to read: files (or records) that are new, changed, gone; `told` where that cannot be listed."""

    name: str
    n_new: int = 0
    n_changed: int = 0
    n_gone: int = 0
    told: str = ""


@dataclass(frozen=True)
class Plan:
    """`again`: stage -> parts that changed, so that all its rows are made anew. `seconds`: what a run is expected to take,
    None where there was none to go by. `notes`: what else a person should know. `models`: embedders of the company's own."""

    sources: tuple[SourcePlan, ...]
    again: dict[str, list[str]]
    seconds: float | None
    notes: tuple[str, ...]
    models: tuple[str, ...] = ()


def plan(config: Config, *, base: Path, store: str, environ: Mapping[str, str]) -> Plan:
    """The plan of a run of `config` now. Reads no customer's words and writes nothing."""
    marks, runs = read_table(WATERMARKS, store=store), in_order(read_table(RUNS, store=store))
    made_now, notes = masking_sha(config), []
    if made_with(marks).get("masking", made_now) != made_now:
        notes.append(f"{READ_AGAIN}します。")
        marks = marks.iloc[:0]
    # names of files are stored as keyed hashes; where nothing was read there is nothing to compare
    key = pseudonym_key(config.privacy, base=base, environ=environ, may_make=False) if len(marks) else None
    mark_of = partial(hidden_name, key=key) if key else str
    sources = tuple(_source(source, marks, base=base, environ=environ, mark_of=mark_of) for source in config.sources)
    again = changed_parts(read_table(MADE_BY, store=store), fingerprints(terms=base / config.japanese.terms if config.japanese.terms else None, parts=config.parts))
    done = completed(runs)
    if runs.empty:
        notes.append("このストアではまだ実行していません。すべて始めから計算します。")
    elif runs["status"].iloc[-1] != COMPLETED:
        how = "途中で終わっています" if runs["status"].iloc[-1] == INTERRUPTED else "完了していないか、実行中です"
        notes.append(f"前回の実行（{runs['run_id'].iloc[-1]}）は{how}。保存済みのところから続けます。")
    models = tuple(name for name in models_of(config.parts.embedder) if name not in MODELS)
    return Plan(sources, again, _seconds(done, sources, again, own=models), tuple(notes), models)


def plan_lines(made: Plan) -> list[str]:
    """The plan as a person at the terminal reads it."""
    lines = ["読み込み"]
    for one in made.sources:
        counts = f"新規 {one.n_new:,}、変更 {one.n_changed:,}、なくなったもの {one.n_gone:,}"
        lines.append(f"  {one.name}: {one.told or counts}")
    lines.append("分析")
    for stage, title in {**{name: title for name, (title, _) in _STAGES.items()}, **{name: vectors_word(name) for name in made.models}}.items():
        if stage in made.again:
            lines.append(f"  {title}: すべて計算し直します（{'、'.join(made.again[stage])} が変わったため）")
        else:
            lines.append(f"  {title}: 新しい発言だけ")
    lines.append("  課題の台帳から後: すべて計算し直します（全期間を比べるため）")
    lines += [f"※ {note}" for note in made.notes]
    if made.seconds is None:
        return [*lines, "所要時間の目安: 過去の実行がないため分かりません。"]
    return [*lines, f"所要時間の目安: 約 {_spoken(made.seconds)}（過去の実行の実績から。読み込む量が読めない取り込み元は含みません）"]


def _source(source, marks: pd.DataFrame, *, base: Path, environ: Mapping[str, str], mark_of) -> SourcePlan:
    try:
        found = listing(source, marks, base=base, environ=environ, mark_of=mark_of)
    except SourceError as error:
        return SourcePlan(source.name, told=f"読み込めません: {error}")
    if found is None:
        return SourcePlan(source.name, told="件数は読み込むときに分かります（前回の続きから読みます）")
    return SourcePlan(source.name, len(found.new), len(found.changed), len(found.deleted))


def _seconds(
    done: pd.DataFrame, sources: tuple[SourcePlan, ...], again: Mapping[str, list[str]], *, own: tuple[str, ...] = ()
) -> float | None:
    """Seconds a row of the last runs that had rows, times the rows that are to come; the later stages as they took last.

    Rows per file are those of the newest run that read any: a night without new files tells nothing of the next one.
    """
    if done.empty:
        return None
    runs = [(json.loads(row.seconds), json.loads(row.counts)) for row in done.itertuples()][::-1]
    last_seconds, last_counts = runs[0]
    files = sum(one.n_new + one.n_changed for one in sources)
    total = files * _rate(runs, _READING, "read")
    reading = next((counts for _, counts in runs if counts.get("read", 0)), {"read": 1})
    grown, stages = files / reading["read"], {**_STAGES, **dict.fromkeys(own, ("", "embeddings"))}
    for stage, counted in _BY_ROWS.items():
        is_again = any(of == stage and name in again for name, (_, of) in stages.items())
        n_all = {"new_turns": last_counts.get("turns", 0)}.get(counted, last_counts.get("voices", 0))
        total += _rate(runs, (stage,), counted) * (n_all if is_again else grown * reading.get(counted, 0))
    rest = {name: spent for name, spent in last_seconds.items() if name not in (*_READING, *_BY_ROWS)}
    return total + sum(rest.values())


def _rate(runs: list[tuple[dict, dict]], stages: tuple[str, ...], counted: str) -> float:
    """Seconds per row in the newest run that had rows; 0 where none had."""
    for seconds, counts in runs:
        if counts.get(counted, 0):
            return sum(seconds.get(stage, 0.0) for stage in stages) / counts[counted]
    return 0.0


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} 秒" if seconds < 90 else f"{seconds / 60:.0f} 分" if seconds < 5400 else f"{seconds / 3600:.1f} 時間"
