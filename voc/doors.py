"""Single steps for other programs, without configuration and store: mask, judge or embed texts or a file's column."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from voc.errors import SourceError
from voc.part_results import judged_rows
from voc.parts import check_clusterer, check_embedder, check_opinions, is_address, load_part
from voc.privacy import mask_texts
from voc.text_files import text_batches, written_rows

JUDGED = (
    "row", "sentence", "p_negative", "p_neutral", "p_positive", "polarity", "strength", "p_complaint", "p_request",
    "p_question", "p_praise", "p_cancel", "p_other", "intent", "flags", "request", "abstained",
)  # fmt: skip
"""Columns of what `judge` gives."""
Level = Literal["sentence", "text"]
Part = str | Callable


def mask(texts: Iterable[str | None]) -> pd.DataFrame:
    """Mask personal data in `texts`: frame [row, masked, spans], one row per text in their order.

    `spans` lists {start, end, kind} in the original text; kinds: PERSON, PHONE, EMAIL, ADDRESS, POSTAL_CODE, CARD,
    MY_NUMBER, ACCOUNT, BIRTH_DATE, ID, URL. Nothing (None, NaN) is read as an empty text.
    """
    from voc.japanese import name_like, person_names

    return mask_texts(_plain(texts), names=person_names, name_like=name_like)


def mask_file(path: Path | str, *, text: str, out: Path | str) -> dict[str, float]:
    """Mask column `text` of a CSV, TSV, XLSX or JSONL file (also .gz) into the CSV `out` (also .gz).

    `out` has row (0-based position of the data row; every row of the file once, with empty text too), masked, and
    spans as JSON (start, end, kind in the original text). Returns n_rows, n_spans and name_share, the share of
    different sentences that were searched for names. Raises SourceError as `text_batches`.
    """
    path, out = Path(path), Path(out)
    batches = text_batches(path, column=text, out=out)
    counts = {"n_rows": 0, "n_spans": 0, "n_sentences": 0, "n_asked": 0}
    with written_rows(out, ["row", "masked", "spans"]) as lines:
        for batch in batches:
            frame = mask(batch)
            spans = [json.dumps(found, separators=(",", ":")) for found in frame["spans"]]
            rows = range(counts["n_rows"], counts["n_rows"] + len(batch))
            lines.writerows(zip(rows, frame["masked"], spans, strict=True))
            counts["n_rows"] += len(batch)
            counts["n_spans"] += int(frame["spans"].map(len).sum())
            counts["n_sentences"] += frame.attrs["n_sentences"]
            counts["n_asked"] += frame.attrs["n_sentences_for_names"]
    share = counts.pop("n_asked") / max(counts.pop("n_sentences"), 1)
    return {**counts, "name_share": share}


def judge(texts: Iterable[str | None], *, level: Level = "sentence", opinions: Part | None = None) -> pd.DataFrame:
    """What customers say in `texts`: frame with the columns JUDGED, rows in the order of the texts.

    `level` sentence: one line a sentence or clause (none for a text without any); text: exactly one line a text, empty
    ones too, and the polarity stands for the rating that its writer would give. p_negative, p_neutral, p_positive sum
    to 1, the p of the intents are independent of each other; `intent` is the one that is named, strength p_positive - p_negative, `flags` a list, `request` the normalised request where
    one is made. `abstained` is 1 where no intent is likely enough, and for greetings, back-channels and empty texts;
    the probabilities are filled all the same. `opinions`: a function or module:function in place of voc's own heads, which
    `level` does not change (voc/parts.py). Raises VocError for another level, PartError where that breaks its contract.
    """
    if level not in ("sentence", "text"):
        raise SourceError(f"--level {level} は使えません。使える値: sentence、text。")
    plain = _plain(texts)
    sentences = _sentences_of(plain, level) if any(text.strip() for text in plain) or level == "text" else []
    if not len(sentences):
        return pd.DataFrame(columns=list(JUDGED))
    return _judged(sentences, as_whole=level == "text", judge=_part(opinions, check_opinions))


def judge_file(path: Path | str, *, text: str, out: Path | str, level: Level = "sentence") -> dict[str, int]:
    """`judge` column `text` of a CSV, TSV, XLSX or JSONL file (also .gz) into the CSV `out` (also .gz).

    `row` is the 0-based position of the data row; flags are joined by |. Returns n_rows, n_judged (lines of `out`) and
    n_abstained. Raises SourceError as `text_batches`.
    """
    batches, counts = text_batches(Path(path), column=text, out=Path(out)), {"n_rows": 0, "n_judged": 0, "n_abstained": 0}
    with written_rows(Path(out), JUDGED) as lines:
        for batch in batches:
            frame = judge(batch, level=level)
            frame["row"] += counts["n_rows"]
            frame["flags"] = frame["flags"].map("|".join)
            lines.writerows(frame.astype(object).where(frame.notna(), "").itertuples(index=False, name=None))
            counts["n_rows"] += len(batch)
            counts["n_judged"] += len(frame)
            counts["n_abstained"] += int(frame["abstained"].sum())
    return counts


def group(
    texts: Iterable[str | None], *, times: Sequence | None = None, n_issues: int | None = None, seed: int = 42,
    embedder: Part | None = None, clusterer: Part | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Issues in `texts`: frame [row, issue_id, label, kind, probability], every row at least once, likeliest issue first.

    issue_id is empty where no issue took the row. `times` (anything pandas reads as a time) only dates the issues;
    `n_issues` makes so many. The same texts and seed give the same frame, in whatever order the texts stand.
    `embedder` (a function, module:function, or a model for `embed`) and `clusterer` (a function or module:function) take the
    place of voc's own (voc/parts.py). Raises PartError where one breaks its contract.
    """
    from voc import japanese, opinions
    from voc.groups import GROUPED, find_groups, grouped_rows

    own = {"embedder": _part(embedder, check_embedder)} | ({"cluster": _part(clusterer, check_clusterer)} if clusterer else {})
    given = pd.Series(_plain(texts), dtype=object)
    order = given.sort_values(kind="stable").index.to_numpy()  # so that the order of the rows decides nothing
    plain = given.iloc[order].tolist()
    said_at = pd.to_datetime(pd.Series(times if times is not None else [None] * len(plain)), utc=True, errors="coerce")
    said_at = said_at.iloc[order].reset_index(drop=True)
    sentences = _sentences_of(plain, "sentence") if any(text.strip() for text in plain) else pd.DataFrame()
    if len(sentences):
        sentences = sentences[sentences["set_aside"].isna() & (sentences["terms"].map(len) > 0)].reset_index(drop=True)
    if not len(sentences):
        return pd.DataFrame({"row": range(len(plain))}).reindex(columns=list(GROUPED))
    earliest = said_at.min() if said_at.notna().any() else pd.Timestamp(0, tz="UTC")
    sentences["said_at"] = said_at.fillna(earliest).to_numpy()[sentences["row"]]
    sentences["said_at"] = pd.to_datetime(sentences["said_at"], utc=True)
    judged = opinions.judge(sentences["text"].tolist()).drop(columns="text").assign(sentence_id=sentences["sentence_id"])
    update = find_groups(sentences, judged, n_issues=n_issues, seed=seed, parse=japanese.parse, **own)
    frame = grouped_rows(len(plain), sentences, update)
    return frame.assign(row=order[frame["row"]]).sort_values("row", kind="stable", ignore_index=True)


def embed(texts: Iterable[str | None], *, model: Part = "use") -> np.ndarray:
    """Unit vectors float32 (texts, dimension) in the order of `texts`.

    `model`: use (default), e5, both (the two joined, as the ledger has them: the best for similarity), any model name or path that
    sentence-transformers takes, module:function, or a function texts -> unit vectors.
    """
    plain = _plain(texts)
    if model == "both":
        from voc.issue_space import text_vectors

        return text_vectors(plain)
    from voc import embeddings

    return embeddings.embed(plain, model=model)


def embed_file(path: Path | str, *, text: str, out: Path | str, model: str = "use") -> dict[str, int]:
    """`embed` column `text` of a file into the numpy file `out` (.npy). Returns n_rows and n_dimensions.

    Raises SourceError as `text_batches`, or where `out` cannot be written.
    """
    out = Path(out)
    parts = [embed(batch, model=model) for batch in text_batches(Path(path), column=text, out=out)]
    vectors = np.concatenate(parts) if parts else embed([], model=model)
    part = out.with_name(f".{out.name}.part")
    try:
        with part.open("wb") as file:
            np.save(file, vectors)
        part.replace(out)
    except OSError as error:
        raise SourceError(f"{out} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    finally:
        part.unlink(missing_ok=True)
    return {"n_rows": len(vectors), "n_dimensions": vectors.shape[1]}


def _sentences_of(texts: Sequence[str], level: Level) -> pd.DataFrame:
    """SENTENCES with `row`; at level text one line a text, with the columns that judging needs."""
    if level == "text":
        rows = [(row, f"{row:09d}", text, None if text.strip() else "non_answer") for row, text in enumerate(texts)]
        return pd.DataFrame(rows, columns=["row", "sentence_id", "text", "set_aside"])
    from voc.japanese import tokenize
    from voc.sentences import split_sentences

    ids = [f"{row:09d}" for row in range(len(texts))]
    turns = pd.DataFrame({"turn_id": ids, "contact_id": ids, "position": 0, "speaker": "customer", "text": list(texts)})
    frame = split_sentences(turns.loc[[text.strip() != "" for text in texts]], tokenize=tokenize)
    return frame.assign(row=frame["turn_id"].astype("int64"))


def _judged(sentences: pd.DataFrame, *, as_whole: bool, judge: Callable | None) -> pd.DataFrame:
    from voc import japanese, opinions
    from voc.requests import normalise_requests

    distinct = sentences.drop_duplicates("text")[["sentence_id", "text"]].reset_index(drop=True)
    if judge is not None:
        found = judged_rows(judge, distinct)
    else:
        found = opinions.judge(distinct["text"].tolist(), as_whole=as_whole).assign(sentence_id=distinct["sentence_id"]).drop(columns="text")
    asked = normalise_requests(distinct, found, parse=japanese.parse)
    found["text"] = distinct["text"]
    found["request"] = found["sentence_id"].map(dict(zip(asked["sentence_id"], asked["phrase"], strict=True)))
    frame = sentences[["row", "text", "set_aside"]].merge(found.drop(columns="sentence_id"), on="text", how="left")
    frame["abstained"] = (frame["is_abstained"].astype(bool) | frame["set_aside"].notna()).astype("int64")
    measured = [column for column in JUDGED if column.startswith("p_") or column == "strength"]
    frame[measured] = frame[measured].astype("float64").round(4)
    return frame.rename(columns={"text": "sentence"})[list(JUDGED)]


def _part(part: Part | None, contract: Callable) -> Part | None:
    """A company's own part, loaded where it is named and held to its contract; a model's name as it is."""
    function = load_part(part) if isinstance(part, str) and (is_address(part) or contract is not check_embedder) else part
    if callable(function):
        contract(function, name=part if isinstance(part, str) else getattr(part, "__name__", "部品"))
    return function


def _plain(texts: Iterable[str | None]) -> list[str]:
    return ["" if text is None or text != text else str(text) for text in texts]  # noqa: PLR0124 - NaN
