"""Personal data masked before anything is stored.

Own patterns rather than Presidio's, by measurement: importing presidio_analyzer took 11 s here, for it loads spaCy, torch
and tldextract (which asks the network) even where only patterns are used. Its patterns are no faster (8 of them:
15,000-31,000 texts/s, ours 29,000 where nothing stands), and what is left to take from it is a loop over patterns and
a conflict rule (`resolve`, 20 lines). Names come from outside as a function: GiNZA's in a real run.
"""

import hashlib
import hmac
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from voc.cleaning.widths import identifier
from voc.errors import ConfigError
from voc.privacy_names import NameLike, Names, name_spans, repeated_names
from voc.privacy_patterns import LABELS, Span, formed_spans, resolve
from voc.tables import CONTACTS, TURNS, check

_COUNTS = ("n_sentences", "n_sentences_for_names", "n_texts", "n_texts_for_names")


def mask_texts(
    texts: Sequence[str],
    *,
    names: Names,
    name_like: NameLike | None = None,
    id_patterns: Mapping[str, str] | None = None,
    group: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Mask personal data: frame [row, masked, spans], one row per text, `attrs["name_share"]`.

    `spans` lists {start, end, kind} in the ORIGINAL text; kinds are PERSON, PHONE, EMAIL, ADDRESS, POSTAL_CODE, CARD
    (Luhn), MY_NUMBER (check digit), ACCOUNT, BIRTH_DATE, URL (with a query) and ID. Inside one `group` (a contact) the
    same value has the same mask: [氏名1], [電話番号1]. `names` gives spans of persons' names per sentence; it is
    called for sentences with a cue, or in which `name_like` sees a name; name_share is the share of different sentences
    that it got, turn_share the share of texts with such a sentence.
    Order and reservation numbers stay unless `id_patterns` (name -> regular expression) names them. Raises ConfigError
    for a regular expression that is none.
    """
    groups = list(group) if group is not None else list(range(len(texts)))
    patterns = _compiled(id_patterns or {})
    persons = name_spans(texts, names=names, name_like=name_like)
    spans = [
        resolve(text, formed_spans(text, id_patterns=patterns) + [_person(*place) for place in places])
        for text, places in zip(texts, persons.spans, strict=True)
    ]
    spans = _with_repeated_names(texts, spans, groups)
    masks: dict[object, dict[tuple[str, str], str]] = defaultdict(dict)
    masked = [_masked(text, found, masks[own]) for text, found, own in zip(texts, spans, groups, strict=True)]
    rows = [[{"start": span.start, "end": span.end, "kind": span.kind} for span in found] for found in spans]
    frame = pd.DataFrame({
        "row": range(len(texts)), "masked": pd.Series(masked, dtype="str"), "spans": pd.Series(rows, dtype="object")
    })  # fmt: skip
    frame.attrs |= {
        "n_sentences": persons.n_sentences, "n_sentences_for_names": persons.n_asked,
        "n_texts": len(texts), "n_texts_for_names": persons.n_texts_asked,
        "name_share": persons.n_asked / max(persons.n_sentences, 1), "turn_share": persons.n_texts_asked / max(len(texts), 1),
    }  # fmt: skip
    return frame


def _person(start: int, end: int) -> Span:
    return Span(start, end, "PERSON", LABELS["PERSON"])


def _compiled(id_patterns: Mapping[str, str]) -> dict[str, re.Pattern]:
    compiled, faults = {}, []
    for name, pattern in id_patterns.items():
        try:
            compiled[name] = re.compile(pattern)
        except re.error as error:
            faults.append(f"id_patterns.{name}: 正規表現「{pattern}」が正しくありません（{error}）。")
    if faults:
        raise ConfigError("[privacy]", faults)
    return compiled


def _with_repeated_names(texts: Sequence[str], spans: list[list[Span]], groups: list) -> list[list[Span]]:
    """Names found anywhere in a group are masked wherever they stand in it."""
    known: dict[object, set[str]] = defaultdict(set)
    for text, found, own in zip(texts, spans, groups, strict=True):
        for span in found:
            if span.kind == "PERSON":
                parts = re.split(r"[ 　・]", text[span.start : span.end])
                known[own].update(part for part in [text[span.start : span.end], *parts] if _is_telling(part))
    return [
        resolve(text, found + [_person(*place) for place in repeated_names(text, sorted(known[own]))])
        if known.get(own) else found
        for text, found, own in zip(texts, spans, groups, strict=True)
    ]  # fmt: skip


def _is_telling(name: str) -> bool:
    """Names of one character, and short ones in kana, are too often part of another word."""
    return len(name) >= 2 if re.search("[一-龥]", name) else len(name) >= 4


def _masked(text: str, spans: list[Span], masks: dict[tuple[str, str], str]) -> str:
    parts, position = [], 0
    for span in spans:
        parts += [text[position : span.start], _mask(span, text[span.start : span.end], masks)]
        position = span.end
    return "".join([*parts, text[position:]])


def _mask(span: Span, value: str, masks: dict[tuple[str, str], str]) -> str:
    """The mask of `value`: numbers count by their digits, names by how they begin (田中 is 田中 太郎)."""
    spelled = re.sub(r"\s+", "", unicodedata.normalize("NFKC", value)).lower()
    if span.kind in ("PHONE", "CARD", "MY_NUMBER", "POSTAL_CODE"):
        spelled = re.sub(r"\D", "", spelled) or spelled
    if span.kind == "PERSON" and len(spelled) >= 2:
        same = (name for label, name in masks if label == span.label and min(len(name), len(spelled)) >= 2
                and (name.startswith(spelled) or spelled.startswith(name)))  # fmt: skip
        spelled = next(same, spelled)
    count = sum(label == span.label for label, _ in masks)
    return masks.setdefault((span.label, spelled), f"[{span.label}{count + 1}]")


def mask_contacts(
    contacts: pd.DataFrame,
    turns: pd.DataFrame,
    *,
    key: bytes,
    names: Names,
    name_like: NameLike | None = None,
    id_patterns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """(contacts, turns, counts) ready to be stored.

    Masks subjects and the text of every turn, customers' and operators'; customer_id becomes a pseudonym;
    content_sha is the SHA-256 of a contact's masked content. counts: masks per kind, n_sentences
    (different ones) and n_sentences_for_names, n_texts (subjects and turns) and n_texts_for_names; counts of several batches may be summed.
    """
    turns = turns.sort_values(["contact_id", "position"], kind="stable")
    subjects = contacts.loc[contacts["subject"].notna(), ["contact_id", "subject"]]
    # subjects first: a name introduced there keeps its number in the text
    result = mask_texts(
        [*subjects["subject"], *turns["text"]],
        names=names, name_like=name_like, id_patterns=id_patterns,
        group=[*subjects["contact_id"], *turns["contact_id"]],
    )  # fmt: skip
    counts: dict[str, int] = dict(sorted(Counter(span["kind"] for row in result["spans"] for span in row).items()))
    masked = result["masked"].to_numpy()
    turns = check(turns.assign(text=masked[len(subjects):]), TURNS)
    subject = pd.Series(masked[: len(subjects)], index=subjects.index, dtype="object")
    contacts = contacts.assign(
        customer_id=pseudonymise(contacts["customer_id"], key), subject=subject.reindex(contacts.index)
    )
    contacts = check(contacts.assign(content_sha=_content_shas(contacts, turns)), CONTACTS)
    return contacts, turns, counts | {name: result.attrs[name] for name in _COUNTS}


def mask_file_names(
    paths: Iterable[str],
    *,
    key: bytes,
    names: Names,
    name_like: NameLike | None = None,
    id_patterns: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Path -> path that may be stored: personal data in it masked, and then 8 hex of HMAC-SHA256 with `key` at its end.

    The hex keeps files apart that differ only in what is masked. A path without personal data, or masked before, stays.
    """
    different = sorted(set(paths))
    # _ and / are parts of no name or number, but the patterns take _ for a letter
    plain = [re.sub(r"[_/\\]", " ", path) for path in different]
    found = mask_texts(plain, names=names, name_like=name_like, id_patterns=id_patterns)["spans"]
    stored = {}
    for path, spans in zip(different, found, strict=True):
        places = [Span(span["start"], span["end"], span["kind"], LABELS.get(span["kind"], "番号")) for span in spans]
        mark = hmac.new(key, path.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:8]
        stored[path] = f"{_masked(path, places, {})}~{mark}" if places else path
    return stored


def hidden_name(name: str, *, key: bytes) -> str:
    """16 hex of HMAC-SHA256 with `key` over a name that may hold personal data and only has to be known again."""
    return hmac.new(key, name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]


def pseudonymise(ids: pd.Series, key: bytes) -> pd.Series:
    """'K' + 16 hex of HMAC-SHA256 with `key` over each id (widths and blanks evened); empty stays empty."""
    different = ids.dropna().unique()
    pseudonyms = {
        value: "K" + hmac.new(key, identifier(str(value)).encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]
        for value in different
    }
    return ids.map(pseudonyms).astype("str").where(ids.notna(), None)


def _content_shas(contacts: pd.DataFrame, turns: pd.DataFrame) -> list[str]:
    """SHA-256 per contact over its fields and its turns in their order."""
    said = turns["position"].astype("str") + "\x1f" + turns["speaker"] + "\x1f" + turns["question"].fillna("") + "\x1f"
    said = (said + turns["text"]).groupby(turns["contact_id"]).agg("\x1e".join)
    spoken = contacts["contact_id"].map(said.to_dict()).astype("object").fillna("")
    fields = [contacts[column].astype("str").fillna("") for column in CONTACTS.columns if column != "content_sha"]
    rows = zip(*fields, spoken, strict=True)
    return [hashlib.sha256("\x1d".join(row).encode("utf-8", "replace")).hexdigest() for row in rows]
