"""Where the models folder is: installed it is the package `voc_models`, in a checkout the folder `models`."""

import importlib.util
from pathlib import Path


def models_folder() -> Path:
    """The folder with registry.toml and the trained heads."""
    spec = importlib.util.find_spec("voc_models")
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(__file__).parent.parent / "models"
