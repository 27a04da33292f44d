"""The file with a company's own categories."""

from pathlib import Path

from voc.errors import SourceError
from voc.issues.categories import Category, read_categories
from voc.parsing.charset import decode


def read_category_file(name: str, *, base: Path) -> list[Category]:
    """The categories in the CSV `name` (relative to `base`), any Japanese charset. Raises SourceError."""
    path = base / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"分類の表 {path} を読めません（{error.strerror}）。[issues] の categories を確かめてください。") from None
    return read_categories(decode(data, encoding=None), file=path.name)
