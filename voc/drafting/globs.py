"""Paths of like files -> the glob that names them."""

import glob
import re
from collections.abc import Collection, Sequence

from voc.drafting.head import ANY, Head, ending, file_shape, shape

_DATED = re.compile(r"20[0-9]{2}[-_.年]?(?:0?[1-9]|1[0-2])")
"""A month in a file's name: the next one will have another name."""


def source_path(heads: Sequence[Head], everything: Sequence[Head], *, prefix: str) -> str | None:
    """What `path` of a source says to name exactly `heads`; None where no glob does.

    `everything`: all files of the folder that the glob must not take beside. `prefix`: the folder, as the
    configuration names it.
    """
    archives = sorted({head.path for head in heads if head.member})
    if not archives:
        paths, others = {head.path for head in heads}, {head.path for head in everything}
        found = _pattern(sorted(paths), others - paths)
        return None if found is None else _written(found, prefix)
    place = _pattern(archives, {head.path for head in everything} - set(archives))
    if place is None:
        return None
    members = {head.member for head in heads}
    others = {head.member for head in everything if head.path in archives} - members
    inside = _pattern(sorted(members), others, crosses_folders=True)
    if inside is None:
        return None
    if not others:
        return _written(place, prefix)
    return f"zip://{glob.escape(inside).replace(ANY, '*')}::{_written(place, prefix)}"


def _pattern(paths: Sequence[str], others: Collection[str], *, crosses_folders: bool = False) -> str | None:
    """The narrowest readable pattern (with ANY for *) that takes all `paths` and none of `others`."""
    if len(paths) == 1 and not _DATED.search(paths[0].rpartition("/")[2]):
        return paths[0]
    for pattern in _candidates(paths):
        compiled = _compiled(pattern, crosses_folders=crosses_folders)
        if all(compiled.fullmatch(path) for path in paths) and not any(compiled.fullmatch(path) for path in others):
            return pattern
    return paths[0] if len(paths) == 1 else None


def _candidates(paths: Sequence[str]) -> list[str]:
    folders = sorted({path.rpartition("/")[0] for path in paths})
    tails = {ending(path) for path in paths}
    if len(tails) != 1:
        return []
    [tail] = tails
    folder = _common_folder(folders)
    stems = sorted({file_shape(path).rpartition("/")[2].removesuffix(tail) for path in paths})
    n_alike = next((n for n, letters in enumerate(zip(*stems, strict=False)) if len(set(letters)) > 1), min(map(len, stems)))
    start = stems[0][:n_alike].partition(ANY)[0]
    names = [stems[0]] if len(stems) == 1 else ([start + ANY] if len(start) >= 3 else []) + [ANY]
    # folders by year, month or day go on with the next one
    ongoing = "/".join(ANY if shape(part) == ANY else part for part in folder.split("/"))
    places = [(place, name) for name in dict.fromkeys([*names, ANY]) for place in dict.fromkeys((ongoing, folder))]
    return ["/".join(filter(None, (place, name + tail))) for place, name in places]


def _common_folder(folders: Sequence[str]) -> str:
    """One folder pattern: parts that differ become *, folders of different depth the common part and **."""
    if len(folders) == 1:
        return folders[0]
    split = [folder.split("/") if folder else [] for folder in folders]
    if len({len(parts) for parts in split}) == 1:
        return "/".join(_common_part(sorted(set(parts))) for parts in zip(*split, strict=True))
    n_shared = next(n for n in range(min(map(len, split)) + 1) if len({tuple(parts[: n + 1]) for parts in split}) > 1)
    return "/".join([*split[0][:n_shared], ANY + ANY])


def _common_part(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    shapes = {shape(part) for part in parts}
    return shapes.pop() if len(shapes) == 1 else ANY


def _compiled(pattern: str, *, crosses_folders: bool) -> re.Pattern:
    written = re.escape(pattern).replace(re.escape(ANY + ANY + "/"), "(?:[^/]+/)*")
    return re.compile(written.replace(re.escape(ANY), ".*" if crosses_folders else "[^/]*"), re.DOTALL)


def _written(pattern: str, prefix: str) -> str:
    """The pattern as a glob under `prefix`; a path without any * is written as it is: files are looked up by name."""
    if ANY not in pattern:
        return "/".join(filter(None, (prefix.rstrip("/"), pattern)))
    place = glob.escape(prefix.rstrip("/"))
    return "/".join(filter(None, (place, glob.escape(pattern).replace(ANY, "*"))))
