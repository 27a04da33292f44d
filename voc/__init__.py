"""voc: what each customer issue costs, from Japanese voices to yen.

Importing this package loads nothing heavy. Which room may import what: tests/test_architecture.py.
"""

__version__ = "0.1.0"
_DOORS = {"embed", "embed_file", "group", "judge", "judge_file", "mask", "mask_file"}


def open(store, *, run: str | None = None):
    """The tables of the folder or S3 address `store` as pandas frames: a `voc.lake.Lake`, newest or as of run id `run`."""
    from voc.lake import Lake

    return Lake(str(store), run)


def __getattr__(name: str):
    """`voc.mask(texts)` and the other doors, loaded when first asked for."""
    if name in _DOORS:
        from voc import doors

        return getattr(doors, name)
    raise AttributeError(f"module 'voc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS])
