"""Drafting: heads of files that nobody has described -> a commented `voc.toml` and what is unsure in it."""

from voc.drafting.draft import Draft, draft
from voc.drafting.head import Head

__all__ = ["Draft", "Head", "draft"]
