"""Masking on labelled data and its speed: `python tests/benchmarks/privacy.py --data FOLDER`.

FOLDER holds ner_stockmark_wikipedia, pii_jmultiwoz_phone_address and dialogues_* as gzip JSON lines; without it only
the own sentences (tests/privacy_sentences.tsv) are measured. Names: a labelled name counts as found where at least
80 % of its characters are masked as PERSON; a mask is a false hit where it meets no labelled name at all.
"""

import argparse
import gzip
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from voc.japanese import name_like, person_names, recognised_names
from voc.privacy import mask_texts

SENTENCES = Path(__file__).parent.parent / "privacy_sentences.tsv"
_MARKED = re.compile("⟦(.*?)⟧")
_SHARE = 0.8


def rows_of(folder: Path, name: str) -> list[dict]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def marked_sentences(path: Path = SENTENCES) -> list[tuple[str, list[tuple[int, int]], str]]:
    """(text without marks, spans of names, style) of every row of the own sentences."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        style, marked = line.split("\t")
        spans, text, last = [], "", 0
        for match in _MARKED.finditer(marked):
            text += marked[last : match.start()]
            spans.append((len(text), len(text) + len(match[1])))
            text += match[1]
            last = match.end()
        rows.append((text + marked[last:], spans, style))
    return rows


def covered(gold: tuple[int, int], found: Sequence[tuple[int, int]]) -> bool:
    inside = sum(max(0, min(end, gold[1]) - max(start, gold[0])) for start, end in found)
    return inside >= _SHARE * (gold[1] - gold[0])


def meets(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def name_scores(gold: Sequence[list], found: Sequence[list]) -> dict[str, float]:
    """recall (80 % of a name's characters), precision and f1 by overlap, f1_exact by equal spans."""
    n_gold, n_found = sum(map(len, gold)), sum(map(len, found))
    hit = sum(covered(name, spans) for names, spans in zip(gold, found, strict=True) for name in names)
    right = sum(meets(span, names) for names, spans in zip(gold, found, strict=True) for span in spans)
    exact = sum(len({*map(tuple, names)} & {*map(tuple, spans)}) for names, spans in zip(gold, found, strict=True))
    recall, precision = hit / max(n_gold, 1), right / max(n_found, 1)
    return {
        "names": n_gold, "recall": recall, "precision": precision,
        "f1": 2 * recall * precision / max(recall + precision, 1e-9), "f1_exact": 2 * exact / max(n_gold + n_found, 1),
        "false_rows": sum(any(not meets(s, n) for s in f) for n, f in zip(gold, found, strict=True)),
    }  # fmt: skip


def spans_of(texts: Sequence[str], *kinds: str) -> list[list[tuple[int, int]]]:
    frame = mask_texts(texts, names=person_names, name_like=name_like)
    return [[(s["start"], s["end"]) for s in row if s["kind"] in kinds] for row in frame["spans"]]


def own_sentences(*, is_verbose: bool) -> None:
    rows = marked_sentences()
    texts, gold, styles = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    found = spans_of(texts, "PERSON")
    if is_verbose:
        for text, names, spans in zip(texts, gold, found, strict=True):
            missed = [text[a:b] for a, b in names if not covered((a, b), spans)]
            extra = [text[a:b] for a, b in spans if not meets((a, b), names)]
            if missed or extra:
                print(f"  missed {missed} extra {extra}: {text}")
    for style in ["all", *sorted(set(styles))]:
        own = [i for i, name in enumerate(styles) if style in ("all", name)]
        scores = name_scores([gold[i] for i in own], [found[i] for i in own])
        clean = [i for i in own if not gold[i]]
        false_clean = sum(bool(found[i]) for i in clean)
        print(f"own sentences [{style}]: {len(own)} rows, {len(clean)} without names; {shown(scores)}; "
              f"false hits in clean rows {false_clean}/{len(clean)}")  # fmt: skip


def shown(scores: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in scores.items())


def wikipedia(folder: Path, *, is_verbose: bool) -> None:
    rows = rows_of(folder, "ner_stockmark_wikipedia")
    texts = [row["text"] for row in rows]
    gold = [[(e["start"], e["end"]) for e in row["label"] if e["type"] == "人名"] for row in rows]
    alone = name_scores(gold, recognised_names(texts))
    print(f"wikipedia, GiNZA alone: {shown(alone)}")
    found = spans_of(texts, "PERSON")
    print(f"wikipedia, masking:     {shown(name_scores(gold, found))}")
    if is_verbose:
        for text, names, spans in zip(texts, gold, found, strict=True):
            missed = [text[a:b] for a, b in names if not covered((a, b), spans)]
            extra = [text[a:b] for a, b in spans if not meets((a, b), names)]
            if missed or extra:
                print(f"  missed {missed} extra {extra}: {text}")


def phones_and_addresses(folder: Path, *, is_verbose: bool) -> None:
    rows = rows_of(folder, "pii_jmultiwoz_phone_address")
    texts = [row["text"] for row in rows]
    for kind in ("PHONE", "ADDRESS"):
        found = spans_of(texts, kind)
        gold = [[(s["start"], s["end"]) for s in row["label"] if s["type"] == kind] for row in rows]
        missed = [text[a:b] for text, names, spans in zip(texts, gold, found, strict=True)
                  for a, b in names if not covered((a, b), spans)]  # fmt: skip
        print(f"{kind}: {len(missed)} missed of {sum(map(len, gold))} {missed if is_verbose else ''}")
    every = spans_of(texts, "PERSON", "PHONE", "EMAIL", "ADDRESS", "POSTAL_CODE", "CARD", "MY_NUMBER", "ACCOUNT",
                     "BIRTH_DATE", "URL", "ID")  # fmt: skip
    touched = [text for row, text, spans in zip(rows, texts, every, strict=True) if not row["label"] and spans]
    print(f"number rows touched: {len(touched)} of {sum(not row['label'] for row in rows)} {touched if is_verbose else ''}")


def call_turns(folder: Path) -> None:
    for name in ("dialogues_asdc_operator_customer", "dialogues_jmultiwoz", "dialogues_ami_ja_fillers"):
        texts = [re.sub(r"^\w+: ?", "", line) for row in rows_of(folder, name) for line in row["text"].splitlines()]
        frame = mask_texts([text for text in texts if text][:6000], names=person_names, name_like=name_like)
        n_names = sum(span["kind"] == "PERSON" for row in frame["spans"] for span in row)
        print(f"{name}: {len(frame)} turns, share of turns sent to name recognition {frame.attrs['turn_share']:.2%} "
              f"(of different sentences {frame.attrs['name_share']:.2%}), masked as names {n_names}")  # fmt: skip


def speed() -> None:
    """Sentences a second where no name-like token stands, names included: none is asked."""
    subjects = ["画面", "請求書", "アプリ", "ログイン", "通知", "料金", "設定", "印刷", "検索", "予約"]
    ends = ["が遅いので困っています。", "が開きません。", "の使い方が分かりません。", "を直してほしいです。", "が先月から変わりました。"]
    texts = [f"{i}回目ですが、{s}{e}" for i in range(400) for s in subjects for e in ends]
    texts = [text + "".join(texts[(i * 7) % len(texts)] for _ in range(1)) for i, text in enumerate(texts)][:20_000]
    name_like(texts[:10])
    start = time.perf_counter()
    frame = mask_texts(texts, names=person_names, name_like=name_like)
    seconds = time.perf_counter() - start
    n = sum(text.count("。") for text in texts)
    print(f"speed: {n / seconds:,.0f} sentences/s ({n:,} in {len(texts):,} texts, {frame.attrs['n_sentences']:,} different, "
          f"{frame.attrs['n_sentences_for_names']} asked for names, {seconds:.1f} s)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", choices=["own", "wikipedia", "formed", "calls", "speed"])
    parser.add_argument("--verbose", action="store_true", help="print every miss and false hit")
    options = parser.parse_args()
    person_names(["田中です。"])  # models are loaded before anything is timed
    parts = {"own": lambda: own_sentences(is_verbose=options.verbose), "speed": speed}
    if options.data:
        parts |= {
            "wikipedia": lambda: wikipedia(options.data, is_verbose=options.verbose),
            "formed": lambda: phones_and_addresses(options.data, is_verbose=options.verbose),
            "calls": lambda: call_turns(options.data),
        }
    elif options.only in ("wikipedia", "formed", "calls"):
        sys.exit("--data FOLDER is needed")
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
