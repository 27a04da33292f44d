"""The company's dictionary from its file."""

from pathlib import Path

from voc.errors import SourceError
from voc.parsing.charset import decode
from voc.terms import Terms, read_terms


def load_terms(path: Path) -> Terms:
    """The dictionary in the CSV file `path`, in whatever Japanese encoding.

    Raises SourceError where the file cannot be read, ConfigError where rows of it are wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"用語集 {path} を読めません（{error.strerror}）。voc.toml の [japanese] terms を確かめてください。") from None
    return read_terms(decode(data, encoding=None), name=str(path))
