"""All heads of a folder -> the text of a `voc.toml` and what is unsure in it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from voc.config import Source
from voc.drafting.files import guess_captions, guess_mails, guess_pages
from voc.drafting.globs import source_path
from voc.drafting.guess import WHAT, Doubt, Guess
from voc.drafting.head import ANY, Head, ending, file_shape, shape
from voc.drafting.layout import Layout, read_layout
from voc.drafting.records import guess_records, record_kind
from voc.drafting.tables import guess_table
from voc.drafting.toml import Left, Part, written
from voc.drafting.trial import Trial, try_source
from voc.errors import SourceError

_ROWS = 2000
_WITH_ROWS = {"customers", "usage", "faq", "faq_logs", "catalogue", "counts", "orders", "price_changes"}
_DATED = re.compile(r"(?<!\d)20\d{2}([-_]?)(0[1-9]|1[0-2])\1([0-2]\d|3[01])(?!\d)")
_BASE_NAMES = {"transcript": "calls", "contact_lens": "calls", "transcribe": "calls", "vtt": "calls", "whisper": "calls",
               "turns": "calls", "email": "mails", "chat": "chats", "ticket": "tickets", "review": "reviews"}  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """`text` of the configuration; `doubts` (and what is missing) in Japanese, one line each; `sources`: name, format,
    number of files; `left`: (files, reason) of what is not read."""

    text: str
    doubts: tuple[str, ...]
    sources: tuple[tuple[str, str, int], ...]
    left: tuple[tuple[str, str], ...]


def draft(heads: Sequence[Head], *, prefix: str = "", folder: str = "", n_hidden: int = 0) -> Draft:
    """The draft of a configuration for the files of a folder.

    `prefix`: the folder as the configuration's paths begin with it; `folder`: its name for the reader;
    `n_hidden`: hidden files that were not looked at. Every head is in one of the sources, drafted as a comment or in
    `left`.
    """
    layouts = [read_layout(head) for head in heads if head.is_read]
    groups, left = _grouped(layouts, [head for head in heads if not head.is_read])
    parts: list[Part] = []
    for group in groups:
        for found in _split(group, heads, prefix=prefix):
            if found.guess.format is None:
                left.append(Left(tuple(head.name for head in found.heads), found.guess.reason))
            else:
                parts.append(_named(_tried(found), parts))
    left += [Left((f"隠しファイル {n_hidden:,} 個",), "名前が . で始まるなどのため、見ていません。")] if n_hidden else []
    parts.sort(key=lambda part: (part.guess.format in _WITH_ROWS, part.path))
    overall = _overall(parts)
    text = written(parts, left, overall, folder=folder)
    doubts = [f"{part.name}（{part.guess.format}）: {place}{doubt.text}" for part in parts for doubt in part.guess.doubts
              for place in [_place(doubt)]]  # fmt: skip
    sources = tuple((part.name, part.guess.format, len(part.heads)) for part in parts if part.is_used)
    return Draft(text, (*doubts, *overall), sources, tuple((item.told(), item.reason) for item in left))


def _place(doubt: Doubt) -> str:
    return "" if doubt.place in ("format", "columns") else f"{doubt.place.partition('.')[2] or doubt.place} … "


@dataclass(frozen=True)
class _Group:
    heads: tuple[Head, ...]
    layouts: tuple[Layout, ...]
    guess: Guess


def _grouped(layouts: Sequence[Layout], unread: Sequence[Head]) -> tuple[list[_Group], list[Left]]:
    """Files that are alike, guessed together; files that were only counted go with those of their shape."""
    buckets: dict[tuple, list[Layout]] = {}
    failed: dict[tuple, list[Layout]] = {}
    for layout in layouts:
        (buckets if layout.kind else failed).setdefault(_key(layout), []).append(layout)
    decided: dict[tuple, list[tuple[list[Layout], Guess]]] = {}
    for key, alike in buckets.items():
        guess = _guess(alike)
        same = (key[0], key[1], guess.format, guess.channel, tuple(guess.columns.items()), tuple(guess.texts), guess.reason)
        decided.setdefault(same, []).append((alike, guess))
    waiting: dict[tuple, list[Head]] = {}
    for head in unread:
        waiting.setdefault(_look(head), []).append(head)
    groups = []
    for members in decided.values():
        alike = [layout for layouts_of_one, _ in members for layout in layouts_of_one]
        more = [head for look in sorted({_look(layout.head) for layout in alike}) for head in waiting.pop(look, [])]
        heads = sorted([*(layout.head for layout in alike), *more], key=lambda head: head.name)
        groups.append(_Group(tuple(heads), tuple(alike), _joined([guess for _, guess in members])))
    left = [Left(tuple(layout.head.name for layout in alike), alike[0].reason) for alike in failed.values()]
    left += [Left(tuple(head.name for head in alike), "同じ形の名前のファイルを読めなかったため、見ていません。") for alike in waiting.values()]
    return groups, left


def _look(head: Head) -> tuple:
    return file_shape(head.path), file_shape(head.member)


def _key(layout: Layout) -> tuple:
    """Files with one key are read by one source, if they are of one format."""
    head = layout.head
    name = head.member or head.path
    archive = file_shape(head.path) if head.member else ""
    folder = shape(name.rpartition("/")[0])
    if not layout.kind:
        return (archive, ending(name), folder, layout.reason)
    if layout.kind in ("mail", "page"):  # letters and articles are one pile, whatever folders they lie in
        return ((archive, name.partition("/")[0] if "/" in name else ""), ending(name), layout.kind)
    stem = file_shape(name).rpartition("/")[2]
    if layout.frame is not None and layout.kind == "table":
        return ((archive, folder, stem), ending(name), "table", tuple(layout.frame.columns))
    kind = record_kind(layout.records) if layout.kind == "records" else layout.kind
    is_flat = kind in ("table", "")
    return ((archive, folder, stem if is_flat else ""), ending(name), kind, stem if is_flat or kind == "conversation" else "")


def _guess(alike: Sequence[Layout]) -> Guess:
    hint = f"{alike[0].head.path}/{alike[0].head.member}"
    kind = alike[0].kind
    if kind == "mail":
        return guess_mails(alike)
    if kind == "vtt":
        return guess_captions(alike)
    if kind == "page":
        return guess_pages(alike)
    frames = [layout.frame for layout in alike if layout.frame is not None]
    frame = pd.concat(frames, ignore_index=True).head(_ROWS).fillna("") if frames else None
    if kind == "table":
        return guess_table(frame, hint=hint)
    records = [record for layout in alike for record in layout.records][:_ROWS]
    return guess_records(records, frame, kind=record_kind(records), hint=hint)


def _joined(guesses: Sequence[Guess]) -> Guess:
    """One guess of several that agree in format and columns."""
    first = guesses[0]
    scales: dict[str, dict[str, float]] = {}
    for guess in guesses:
        for score, steps in guess.scales.items():
            scales[score] = scales.get(score, {}) | steps
    return replace(
        first, scales=scales,
        speakers={word: role for guess in guesses for word, role in guess.speakers.items()},
        doubts=tuple(dict.fromkeys(doubt for guess in guesses for doubt in guess.doubts)),
        maybe_texts=tuple(dict.fromkeys(name for guess in guesses for name in guess.maybe_texts)),
        unused=tuple(dict.fromkeys(name for guess in guesses for name in guess.unused)),
    )  # fmt: skip


@dataclass(frozen=True)
class _Found(_Group):
    path: str = ""


def _split(group: _Group, everything: Sequence[Head], *, prefix: str) -> list[_Found]:
    """The group under one path; where no glob names just its files, under several."""
    if group.guess.format is None:
        return [_Found(group.heads, group.layouts, group.guess)]
    path = source_path(group.heads, everything, prefix=prefix)
    if path is not None:
        return [_Found(group.heads, group.layouts, group.guess, path)]
    by_shape: dict[tuple, list[Head]] = {}
    for head in group.heads:
        by_shape.setdefault(_look(head), []).append(head)
    parts = list(by_shape.values()) if len(by_shape) > 1 else [[head] for head in group.heads]
    found = []
    for heads in parts:
        own = tuple(layout for layout in group.layouts if layout.head in heads)
        if len(parts) == len(group.heads) or source_path(heads, everything, prefix=prefix) is not None:
            found.append(_Found(tuple(heads), own, group.guess, source_path(heads, everything, prefix=prefix)))
        else:
            found += _split(_Group(tuple(heads), own, group.guess), everything, prefix=prefix)
    return found


def _tried(found: _Found) -> Part:
    """The part with what a trial of the parser tells."""
    guess, files = found.guess, [layout.file for layout in found.layouts]
    trial, fault = _trial(guess, found.path, files)
    if trial is not None and not trial.n and guess.format in ("vtt", "whisper", "transcribe", "contact_lens"):
        dated = _DATED.search(files[0].name)
        if dated:
            mark = dated[1]
            pattern = f"(?P<started_at>[0-9]{{4}}{mark}[0-9]{{2}}{mark}[0-9]{{2}})"
            doubt = Doubt("name_pattern", "開始日時がファイルの中にないため、ファイル名の日付を使います（時刻は 0 時になります）")
            guess = replace(guess, name_pattern=pattern, doubts=(*guess.doubts, doubt))
            trial, fault = _trial(guess, found.path, files)
    n_looked = len(files)
    if trial is None or not trial.n:
        reason = fault or (trial.faults[0] if trial and trial.faults else "読める行がありません。")
        doubt = Doubt("format", f"試し読みで 1 件も読めませんでした。直してから行頭の # を外してください。理由: {_first_line(reason)}")
        return Part("", found.path, replace(guess, doubts=(doubt, *guess.doubts)), found.heads, n_looked, "", is_used=False)
    told = trial.told(_source(guess, found.path))
    if trial.n_rejects:
        doubt = Doubt("format", f"試し読みで {trial.n_rejects:,} 件の指摘がありました。多いもの: {_first_line(trial.faults[0])}")
        guess = replace(guess, doubts=(*guess.doubts, doubt))
    return Part("", found.path, guess, found.heads, n_looked, told, is_used=True)


def _trial(guess: Guess, path: str, files: Sequence) -> tuple[Trial | None, str]:
    try:
        return try_source(files, _source(guess, path)), ""
    except SourceError as error:
        return None, str(error)


def _source(guess: Guess, path: str) -> Source:
    return Source(
        name="draft", format=guess.format, path=path, channel=guess.channel, columns=guess.columns, texts=guess.texts,
        scales=guess.scales, speakers=guess.speakers, own_domains=list(guess.own_domains), name_pattern=guess.name_pattern,
    )  # fmt: skip


def _first_line(reason: str) -> str:
    lines = [line.strip(" -") for line in reason.splitlines() if line.strip()]
    told = lines[1].partition(": ")[2] or lines[1] if len(lines) > 1 else lines[0]
    return told if len(told) <= 160 else told[:160] + "…"


def _named(part: Part, others: Sequence[Part]) -> Part:
    """The part under a name of its own: its file's or folder's words, else the kind's."""
    place = part.heads[0].member or part.heads[0].path
    stem = shape(place.rpartition("/")[2].removesuffix(ending(place))) if len({shape(head.name) for head in part.heads}) == 1 else ANY
    words = [stem, place.rpartition("/")[0].rpartition("/")[2], _BASE_NAMES.get(part.guess.format, part.guess.format)]
    cleaned = [re.sub(r"[^\w-]+", "_", shape(word).replace(ANY, "")).strip("_-") for word in words]
    if part.guess.format in ("contact_lens", "transcribe", "vtt", "whisper", "email"):
        cleaned.reverse()  # their files are named by number or date
    base = next(word for word in cleaned if len(word) >= 2 and re.search(r"[^\W\d_]", word))
    taken = {other.name for other in others}
    name = next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}_{n}") not in taken)
    return replace(part, name=name)


def _overall(parts: Sequence[Part]) -> list[str]:
    """What the sources together lack, or have twice."""
    used = [part for part in parts if part.is_used]
    counts = Counter(part.guess.format for part in used)
    told = []
    if not any(form not in _WITH_ROWS for form in counts):
        told.append("お客様の声（通話、メール、チャット、アンケートなど）のファイルが見つかりません。このままでは実行できません")
    if not counts["customers"]:
        told.append("顧客の一覧（customers）が見つかりません。ないと解約の推定はできません（件数と費用は出せます）")
    for form in ("customers", "usage", "catalogue"):
        if counts[form] > 1:
            names = "、".join(part.name for part in used if part.guess.format == form)
            told.append(f"{WHAT[form]}（{form}）とみたものが {counts[form]} つあります: {names}。同じ内容なら 1 つだけ残してください")
    return told
