"""The company's own dictionary: products, screens, features, competitors, their synonyms and spellings.

A term is found by any of its spellings, and by its reading where speech recognition wrote other characters
(仕分け for 仕訳, 引落 for 引き落とし). Found terms are folded to one name in content words, requests and flags.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from voc.errors import ConfigError
from voc.japanese import Token

TERM_KINDS = ("product", "screen", "feature", "competitor")
COLUMNS = ("term", "kind", "synonyms", "reading")
_SEPARATORS = re.compile(r"[|｜;；、]")
_KANA = re.compile(r"[ァ-ヴー]+")
_MIN_READING = 3  # shorter readings (ケン, シヨウ) stand for too many words
_LONGEST_RUN = 5  # tokens that one term may be cut into


@dataclass(frozen=True, slots=True)
class Terms:
    """`kinds`: term -> kind; `spellings`: folded spelling -> term; `readings`: katakana reading -> term."""

    kinds: dict[str, str]
    spellings: dict[str, str]
    readings: dict[str, str]
    pattern: re.Pattern | None


@dataclass(frozen=True, slots=True)
class Found:
    """One term in a text, from `start` to `end`."""

    term: str
    kind: str
    start: int
    end: int


def read_terms(text: str, *, name: str) -> Terms:
    """The dictionary in the CSV `text` with the columns term, kind, synonyms (separated by |) and reading.

    kind is product, screen, feature or competitor; synonyms and reading (katakana or hiragana) may be empty.
    Raises ConfigError that lists every faulty row of the file `name`.
    """
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    header = [cell.strip() for cell in lines[0]] if lines else []
    if missing := [column for column in ("term", "kind") if column not in header]:
        raise ConfigError(name, [f"1 行目に列 {missing} がありません（現在: {header}）。列は {','.join(COLUMNS)} です。"])
    kinds, spellings, readings, faults = {}, {}, {}, []
    for number, line in enumerate(lines[1:], start=2):
        row = dict(zip(header, (cell.strip() for cell in line), strict=False))
        if not any(row.values()):
            continue
        term, kind = row.get("term", ""), row.get("kind", "")
        if not term:
            faults.append(f"{number} 行目: term が空です。用語を書くか、行を消してください。")
            continue
        if kind not in TERM_KINDS:
            faults.append(f"{number} 行目: kind が「{kind}」です。{'、'.join(TERM_KINDS)} のどれかにしてください。")
            continue
        kinds[term] = kind
        for spelling in (term, *filter(None, (part.strip() for part in _SEPARATORS.split(row.get("synonyms", ""))))):
            other = spellings.setdefault(fold(spelling), term)
            if other != term:
                faults.append(f"{number} 行目: 「{spelling}」は「{other}」の行にもあります。どちらか一方に書いてください。")
        reading = _katakana(row.get("reading", ""))
        if reading and not _KANA.fullmatch(reading):
            faults.append(f"{number} 行目: reading が「{row['reading']}」です。カタカナかひらがなで書いてください。")
        elif len(reading) >= _MIN_READING:
            readings[plain_reading(reading)] = term
    if faults:
        raise ConfigError(name, faults)
    longest = sorted({s for s in spellings if s}, key=lambda s: (-len(s), s))
    pattern = re.compile("|".join(map(_bounded, longest))) if longest else None
    return Terms(kinds, spellings, readings, pattern)


def _bounded(spelling: str) -> str:
    """ASCII words stand alone: 「API」 is not in 「rapid」."""
    escaped = re.escape(spelling)
    return rf"(?<![a-z0-9]){escaped}(?![a-z0-9])" if re.fullmatch(r"[a-z0-9 ._+-]+", spelling) else escaped


def fold(text: str) -> str:
    """Width and case folded, one character to one, so that places stay the same."""
    return "".join(f if len(f := unicodedata.normalize("NFKC", c).lower()) == 1 else c for c in text)


def _katakana(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    return "".join(chr(ord(c) + 96) if "ぁ" <= c <= "ゖ" else c for c in text)


def plain_reading(reading: str) -> str:
    """A reading in katakana without what recognisers and writers mix up: ー, and ヅ, ヂ for ズ, ジ."""
    return _katakana(reading).replace("ー", "").replace("ヅ", "ズ").replace("ヂ", "ジ")


def find_terms(text: str, tokens: Sequence[Token], *, terms: Terms) -> list[Found]:
    """The terms in `text` from left to right, by spelling first, then nouns by their reading."""
    found = []
    if terms.pattern is not None:
        for match in terms.pattern.finditer(fold(text)):
            term = terms.spellings[match[0]]
            found.append(Found(term, terms.kinds[term], match.start(), match.end()))
    if terms.readings:
        found += _by_reading(tokens, terms, taken=[(f.start, f.end) for f in found])
    return sorted(found, key=lambda f: (f.start, -f.end))


def _by_reading(tokens: Sequence[Token], terms: Terms, *, taken: list[tuple[int, int]]) -> list[Found]:
    found, i = [], 0
    readings = [plain_reading(token.reading) for token in tokens]
    while i < len(tokens):
        if tokens[i].pos not in {"名詞", "動詞", "接頭辞"}:
            i += 1
            continue
        for stop in range(min(len(tokens), i + _LONGEST_RUN), i, -1):
            last = tokens[stop - 1]
            term = terms.readings.get("".join(readings[i:stop])) if last.pos in {"名詞", "接尾辞"} or (stop - i == 1 and last.form.startswith("連用形")) else None
            start, end = tokens[i].start, last.end
            if term is not None and not any(start < right and left < end for left, right in taken):
                found.append(Found(term, terms.kinds[term], start, end))
                i = stop - 1
                break
        i += 1
    return found


def fold_names(text: str, found: Sequence[Found]) -> str:
    """`text` with every found term under its own name; overlapping finds keep the first."""
    parts, last = [], 0
    for f in found:
        if f.start >= last:
            parts += [text[last : f.start], f.term]
            last = f.end
    return "".join([*parts, text[last:]])


def flag_competitors(opinions: pd.DataFrame, sentences: pd.DataFrame, *, terms: Terms) -> pd.DataFrame:
    """OPINIONS with the flag `competitor` added where the sentence names a competitor of the dictionary."""
    names = [re.escape(s) for s, term in sorted(terms.spellings.items()) if terms.kinds[term] == "competitor"]
    if not names or opinions.empty:
        return opinions
    texts = sentences.set_index("sentence_id")["text"].reindex(opinions["sentence_id"]).fillna("")
    is_named = texts.map(fold).str.contains("|".join(names)).to_numpy()
    flags = [sorted({*flags, "competitor"}) if named and "competitor" not in flags else flags
             for flags, named in zip(opinions["flags"], is_named, strict=True)]  # fmt: skip
    return opinions.assign(flags=pd.Series(flags, index=opinions.index, dtype="object"))
