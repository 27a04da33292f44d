"""voc: what each customer issue costs, from Japanese voices to yen.

Importing this package loads nothing heavy; see DESIGN in the README for the rooms.
"""

__version__ = "0.1.0"
_DOORS = {"embed", "embed_file", "group", "judge", "judge_file", "mask", "mask_file"}


def __getattr__(name: str):
    """`voc.mask(texts)` and the other doors, loaded when first asked for."""
    if name in _DOORS:
        from voc import doors

        return getattr(doors, name)
    raise AttributeError(f"module 'voc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS])
