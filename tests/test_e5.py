"""E5 with low-rank changes: added to the weights once, or beside them while they are trained."""

from dataclasses import replace

import numpy as np
import pytest

from voc.embeddings import embed, model_files

pytestmark = pytest.mark.slow
TEXTS = ["画面が固まって保存できません", "親切でした"]


@pytest.fixture(scope="module")
def plain():
    from voc.e5_file import load_e5

    return load_e5(model_files("e5")[0])


def changes(seed: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        "l11.fo.up": draw.normal(size=(384, 4)).astype(np.float16),
        "l11.fo.down": (draw.normal(size=(4, 1536)) / 40).astype(np.float16),
    }


def test_changed_layers_are_new_and_the_others_shared(plain, tmp_path):
    from voc.e5 import adapt_e5, encode_e5

    np.savez(tmp_path / "adapter.npz", **changes(1))
    adapted = adapt_e5(plain, tmp_path / "adapter.npz")
    different = [name for name in plain.layers if adapted.layers[name] is not plain.layers[name]]
    assert different == ["l11.fo.w"]
    assert (encode_e5(TEXTS, model=plain) * encode_e5(TEXTS, model=adapted)).sum(axis=1).max() < 0.99


def test_trained_beside_the_weight_is_the_same_as_added_to_it(plain, tmp_path):
    import torch

    from voc.e5 import adapt_e5, encode_e5

    np.savez(tmp_path / "adapter.npz", **changes(2))
    beside = {name: torch.from_numpy(value.astype(np.float32)) for name, value in changes(2).items()}
    trained = replace(plain, layers={**plain.layers, **beside})
    added = adapt_e5(plain, tmp_path / "adapter.npz")
    np.testing.assert_allclose(encode_e5(TEXTS, model=trained), encode_e5(TEXTS, model=added), atol=1e-5)


def test_vectors_for_opinions_do_not_depend_on_the_texts_beside_them():
    alone = embed(TEXTS[:1], model="opinions")
    among = embed(["至急お願いします", *TEXTS, "ありがとう"], model="opinions")
    np.testing.assert_array_equal(alone[0], among[1])
    assert alone.shape == (1, 384)
    assert np.abs(alone - embed(TEXTS[:1], model="e5")).max() > 0.001


@pytest.mark.parametrize("is_whole", [False, True])
def test_read_side_by_side_each_model_gives_what_it_gives_alone(plain, tmp_path, is_whole):
    from voc.e5 import adapt_e5, encode_e5, encode_side_by_side, in_integers

    np.savez(tmp_path / "adapter.npz", **changes(3))
    models = [plain, adapt_e5(plain, tmp_path / "adapter.npz")]
    models = in_integers(*models) if is_whole else models
    texts = [*TEXTS, *("短い", "長い文です。" * 40), *(f"{n}件ほど取り込めませんでした" for n in range(30))]
    for model, found in zip(models, encode_side_by_side(texts, models=models), strict=True):
        np.testing.assert_array_equal(encode_e5(texts, model=model), found)
        np.testing.assert_array_equal(encode_e5(texts[5:6], model=model)[0], found[5])


def test_what_both_models_share_is_rounded_once(plain, tmp_path):
    from voc.e5 import adapt_e5, in_integers, precision

    if precision() != "int8":
        pytest.skip("this processor does not multiply 8-bit integers")
    np.savez(tmp_path / "adapter.npz", **changes(4))
    first, second = in_integers(plain, adapt_e5(plain, tmp_path / "adapter.npz"))
    assert [name for name in first.integers if first.integers[name] is not second.integers[name]] == ["l11.fo"]


def test_models_of_other_words_cannot_be_read_side_by_side(plain):
    from voc.e5 import encode_side_by_side

    other = replace(plain, layers={**plain.layers, "emb.ln.w": plain.layers["emb.ln.w"].clone()})
    with pytest.raises(ValueError, match="other words"):
        encode_side_by_side(TEXTS, models=[plain, other])


def test_read_in_integers_the_vectors_are_nearly_those_of_floats(plain):
    from voc.e5 import encode_e5, in_integers, precision

    if precision() != "int8":
        pytest.skip("this processor does not multiply 8-bit integers")
    (whole,), texts = in_integers(plain), [*TEXTS, "長い文です。" * 40]
    assert set(whole.integers) >= {"l0.qkv", "l11.fo"} and "l0.q.w" not in whole.layers
    exact, found = encode_e5(texts, model=plain), encode_e5(texts, model=whole)
    assert (exact * found).sum(axis=1).min() > 0.995
    assert np.abs(exact - found).max() > 1e-4  # it was read in integers
    np.testing.assert_array_equal(encode_e5(texts[:1], model=whole)[0], found[0])
