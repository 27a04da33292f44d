"""Secrets: only ever from the environment variables that the configuration names, and never in a message."""

from collections.abc import Mapping

from voc.errors import SourceError


def secret(environ: Mapping[str, str], variable: str, *, source: str, option: str) -> str:
    """The value of `variable`. Raises SourceError where it is not set or empty."""
    value = environ.get(variable, "").strip()
    if not value:
        raise SourceError(
            f"ソース {source}: 環境変数 {variable} が設定されていません（設定の {option}）。値を設定してから実行してください。"
        )
    return value


def without(text: str, *secrets: str | None) -> str:
    """The first line of a server's words, shortened, with every secret blanked."""
    told = next(iter(text.strip().splitlines()), "")
    for value in sorted((value for value in secrets if value), key=len, reverse=True):
        told = told.replace(value, "***")
    return told[:200]
