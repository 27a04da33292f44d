"""Single steps for other programs, without configuration and store: mask a list of texts, mask a file."""

import json
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from voc.privacy import mask_texts
from voc.text_files import text_batches, written_rows


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


def _plain(texts: Iterable[str | None]) -> list[str]:
    return ["" if text is None or text != text else str(text) for text in texts]  # noqa: PLR0124 - NaN
