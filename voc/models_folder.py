"""Where the models folder is: in a checkout its folder `models`, installed the package `voc_models`."""

import importlib.util
from pathlib import Path


def models_folder() -> Path:
    """The folder with registry.toml and the trained heads."""
    # a checkout's own models come first: another checkout may be the one that is installed
    own = Path(__file__).parent.parent / "models"
    spec = None if (own / "registry.toml").is_file() else importlib.util.find_spec("voc_models")
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return own
