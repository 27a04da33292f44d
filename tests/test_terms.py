"""The company's dictionary: read, found, folded, proposed. Sudachi only."""

import pandas as pd
import pytest

from flows.terms import write_candidates
from voc.config import Config
from voc.errors import ConfigError, SourceError, VocError
from voc.japanese import tokenize
from voc.sentences import split_sentences
from voc.sources.dictionary import load_terms
from voc.store import write_table
from voc.tables import SENTENCES, check
from voc.term_candidates import propose_terms
from voc.terms import find_terms, flag_competitors, fold_names, read_terms

CSV = """term,kind,synonyms,reading
サブスクリプション,product,サブスク|定期購入,
引き落とし,feature,引落|引落し,ヒキオトシ
仕訳,feature,,シワケ
請求書一覧,screen,請求一覧|請求書の一覧,
API,feature,,
青空会計,competitor,アオゾラ会計,アオゾラカイケイ
"""


@pytest.fixture(scope="module")
def terms():
    return read_terms(CSV, name="terms.csv")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("サブスクを解約したい", ["サブスクリプション"]),
        ("サブスクリプションの更新日", ["サブスクリプション"]),
        ("口座の引落が二回あった", ["引き落とし"]),
        ("引き落とされていません", []),
        ("仕分けを取り込めません", ["仕訳"]),  # recognition slip, found by its reading
        ("請求書の一覧から消えた", ["請求書一覧"]),
        ("ＡＰＩの上限", ["API"]),
        ("rapidな対応", []),
        ("あおぞら会計に乗り換えます", ["青空会計"]),
        ("何の関係もない文", []),
        ("", []),
    ],
)
def test_find(terms, text, found):
    assert [f.term for f in find_terms(text, tokenize([text])[0], terms=terms)] == found


def test_places_point_into_the_text(terms):
    text = "😀ＡＰＩと㍿サブスクの仕分け"
    found = find_terms(text, tokenize([text])[0], terms=terms)
    assert [text[f.start : f.end] for f in found] == ["ＡＰＩ", "サブスク", "仕分け"]
    assert fold_names(text, found) == "😀APIと㍿サブスクリプションの仕訳"


def test_faults_are_told_at_once():
    wrong = "term,kind,synonyms,reading\nA,page,,\n,screen,,\nB,screen,C,\nD,screen,C,漢字\n"
    with pytest.raises(ConfigError) as error:
        read_terms(wrong, name="terms.csv")
    assert [fault.split(":")[0] for fault in error.value.faults] == ["2 行目", "3 行目", "5 行目", "5 行目"]


def test_a_file_without_its_columns():
    with pytest.raises(ConfigError, match="term"):
        read_terms("用語,種類\nA,screen\n", name="terms.csv")


def test_file_in_shift_jis(tmp_path):
    path = tmp_path / "terms.csv"
    path.write_bytes(CSV.encode("cp932"))
    assert load_terms(path).kinds["青空会計"] == "competitor"
    with pytest.raises(SourceError, match=r"\[japanese\] terms"):
        load_terms(tmp_path / "none.csv")


def split(*texts, terms=None):
    turns = pd.DataFrame({"turn_id": [f"C1-{i:03d}" for i in range(len(texts))], "contact_id": "C1", "speaker": "customer", "text": texts})
    return split_sentences(turns, tokenize=tokenize, terms=terms)


def test_content_words_have_one_spelling(terms):
    found = split("サブスクの引落の件です", "定期購入の引き落としの件です", terms=terms)
    assert found["terms"].tolist() == [["サブスクリプション", "引き落とし"]] * 2


def test_a_name_of_the_dictionary_is_no_courtesy():
    terms = read_terms("term,kind\nメール,product\n", name="terms.csv")
    assert split("メールを送ります")["set_aside"].tolist() == ["courtesy"]
    assert split("メールを送ります", terms=terms)["set_aside"].isna().all()


def test_a_competitor_is_flagged(terms):
    sentences = pd.DataFrame({"sentence_id": ["a", "b"], "text": ["アオゾラ会計のほうが安い", "高い"]})
    opinions = pd.DataFrame({"sentence_id": ["a", "b"], "flags": [["emotion"], []]})
    assert flag_competitors(opinions, sentences, terms=terms)["flags"].tolist() == [["competitor", "emotion"], []]


def proposed(texts, **options):
    sentences = pd.DataFrame({"text": texts, "set_aside": None})
    return propose_terms(sentences, tokenize=tokenize, **options)


def test_candidates_are_counted_and_spellings_grouped():
    texts = ["自動引き落としの日"] * 4 + ["自動引落しの日"] * 2 + ["サブスクリプションが高い"] * 3 + ["サブスクが高い"] * 2 + ["雨が降った"] * 9
    found = proposed(texts).set_index("term")
    assert found["n_sentences"].to_dict() == {"自動引き落とし": 6, "サブスクリプション": 5}
    assert found["synonyms"].to_dict() == {"自動引き落とし": "自動引落し", "サブスクリプション": "サブスク"}
    assert found.loc["サブスクリプション", "example"] == "サブスクリプションが高い"


def test_known_and_rare_words_are_not_proposed(terms):
    assert proposed(["サブスクリプションが高い"] * 9 + ["経費精算が面倒"] * 4, terms=terms).empty


def test_part_of_a_longer_name_is_no_name():
    assert proposed(["経費精算ワークフローが遅い"] * 6)["term"].tolist() == ["経費精算ワークフロー"]


def test_nothing_said_nothing_proposed():
    assert proposed([]).empty


def test_candidates_are_written_for_a_person_and_never_over_the_dictionary(tmp_path):
    config = Config(sources=[{"name": "s", "format": "chat", "path": "x"}], japanese={"terms": "terms.csv"})
    with pytest.raises(VocError, match="先に voc run"):
        write_candidates(config, base=tmp_path, store=str(tmp_path / "store"), out=tmp_path / "c.csv")
    rows = [{"sentence_id": f"S{n}", "turn_id": "T", "contact_id": "C", "position": n, "start": 0, "end": 1, "terms": [],
             "text": f"口座振替設定が{n}回失敗します"} for n in range(6)]  # fmt: skip
    write_table(check(pd.DataFrame(rows), SENTENCES), SENTENCES, store=str(tmp_path / "store"))
    (tmp_path / "terms.csv").write_text("term,kind,synonyms,reading\nミナト,product,,\n", encoding="utf-8")
    assert write_candidates(config, base=tmp_path, store=str(tmp_path / "store"), out=tmp_path / "c.csv") >= 1
    assert "口座振替設定" in (tmp_path / "c.csv").read_text(encoding="utf-8-sig")
    with pytest.raises(VocError, match="用語集そのもの"):
        write_candidates(config, base=tmp_path, store=str(tmp_path / "store"), out=tmp_path / "terms.csv")
