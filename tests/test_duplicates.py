import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.duplicates import link_duplicates, minhash
from voc.episodes import link_episodes
from voc.tables import CONTACTS, TURNS, check

LONG = "先月から請求書の金額が二重になっています。カードの明細にも同じ金額が二回のっていて困っています。至急ご確認をお願いします。"
OTHER = "アプリを更新してからログインの画面が真っ白になり、何度入れ直しても同じです。機種は三年前のものを使っています。"


def tables(*rows):
    """Rows (id, customer, day, text, {more})."""
    contacts, turns = [], []
    for name, customer, day, text, *more in rows:
        contacts.append({
            "contact_id": name, "customer_id": customer, "channel": "email", "source": "s", "source_row": name,
            "started_at": pd.Timestamp("2025-04-01", tz="UTC") + pd.Timedelta(days=day), "content_sha": "",
            **(more[0] if more else {}),
        })  # fmt: skip
        turns.append({"turn_id": f"{name}-0", "contact_id": name, "position": 0, "speaker": "customer", "text": text})
    return check(pd.DataFrame(contacts), CONTACTS), check(pd.DataFrame(turns), TURNS)


def originals(*rows, **options):
    linked = link_duplicates(*tables(*rows), **options)
    return {name: of for name, of in zip(linked["contact_id"], linked["duplicate_of"], strict=True) if isinstance(of, str)}


@pytest.mark.parametrize(("second", "is_linked"), [
    (("b", "K1", 1, LONG), True),
    (("b", "K1", 1, f"Fw: {LONG.replace('。', '。　')}"), True),
    (("b", None, 1, LONG), True),
    (("b", "K1", 1, LONG[:-6] + "よろしく。"), True),  # corrected the next day
    (("b", "K1", 2, LONG[:-6] + "よろしく。"), False),  # said again: a repeat
    (("b", None, 4, f"お疲れ様です。下記、転送します。{LONG}"), True),  # a colleague passes it on after the weekend
    (("b", "K1", 7, LONG), False),  # the same request every week
    (("b", "K1", 40, LONG), False),
    (("b", "K2", 1, LONG), False),
    (("b", "K1", 1, OTHER), False),
])  # fmt: skip
def test_a_written_contact_that_says_the_same_is_linked_to_the_first(second, is_linked):
    assert originals(("a", "K1", 0, LONG), second) == ({"b": "a"} if is_linked else {})


MINUTE = 1 / 24 / 60


@pytest.mark.parametrize("channel", ["call", "chat"])
@pytest.mark.parametrize(("second", "is_linked"), [
    (("b", "K1", 0, LONG), True),  # exported twice
    (("b", "K1", 9 * MINUTE, LONG[:-6] + "よろしく。"), True),  # the clocks and recognisers of two systems
    (("b", "K1", 60 * MINUTE, LONG), False),  # called again in the same words: a repeat
    (("b", "K1", 3, LONG), False),
    (("b", None, MINUTE, LONG), True),
    (("b", None, 3 * MINUTE, LONG), False),
    (("b", "K2", 0, LONG), False),
])  # fmt: skip
def test_a_conversation_is_linked_only_to_one_at_the_same_time(channel, second, is_linked):
    is_in = {"channel": channel}
    assert originals(("a", "K1", 0, LONG, is_in), (*second, is_in)) == ({"b": "a"} if is_linked else {})
    assert originals(("a", "K1", 0, LONG, is_in), (*second, {"channel": "ticket"})) == ({"b": "a"} if is_linked else {})


FORM = (
    "フォームからのお問い合わせです。会社名：[会社名1]　お名前：[氏名1]　ご利用のプラン：標準　返信を希望する：はい　ご利用の環境：パソコン　"
    "個人情報の取り扱いについて：同意する　お知らせのメール：受け取る　お問い合わせの種類：その他　ご注文番号：{}　お問い合わせの内容：{}"
)


@pytest.mark.parametrize("sender", ["K1", None])
@pytest.mark.parametrize(("number", "matter", "is_linked"), [
    ("10023", "商品が届きません。", True),
    ("10023", "商品が届きませんが？", True),
    ("10024", "商品が届きません。", False),  # the same words about another order
    ("10023", "返金の手続きを教えてください。", False),  # the same form about another matter
])  # fmt: skip
def test_a_form_is_not_known_by_its_frame(sender, number, matter, is_linked):
    found = originals(("a", sender, 0, FORM.format("10023", "商品が届きません。")), ("b", sender, 0.5, FORM.format(number, matter)))
    assert found == ({"b": "a"} if is_linked else {})


def test_a_greeting_that_no_customer_answered_joins_no_unknown_callers():
    contacts, turns = tables(*((name, None, 0, LONG, {"channel": "call"}) for name in "ab"))
    assert link_duplicates(contacts, turns)["duplicate_of"].notna().sum() == 1
    assert link_duplicates(contacts, turns.assign(speaker="operator"))["duplicate_of"].notna().sum() == 0


_WORDS = ["請求書が", "届かない。", "アプリの", "画面が", "真っ白に", "なります。", "先月の", "料金が", "二重に", "なって", "います。", "12月", "3回目"]
_ROW = st.tuples(
    st.sampled_from(["K1", "K2", None]), st.sampled_from([0.0, MINUTE, 0.3, 3.0, 6.0]), st.sampled_from(["call", "email"]),
    st.lists(st.sampled_from(_WORDS), max_size=4),
)  # fmt: skip


@pytest.mark.slow
@given(rows=st.lists(_ROW, min_size=1, max_size=8), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_nothing(rows, order):
    contacts, turns = tables(*(
        (f"c{i}", customer, day, LONG + "".join(words), {"channel": channel}) for i, (customer, day, channel, words) in enumerate(rows)
    ))  # fmt: skip
    linked = link_episodes(link_duplicates(contacts, turns), turns)
    places, said = list(range(len(contacts))), list(range(len(turns)))
    order.shuffle(places)
    order.shuffle(said)
    again = link_duplicates(contacts.iloc[places], turns.iloc[said])
    pd.testing.assert_frame_equal(link_episodes(again.sample(frac=1, random_state=1), turns.iloc[said]), linked)
    customer = contacts.set_index("contact_id")["customer_id"]
    for own, first in linked.loc[linked["duplicate_of"].notna(), ["contact_id", "duplicate_of"]].itertuples(index=False):
        assert linked.set_index("contact_id")["duplicate_of"].isna()[first]  # no chain
        assert customer[own] == customer[first] or pd.isna(customer[own]) or pd.isna(customer[first])


def test_short_answers_are_no_duplicates_unless_sent_twice_at_once():
    assert originals(("a", "K1", 0, "特になし"), ("b", "K1", 7, "特になし"), ("c", None, 7, "特になし")) == {}
    assert originals(("a", "K1", 0, "特になし"), ("b", "K1", 0.001, "特になし")) == {"b": "a"}


def test_masks_of_other_numbers_are_the_same():
    text = "[氏名{}]と申します。" + LONG
    assert originals(("a", "K1", 0, text.format(1)), ("b", "K1", 1, text.format(2))) == {"b": "a"}


def test_an_unknown_sender_does_not_join_two_customers():
    assert originals(("a", "K1", 0, LONG), ("b", None, 1, LONG), ("c", "K2", 2, LONG)) == {"b": "a"}


def test_chains_lead_to_the_first_and_order_does_not_matter():
    rows = [("c", "K1", 2, LONG), ("a", "K1", 0, LONG), ("b", "K1", 1, LONG + "。")]
    assert originals(*rows) == originals(*rows[::-1]) == {"b": "a", "c": "a"}


def test_one_template_from_many_customers_is_read_in_one_pass():
    rows = [(f"c{i:05d}", f"K{i % 1500}", i / 1500, LONG) for i in range(3000)]
    linked = originals(*rows)
    assert linked == {f"c{i:05d}": f"c{i - 1500:05d}" for i in range(1500, 3000)}


def test_equal_signatures_estimate_the_share_of_common_pieces():
    left, right = LONG, LONG[:45] + OTHER[:15]
    shingles = [{text[i : i + 5] for i in range(len(text) - 4)} for text in (left, right)]
    share = len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])
    signatures = minhash(np.array([left, right, left]))
    assert (signatures[0] == signatures[2]).all()
    assert abs((signatures[0] == signatures[1]).mean() - share) < 0.2
    many = np.array([left, right] * 1500, dtype=object)  # more than are hashed at a time
    assert (minhash(many) == np.tile(signatures[:2], (1500, 1))).all()


def test_nothing_has_no_duplicates():
    contacts, turns = tables(("a", "K1", 0, LONG))
    assert link_duplicates(contacts.iloc[:0], turns.iloc[:0]).empty
    assert link_episodes(contacts.iloc[:0], turns.iloc[:0]).empty


def episodes(*rows, **options):
    linked = link_episodes(*tables(*rows), **options)
    return {name: of if isinstance(of, str) else None for name, of in zip(linked["contact_id"], linked["episode_id"], strict=True)}


def test_one_customer_on_one_matter_is_one_episode():
    found = episodes(
        ("a", "K1", 0, LONG), ("b", "K1", 3, "請求書の金額がまだ二重です。カードの明細を見てください", {"channel": "call"}),
        ("c", "K1", 4, OTHER), ("d", "K2", 1, LONG), ("e", "K1", 30, LONG), ("f", None, 2, LONG),
    )  # fmt: skip
    assert found == {"a": "Ea", "b": "Ea", "c": "Ec", "d": "Ed", "e": "Ee", "f": None}


def test_the_window_goes_from_contact_to_contact():
    rows = [("a", "K1", 0, LONG), ("b", "K1", 6, LONG), ("c", "K1", 12, LONG), ("d", "K1", 20, LONG)]
    assert episodes(*rows) == {"a": "Ea", "b": "Ea", "c": "Ea", "d": "Ed"}
    assert set(episodes(*rows, window_days=8).values()) == {"Ea"}


def test_threads_hold_together_and_answers_to_surveys_stay_out():
    thread = {"thread_id": "T"}
    found = episodes(("a", "K1", 0, LONG, thread), ("b", None, 20, OTHER, thread), ("c", "K1", 1, LONG, {"channel": "survey"}))
    assert found == {"a": "Ea", "b": "Ea", "c": None}
