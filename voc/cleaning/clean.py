"""Cleaning of turns, by channel."""

import pandas as pd

from voc.cleaning.controls import without_controls
from voc.cleaning.markup import without_markup
from voc.cleaning.quotes import without_quotes
from voc.cleaning.signatures import without_signature
from voc.cleaning.spaces import even_spaces
from voc.cleaning.widths import even_widths
from voc.tables import REJECTS, TURNS, check


def clean_text(text: str, *, channel: str) -> str:
    """One cleaned text. Mails and tickets lose quotes and signatures, what is not spoken or a mail its markup (mails lost
    theirs when they were read); speech keeps its fillers."""
    text = without_controls(text)
    if channel not in ("call", "email"):
        text = without_controls(without_markup(text))
    if channel in ("email", "ticket"):  # most tickets are mails
        text = without_signature(without_quotes(text))
    return even_spaces(even_widths(text))


def clean_turns(turns: pd.DataFrame, contacts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (turns with cleaned text, rejects).

    Needs contacts' contact_id, channel, source, source_row. A turn in which nothing is left (only a quotation, a
    signature, blanks) is left out; its contact gets one row in rejects that counts such turns.
    """
    origin = contacts.set_index("contact_id")[["channel", "source", "source_row"]]
    channels = turns["contact_id"].map(origin["channel"]).fillna("")
    cleaned = turns.assign(
        text=[clean_text(text, channel=channel) for text, channel in zip(turns["text"], channels, strict=True)]
    )
    is_empty = cleaned["text"] == ""
    n_empty = cleaned.loc[is_empty].groupby("contact_id").size()
    lost = origin.loc[origin.index.isin(n_empty.index), ["source", "source_row"]]
    reasons = [
        f"発言 {count} 件は、引用・署名・空白を除くと本文が残らないため使いませんでした。"
        for count in n_empty.reindex(lost.index)
    ]
    rejects = lost.assign(stage="clean", reason=reasons)
    return check(cleaned.loc[~is_empty], TURNS), check(rejects.reset_index(drop=True).drop_duplicates(), REJECTS)
