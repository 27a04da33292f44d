"""The map from pseudonyms to customer numbers on disk: one CSV in a folder of its own, for its owner only."""

import os
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from voc.errors import SourceError
from voc.identity import PSEUDONYMS, without
from voc.tables import check, empty

_NAME = "pseudonyms.csv"


def write_pseudonyms(frame: pd.DataFrame, *, folder: Path) -> Path:
    """Replace the map in `folder` (made with mode 0700; the file has 0600). No history is kept, so an erased row is gone.

    Raises SourceError where the place cannot be written.
    """
    path, part = folder / _NAME, _part(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            check(frame, PSEUDONYMS).to_csv(file, index=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise SourceError(f"仮名の対応表 {path} を書き込めません（{error.strerror}）。フォルダーの権限を確かめてください。") from None
    return path


def read_pseudonyms(*, folder: Path) -> pd.DataFrame:
    """PSEUDONYMS in `folder`; empty where there is none. Raises SourceError where the file is no such map."""
    path = folder / _NAME
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        return empty(PSEUDONYMS)
    except (OSError, ValueError) as error:
        raise SourceError(f"仮名の対応表 {path} を読めません（{type(error).__name__}）。取り込み（voc run）をやり直すと作り直されます。") from None
    if list(frame.columns) != list(PSEUDONYMS.columns):
        raise SourceError(f"仮名の対応表 {path} の列が違います: {list(frame.columns)}。あるべき列: {list(PSEUDONYMS.columns)}。")
    return check(frame, PSEUDONYMS)


def has_map(*, folder: Path) -> bool:
    """Whether an ingest left a map in `folder`."""
    return (folder / _NAME).exists()


def erase_pseudonyms(customer_ids: Collection[str], *, folder: Path) -> int:
    """Take the pseudonyms out of the map in `folder`, and what a killed job left beside it. Returns the rows removed."""
    if has_map(folder=folder):
        before = read_pseudonyms(folder=folder)
        kept = before
        for customer_id in sorted(customer_ids):
            kept = without(kept, customer_id)
        write_pseudonyms(kept, folder=folder)
        return len(before) - len(kept)
    try:
        _part(folder).unlink(missing_ok=True)
    except OSError as error:
        raise SourceError(f"{_part(folder)} を消せません（{error.strerror}）。権限を確かめてください。") from None
    return 0


def _part(folder: Path) -> Path:
    return folder / f".{_NAME}.part"
