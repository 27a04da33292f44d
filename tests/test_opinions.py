import numpy as np
import pandas as pd
import pytest

from voc.errors import VocError
from voc.lexicon import FEATURES
from voc.opinions import INTENTS, Heads, choose_intents, decided_quickly, is_clear, judge, judge_opinions, load_heads
from voc.tables import OPINIONS

SENTENCES = pd.DataFrame({"sentence_id": ["s2", "s1"], "text": ["字を大きくしてほしい", "至急直してください"]})


def plain_heads(**changes) -> Heads:
    """Heads whose vector has two numbers: the first speaks for positive and praise, the second for request."""
    d = 2 + len(FEATURES)
    polarity, intents = np.zeros((3, d)), np.zeros((6, d))
    polarity[0, 0], polarity[2, 0] = -1, 1
    intents[INTENTS.index("praise"), 0] = 1
    intents[INTENTS.index("request"), 1] = 1
    fields = {
        "mean": np.zeros(2),
        "vector_scale": 1.0,
        "use_mean": np.zeros(1),
        "use_scale": 1.0,
        "evidence_scale": np.ones(len(FEATURES)),
        "polarity": polarity,
        "polarity_bias": np.zeros(3),
        "intents": intents,
        "intents_bias": np.full(6, -1.0),
        "rating": np.zeros((3, d + 1)),
        "rating_bias": np.zeros(3),
        "quick_polarity": np.zeros((3, len(FEATURES) + 1)),
        "quick_polarity_bias": np.zeros(3),
        "quick_intents": np.zeros((6, len(FEATURES) + 1)),
        "quick_intents_bias": np.full(6, -1.0),
        "clear_above": 0.9,
        "abstain_below": 0.3,
    }
    return Heads(**{**fields, **changes})


def test_probabilities_are_those_of_the_weights():
    opinions = judge_opinions(SENTENCES, np.array([[1.0, 3.0], [-2.0, 0.0]]), heads=plain_heads())
    assert list(opinions.columns) == list(OPINIONS.columns)
    assert opinions["sentence_id"].tolist() == ["s1", "s2"]
    s2 = opinions.iloc[1]
    total = np.exp(-1) + 1 + np.exp(1)
    assert s2["p_positive"] == pytest.approx(np.exp(1) / total, abs=1e-4)
    assert s2["strength"] == pytest.approx((np.exp(1) - np.exp(-1)) / total, abs=1e-4)
    assert s2["p_request"] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-4)
    assert (s2["polarity"], s2["intent"], s2["cue"]) == ("positive", "request", "てほしい")
    assert opinions["polarity"].tolist() == ["negative", "positive"]
    assert opinions["flags"].tolist() == [["urgency"], []]
    assert opinions["is_abstained"].tolist() == [True, False]


def quick_praise(**changes) -> Heads:
    """The quick heads say: praise, positive, where a good word stands; the one number of USE says the contrary."""
    at = FEATURES.index("pos")
    polarity, intents = np.zeros((3, len(FEATURES) + 1)), np.zeros((6, len(FEATURES) + 1))
    polarity[2, at], intents[INTENTS.index("praise"), at] = 9.0, 9.0
    polarity[2, -1], intents[INTENTS.index("praise"), -1] = -99.0, -99.0
    bias = np.full(6, -4.0)
    return plain_heads(quick_polarity=polarity, quick_intents=intents, quick_intents_bias=bias, **changes)


def test_quick_heads_judge_what_has_no_vector():
    texts = pd.DataFrame({"sentence_id": ["a", "b", "c"], "text": ["とても親切でした"] * 3})
    vectors = np.array([[np.nan, np.nan], [-9.0, -9.0], [np.nan, np.nan]])
    use = np.array([[0.0], [0.0], [1.0]])
    words, vector, meant = judge_opinions(texts, vectors, heads=quick_praise(), use=use).to_dict("records")
    assert (words["polarity"], words["intent"], words["cue"]) == ("positive", "praise", "親切")
    assert words["p_praise"] == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-4)
    assert (vector["polarity"], vector["intent"]) == ("negative", "complaint")
    assert meant["polarity"] != "positive"


@pytest.mark.parametrize(("above", "decided"), [(0.9, [True, False]), (0.999, [False, False])])
def test_only_the_clear_is_left_to_the_quick_heads(above, decided):
    heads = quick_praise(clear_above=above)
    assert decided_quickly(["とても親切でした", "水曜日に伺います"], heads=heads, use=np.zeros((2, 1))).tolist() == decided


def test_one_unsure_intent_keeps_a_sentence_open():
    polarity = np.array([[0.98, 0.01, 0.01]] * 2)
    intents = np.array([[0.99, 0.01, 0.01, 0.01, 0.01, 0.02], [0.99, 0.4, 0.01, 0.01, 0.01, 0.02]])
    assert is_clear(polarity, intents, 0.9).tolist() == [True, False]
    assert is_clear(polarity, intents, 0.92).tolist() == [False, False]  # 0.98 x 0.99^5 x 0.98


def test_good_beside_bad_is_not_clear():
    polarity = np.array([[0.98, 0.01, 0.01], [0.01, 0.01, 0.98]])
    bad, both = [0.99, 0.01, 0.01, 0.01, 0.01, 0.01], [0.99, 0.01, 0.01, 0.99, 0.01, 0.01]
    assert is_clear(polarity, np.array([bad, bad]), 0.9).tolist() == [True, False]
    assert is_clear(polarity, np.array([both, both]), 0.9).tolist() == [False, False]


@pytest.mark.parametrize(
    ("likely", "intent"),
    [
        ({"complaint": 0.9, "request": 0.6}, "request"),
        ({"complaint": 0.9, "cancel": 0.5}, "cancel"),
        ({"request": 0.5, "cancel": 0.9}, "request"),
        ({"complaint": 0.8, "question": 0.6}, "complaint"),
        ({"complaint": 0.6, "question": 0.8}, "question"),
        ({"complaint": 0.8, "question": 0.6, "cancel": 0.5}, "cancel"),
        ({"complaint": 0.45, "praise": 0.46}, "praise"),
        ({"other": 0.6, "praise": 0.55}, "praise"),
    ],
)
def test_one_intent_is_named(likely, intent):
    row = np.array([[likely.get(name, 0.1) for name in INTENTS]])
    assert INTENTS[choose_intents(row)[0]] == intent


def test_vectors_of_other_rows_are_refused():
    with pytest.raises(VocError, match="一致しません"):
        judge_opinions(SENTENCES, np.zeros((3, 2)), heads=plain_heads())


def test_no_sentences():
    assert judge_opinions(SENTENCES.iloc[:0], np.zeros((0, 2)), heads=plain_heads()).empty


def test_shipped_heads_fit_this_version():
    heads = load_heads()
    assert heads.polarity.shape == (3, len(heads.mean) + len(FEATURES))
    assert heads.intents.shape == (6, len(heads.mean) + len(FEATURES))
    assert heads.rating.shape == (3, len(heads.mean) + len(FEATURES) + len(heads.use_mean))
    assert heads.quick_intents.shape == (6, len(FEATURES) + len(heads.use_mean))
    assert 0 < heads.abstain_below <= 0.5


def test_heads_of_another_version_are_refused(tmp_path):
    np.savez(tmp_path / "heads.npz", features=np.array(["wish"]), mean=np.zeros(3))
    with pytest.raises(VocError, match="別の版"):
        load_heads(tmp_path / "heads.npz")
    with pytest.raises(VocError, match=r"train\.py"):
        load_heads(tmp_path / "absent.npz")


def test_heads_of_another_adapter_are_refused(tmp_path):
    np.savez(tmp_path / "heads.npz", features=np.array(FEATURES), adapter=np.array("00"), mean=np.zeros(3))
    (tmp_path / "adapter.npz").write_bytes(b"another")
    with pytest.raises(VocError, match=r"adapter\.npz"):
        load_heads(tmp_path / "heads.npz")


@pytest.mark.slow
def test_judges_plain_texts():
    texts = {
        "領収書をアプリから出せるようにしてほしいです。": ("neutral", "request"),
        "何度やっても決済画面で止まってしまい、買えませんでした。": ("negative", "complaint"),
        "担当の方の説明がとても分かりやすくて助かりました。": ("positive", "praise"),
        "返品の期限はいつまでですか？": ("neutral", "question"),
        "来月で解約します。もう他社に申し込みました。": ("negative", "cancel"),
    }
    opinions = judge(list(texts))
    assert opinions["text"].tolist() == list(texts)
    assert opinions["intent"].tolist() == [intent for _, intent in texts.values()]
    assert opinions["polarity"].tolist()[1:4] == ["negative", "positive", "neutral"]
    probabilities = opinions[["p_negative", "p_neutral", "p_positive"]].sum(axis=1)
    np.testing.assert_allclose(probabilities, 1, atol=2e-4)


@pytest.mark.slow
def test_same_opinion_in_any_company():
    text = "検索結果が見づらい"
    alone = judge([text]).drop(columns="sentence_id")
    among = judge(["ありがとう", text, "至急お願いします"]).drop(columns="sentence_id").iloc[[1]].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among)


@pytest.mark.slow
def test_a_whole_text_is_read_as_its_writer_rates():
    texts = ["料理は良かったが、部屋は狭かった。可もなく不可もなく。", "まだ使い始めたばかりで何とも言えません", "最高でした"]
    whole, single = judge(texts, as_whole=True), judge(texts)
    assert whole["polarity"].tolist() == ["neutral", "neutral", "positive"]
    # only the polarity differs from a sentence's; a sentence may have been left to the quick heads
    assert whole["intent"].tolist()[2] == single["intent"].tolist()[2] == "praise"
    np.testing.assert_allclose(whole[["p_negative", "p_neutral", "p_positive"]].sum(axis=1), 1, atol=2e-4)
