"""`voc terms`: names that the stored voices use and the dictionary does not know, as a table for a person."""

from pathlib import Path

from voc import japanese
from voc.config import Config
from voc.errors import VocError
from voc.sources.dictionary import load_terms
from voc.store import read_table
from voc.tables import SENTENCES
from voc.term_candidates import propose_terms


def write_candidates(config: Config, *, base: Path, store: str, out: Path) -> int:
    """Write the candidates (columns of the dictionary, n_sentences, example) as CSV that Excel opens; returns their number.

    Raises VocError where nothing was analysed yet, or where `out` is the dictionary itself.
    """
    sentences = read_table(SENTENCES, store=store)
    if sentences.empty:
        raise VocError("候補を探す文がまだありません。先に voc run を実行してください。")
    named = base / config.japanese.terms if config.japanese.terms else None
    if named is not None and out.exists() and named.exists() and out.samefile(named):
        raise VocError(f"出力先 {out} は用語集そのものです。--out に別の名前を指定してください。")
    found = propose_terms(sentences, tokenize=japanese.tokenize, terms=load_terms(named) if named else None)
    try:
        found.to_csv(out, index=False, encoding="utf-8-sig")
    except OSError as error:
        raise VocError(f"{out} に書き込めません（{error.strerror}）。フォルダーと権限を確かめてください。") from None
    return len(found)
