"""The models of the registry as a module of sentence-transformers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sentence_transformers.base.modules import InputModule

from voc.embeddings import encoder


class RegistryModule(InputModule):
    """Turns texts into the vectors of one model of models/registry.toml.

    A saved one holds the name only; sentence-transformers loads it back with `trust_remote_code=True`, as it asks
    for every module outside its own package.
    """

    config_keys = ["name"]  # noqa: RUF012 -- the attribute of the base class

    def __init__(self, name: str):
        super().__init__()
        self.name = name
        self.encode: Callable[[list[str]], np.ndarray] = encoder(name)

    def preprocess(self, inputs: Sequence[str], prompt: str | None = None, **_options: Any) -> dict[str, list[str]]:
        return {"texts": [(prompt or "") + text for text in inputs]}

    def forward(self, features: dict[str, Any], **_options: Any) -> dict[str, Any]:
        return {**features, "sentence_embedding": torch.from_numpy(self.encode(features["texts"]))}

    def get_embedding_dimension(self) -> int:
        return self.encode(["次元"]).shape[1]

    def save(self, output_path: str, *_options: Any, **_named: Any) -> None:
        self.save_config(output_path)
