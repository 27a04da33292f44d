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


def test_read_in_integers_the_vectors_are_nearly_those_of_floats(plain):
    from voc.e5 import encode_e5, in_integers, precision

    if precision() != "int8":
        pytest.skip("this processor does not multiply 8-bit integers")
    whole, texts = in_integers(plain), [*TEXTS, "長い文です。" * 40]
    assert set(whole.integers) >= {"l0.qkv", "l11.fo"} and "l0.q.w" not in whole.layers
    exact, found = encode_e5(texts, model=plain), encode_e5(texts, model=whole)
    assert (exact * found).sum(axis=1).min() > 0.995
    assert np.abs(exact - found).max() > 1e-4  # it was read in integers
    np.testing.assert_array_equal(encode_e5(texts[:1], model=whole)[0], found[0])
