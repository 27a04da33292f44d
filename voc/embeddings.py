"""Texts -> unit vectors: USE-multilingual v3 (`use`), E5-small (`e5`), or any sentence-transformers model.

The default models come out of packages; their files are pinned in models/registry.toml. torch is imported only
where a model needs it, so that the default (`use`) runs in 150 MB.
"""

import hashlib
import importlib.util
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voc.errors import VocError
from voc.memory import give_back
from voc.models_folder import models_folder
from voc.part_results import PartError, vector_faults
from voc.parts import is_address, load_part
from voc.unit_vectors import unit

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Encoder = Callable[[list[str]], np.ndarray]
_DECIMALS = 4
_CHUNK = 8192  # texts whose pieces, or float64 vectors, are held at a time


def embed(texts: Iterable[str], *, model: str | Encoder = "use") -> np.ndarray:
    """Vectors float32 (n, dimension) of unit length, rounded to 4 decimals.

    `model` is `use`, `e5`, `opinions` (E5 adapted to polarity and intents: models/opinions), a name that
    `sentence_transformer` takes, `module:function`, or a function (texts -> vectors: voc/parts.py). Equal texts are embedded once. For `use` and
    `e5` a text has the same vector whatever the texts beside it and their order; they read 512 pieces of a text.
    Raises PartError where a model of one's own gives no unit vectors, VocError where a model's package is absent or its files are not the pinned ones.
    """
    unique, place = _distinct(texts)
    encode = encoder(model) if isinstance(model, str) else model
    if not unique:
        return np.empty((0, encode(["空"]).shape[1]), dtype=np.float32)
    chunks = [unique[i : i + _CHUNK] for i in range(0, len(unique), _CHUNK)]
    return _rounded(np.concatenate([_encoded(encode, texts, model) for texts in chunks]))[place]


def embed_e5_and_opinions(texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """`embed` of `texts` under `e5` and under `opinions`, which has its first layers: those are read once."""
    from voc.e5 import encode_side_by_side

    unique, place = _distinct(texts)
    models = _e5_models()
    plain, adapted = encode_side_by_side(unique, models=[models["e5"], models["opinions"]])
    return _rounded(plain)[place], _rounded(adapted)[place]


def _distinct(texts: Iterable[str]) -> tuple[list[str], np.ndarray]:
    """(the distinct texts, the short ones first; the place of each text among them)."""
    # half a surrogate pair, as broken JSON carries it, cannot be tokenised
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    unique = sorted(set(texts), key=lambda text: (len(text), text))
    place = {text: i for i, text in enumerate(unique)}
    return unique, np.array([place[text] for text in texts], dtype=int)


def _rounded(vectors: np.ndarray) -> np.ndarray:
    return np.round(unit(vectors.astype(np.float64)), _DECIMALS).astype(np.float32)


def _encoded(encode: Encoder, texts: list[str], model: str | Encoder) -> np.ndarray:
    vectors = encode(texts)
    faults = vector_faults(vectors, texts) if model not in registry() else []
    if faults:
        raise PartError(str(model), faults)
    return vectors


def join_vectors(parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Vectors of several models as one space: each centred, of unit length, side by side, unit length again.

    `parts` maps a model's name to its vectors of the same texts. The centres are fixed (models/centres.npz), so that a
    text has one vector whatever the texts beside it; a model without one is not centred. float32 (n, sum of dimensions), rounded to 4 decimals.
    """
    n, *others = {len(vectors) for vectors in parts.values()}
    if others:
        raise ValueError(f"the models have vectors of {sorted([n, *others])} texts; the same texts are wanted from each")
    joined = np.empty((n, sum(vectors.shape[1] for vectors in parts.values())), dtype=np.float32)
    for start in range(0, n, _CHUNK):  # in parts: the float64 of a month of calls would take gigabytes
        rows = slice(start, start + _CHUNK)
        centred = [unit(vectors[rows].astype(np.float64) - centres().get(name, 0.0)) for name, vectors in sorted(parts.items())]
        joined[rows] = np.round(unit(np.hstack(centred)), _DECIMALS)
    return joined


@cache
def centres() -> dict[str, np.ndarray]:
    """The mean vector of each registered model over our training sentences (recipe: models/centres.py)."""
    with np.load(models_folder() / "centres.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def sentence_transformer(name: str) -> "SentenceTransformer":
    """`use` and `e5` as a SentenceTransformer with the vectors of `embed` before rounding; any other name or local
    path is given to sentence-transformers itself, which may ask the model hub for it."""
    from sentence_transformers import SentenceTransformer

    if name not in registry():
        return SentenceTransformer(name, device="cpu")
    from voc.embeddings_modules import RegistryModule

    return SentenceTransformer(modules=[RegistryModule(name)], device="cpu")


@cache
def encoder(name: str) -> Encoder:
    """The function texts -> vectors of a model, loaded and checked once per process. Raises VocError where there is none."""
    if name == "use":
        model_files(name)
        from voc.use import encode_use

        return encode_use
    if name in ("e5", "opinions"):
        from voc.e5 import encode_e5

        model = _e5_models()[name]
        return lambda texts: encode_e5(texts, model=model)
    if is_address(name):
        return load_part(name)
    try:
        transformer = sentence_transformer(name)
    except (OSError, ValueError) as error:
        raise VocError(
            f"埋め込みモデル {name} を読み込めません（{str(error).splitlines()[0][:160]}）。use、e5、モデルを置いたフォルダーのパス、"
            "モジュール:関数 のどれかにしてください。名前だけで使うモデルは、先に Hugging Face のキャッシュへ入れておいてください。"
        ) from error

    def encode(texts: list[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, encode(["空"]).shape[1]), dtype=np.float32)
        return transformer.encode(texts, convert_to_numpy=True, show_progress_bar=False, normalize_embeddings=True)

    return encode


def dimension(name: str) -> int:
    """Length of a model's vectors; of one that is not registered, that of a text."""
    return registry()[name]["dimension"] if name in registry() else embed(["空"], model=name).shape[1]


@cache
def _e5_models() -> dict:
    """E5 as it is, and adapted to the opinions: with one tokenizer and one word table."""
    from voc.e5 import adapt_e5, in_integers
    from voc.e5_file import load_e5

    (path,) = model_files("e5")
    plain = load_e5(path)
    adapted = adapt_e5(plain, models_folder() / "opinions" / "adapter.npz")
    models = dict(zip(("e5", "opinions"), in_integers(plain, adapted), strict=True))
    del plain, adapted
    give_back()  # their floats
    return models


@cache
def registry() -> dict[str, dict]:
    """models/registry.toml: name -> package, version, licence, dimension, sha256 of the files."""
    return tomllib.loads((models_folder() / "registry.toml").read_text(encoding="utf-8"))


def model_files(name: str) -> list[Path]:
    """Paths of the files of a registered model. Raises VocError where one is absent or is not the pinned one."""
    entry = registry()[name]
    advice = f"`pip install --force-reinstall {entry['package']}=={entry['version']}` で入れ直してください。"
    # find_spec finds the folder without running the package
    spec = importlib.util.find_spec(entry["module"])
    if spec is None or spec.origin is None:
        raise VocError(f"モデル {name}（{entry['title']}）のパッケージ {entry['package']} がありません。{advice}")
    paths = [Path(spec.origin).parent / relative for relative in entry["sha256"]]
    for path, expected in zip(paths, entry["sha256"].values(), strict=True):
        if not path.is_file():
            raise VocError(f"モデル {name} のファイル {path} がありません。{advice}")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise VocError(
                f"モデル {name} のファイル {path} が registry.toml と違います"
                f"（sha256 {found}、登録は {expected}）。{advice}"
            )
    return paths
