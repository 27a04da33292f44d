"""Marks of what a row was made from: equal inputs and makers alone give equal marks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.increment import by_of, chunks_by_length, holds, place_of, talk_marks, text_marks, turn_marks
from voc.tables import TURNS, check


def marks(*texts, by="a"):
    return text_marks(pd.Series(texts, dtype="str"), by=by).tolist()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), min_size=1, max_size=8))
def test_equal_texts_alone_have_equal_marks_wherever_they_stand(texts):
    found = marks(*texts)
    assert all((a == b) == (x == y) for a, x in zip(found, texts, strict=True) for b, y in zip(found, texts, strict=True))
    assert found[::-1] == marks(*texts[::-1])
    assert {len(mark) for mark in found} == {32}


def test_another_maker_gives_another_mark():
    assert marks("あ", by="a") != marks("あ", by="b")
    assert by_of({"a": "1", "b": "2"}) == by_of({"b": "2", "a": "1"}) != by_of({"a": "12", "b": ""})


def turns(*rows):
    columns = ("turn_id", "contact_id", "position", "speaker", "text")
    return check(pd.DataFrame(rows, columns=list(columns)), TURNS)


TALK = turns(("a-0", "a", 0, "customer", "はい"), ("a-1", "a", 1, "operator", "いいえ"), ("b-0", "b", 0, "customer", "はい"))


def test_the_mark_of_a_conversation_is_that_of_all_its_turns_in_any_order():
    found = talk_marks(TALK, by="x")
    assert found.index.tolist() == ["a", "b"] and found["a"] != found["b"]
    pd.testing.assert_series_equal(found, talk_marks(TALK.iloc[::-1].reset_index(drop=True), by="x"))
    assert talk_marks(TALK[TALK["contact_id"] == "b"], by="x")["b"] == found["b"]


@pytest.mark.parametrize("change", [{"text": "うん"}, {"speaker": "bot"}, {"position": 5}])
def test_any_change_of_a_turn_changes_its_conversation_alone(change):
    other = TALK.copy()
    for column, value in change.items():
        other.loc[1, column] = value
    before, after = talk_marks(TALK, by="x"), talk_marks(other, by="x")
    assert before["a"] != after["a"] and before["b"] == after["b"]
    assert talk_marks(TALK.drop(index=1), by="x")["a"] != before["a"]


def test_a_stored_row_holds_only_while_its_input_is_the_same():
    now = turn_marks(TALK, by="x").set_axis(TALK["turn_id"])
    stored = pd.DataFrame({"turn_id": ["a-0", "a-1", "gone", "b-0"], "made_from": [now["a-0"], now["b-0"], now["a-0"], None]})
    assert holds(stored, stored["turn_id"], now).tolist() == [True, False, False, False]


def test_rows_are_found_by_what_they_were_made_from():
    stored = pd.DataFrame({"made_from": pd.Series([None, "m1", "m2", "m1"], dtype="str")})
    assert place_of(stored, pd.Series(["m2", "m1", "none"])).tolist() == [2, 1, -1]
    assert place_of(stored.iloc[:0], pd.Series(["m2"])).tolist() == [-1]


@given(st.lists(st.text("あいう", max_size=5), unique=True, max_size=20), st.integers(1, 7), st.randoms())
def test_the_same_texts_give_the_same_chunks(texts, size, random):
    shuffled = list(texts)
    random.shuffle(shuffled)
    one, other = ([[words[i] for i in rows] for rows in chunks_by_length(pd.Series(words, dtype="str"), size)] for words in (texts, shuffled))
    assert one == other
    assert sorted(text for rows in one for text in rows) == sorted(texts)
    assert all(len(rows) == size for rows in one[:-1])
    assert np.all(np.diff([len(text) for rows in one for text in rows]) >= 0)
