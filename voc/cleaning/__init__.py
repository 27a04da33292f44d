"""Cleaning: small `str -> str` functions with their patterns, and the one that applies them by channel."""

from voc.cleaning.clean import clean_turns
from voc.cleaning.controls import without_controls
from voc.cleaning.fillers import bare_places, bare_text, without_fillers
from voc.cleaning.markup import html_to_text, without_markup
from voc.cleaning.quotes import without_quotes
from voc.cleaning.signatures import without_signature
from voc.cleaning.spaces import even_spaces
from voc.cleaning.widths import even_widths, identifier

__all__ = [
    "bare_places",
    "bare_text",
    "clean_turns",
    "even_spaces",
    "even_widths",
    "html_to_text",
    "identifier",
    "without_controls",
    "without_fillers",
    "without_markup",
    "without_quotes",
    "without_signature",
]
