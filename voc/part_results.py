"""What a company's own part gave, looked at before it is used: faults in Japanese (contracts: voc/parts.py)."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from voc.errors import VocError
from voc.tables import OPINIONS, check

JUDGED_COLUMNS = tuple(c for c in OPINIONS.columns if c not in ("sentence_id", "made_from", "cue"))
"""What an opinion part gives; `cue` may be there, other columns are not read."""
CHANCES = [c for c in OPINIONS.columns if c.startswith("p_")]
_POLARITIES, _INTENTS = ([c.removeprefix("p_") for c in part] for part in (CHANCES[:3], CHANCES[3:]))
CLOSE = 1e-3  # numbers that are nearer are one: float32 sums differ with the batch
_UNIT = 0.01


class PartError(VocError):
    """A part breaks its contract. `faults`: all that was found."""

    def __init__(self, name: str, faults: list[str]):
        self.name, self.faults = name, faults
        lines = "\n".join(f"  - {fault}" for fault in faults)
        super().__init__(f"部品 {name} は約束どおりに動きません（{len(faults)} 件）。直してから voc check で確かめてください。\n{lines}")

    def __reduce__(self) -> tuple:  # it may be raised in a worker process
        return PartError, (self.name, self.faults)


def vector_faults(vectors: Any, texts: Sequence[str]) -> list[str]:
    """What is wrong with the vectors that an embedder gave for `texts`, in Japanese; nothing where they are right."""
    n = len(texts)
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or len(vectors) != n or vectors.shape[1] < 2:
        return [f"{n} 文には形 ({n}, 次元) の NumPy 配列（次元は 2 以上）を返してください（現在: {found_text(vectors)}）"]
    if vectors.dtype.kind != "f":
        return [f"float32 か float64 の配列を返してください（現在: {vectors.dtype}）"]
    if not np.isfinite(vectors).all():
        return [f"数でない値（NaN、inf）が {int((~np.isfinite(vectors)).sum())} 個あります"]
    lengths = np.linalg.norm(vectors, axis=1)
    wrong = np.flatnonzero(np.abs(lengths - 1) > _UNIT)
    if len(wrong):
        return [f"ベクトルの長さを 1 にしてください（現在: 「{texts[wrong[0]][:20]}」が {lengths[wrong[0]]:.3f}、ほかに {len(wrong) - 1} 文）"]
    return []


def opinion_faults(frame: Any, n: int) -> list[str]:
    """What is wrong with the opinions that a part gave for `n` texts, in Japanese; nothing where they are right."""
    if not isinstance(frame, pd.DataFrame) or len(frame) != n:
        return [f"{n} 文には {n} 行の pandas.DataFrame を返してください（現在: {found_text(frame)}）"]
    missing = [column for column in JUDGED_COLUMNS if column not in frame]
    if missing:
        return [f"列がありません: {'、'.join(missing)}"]
    try:
        chances = frame[CHANCES].to_numpy(dtype="float64")
        strength = frame["strength"].to_numpy(dtype="float64")
    except (ValueError, TypeError):
        return ["p_ で始まる列と strength は数にしてください"]
    if n == 0:
        return []
    faults = []
    if not ((chances >= 0) & (chances <= 1)).all():
        outside = [c for c, column in zip(CHANCES, chances.T, strict=True) if not ((column >= 0) & (column <= 1)).all()]
        faults.append(f"確率が 0〜1 の外にあるか、空です: {'、'.join(outside)}")
    elif (np.abs(chances[:, :3].sum(axis=1) - 1) > _UNIT).any():
        faults.append("p_negative、p_neutral、p_positive の和を 1 にしてください")
    if not faults:
        faults += _named_faults(frame, chances, strength)
    for column, words in (("polarity", _POLARITIES), ("intent", _INTENTS)):
        unknown = sorted(set(map(str, frame[column])) - set(words))
        if unknown:
            faults.append(f"{column} に使えない語があります: {'、'.join(unknown[:3])}。使える語: {'、'.join(words)}")
    if not frame["flags"].map(lambda flags: isinstance(flags, list) and all(isinstance(flag, str) for flag in flags)).all():
        faults.append("flags は文字列のリスト（なければ空のリスト）にしてください")
    if not frame["is_abstained"].map(lambda value: isinstance(value, bool | np.bool_)).all():
        faults.append("is_abstained は True か False にしてください")
    return faults


def _named_faults(frame: pd.DataFrame, chances: np.ndarray, strength: np.ndarray) -> list[str]:
    faults = []
    named = np.array([_POLARITIES.index(word) if word in _POLARITIES else 0 for word in frame["polarity"]])
    if (chances[np.arange(len(frame)), named] < chances[:, :3].max(axis=1) - CLOSE).any():
        faults.append("polarity は p_negative、p_neutral、p_positive のうち最も高いものにしてください")
    if not (np.abs(strength - (chances[:, 2] - chances[:, 0])) <= _UNIT).all():
        faults.append("strength は p_positive − p_negative（-1〜1）にしてください")
    return faults


def group_faults(found: Any, n: int) -> list[str]:
    """What is wrong with the two arrays that a clusterer gave for `n` rows, in Japanese; nothing where they are right."""
    if not isinstance(found, tuple) or len(found) != 2:
        return [f"(広いまとまり, 細かいまとまり) の 2 つの配列を返してください（現在: {found_text(found)}）"]
    faults = []
    for title, groups in zip(("広いまとまり", "細かいまとまり"), found, strict=True):
        if not isinstance(groups, np.ndarray) or groups.shape != (n,) or groups.dtype.kind != "i":
            faults.append(f"{title}は形 ({n},) の整数の配列にしてください（現在: {found_text(groups)}）")
        elif n and groups.min() < -1:
            faults.append(f"{title}の番号は 0 以上、どこにも入らない行は -1 にしてください（現在: 最小 {groups.min()}）")
    return faults


def yen_faults(yen: Any, n: int) -> list[str]:
    """What is wrong with the LTV that a formula gave for `n` customers, in Japanese; nothing where they are right."""
    if not isinstance(yen, np.ndarray) or yen.shape != (n,) or yen.dtype.kind not in "fi":
        return [f"{n} 人には形 ({n},) の数の配列（円）を返してください（現在: {found_text(yen)}）"]
    if not np.isfinite(yen).all():
        return ["数でない値（NaN、inf）があります。0 で割っていないか確かめてください"]
    return ["0 円より小さい LTV があります"] if (yen < 0).any() else []


def judged_rows(judge: Callable[[list[str]], pd.DataFrame], texts: pd.DataFrame) -> pd.DataFrame:
    """OPINIONS of `texts` (sentence_id, text), in their order, by a company's own `judge`. Raises PartError as its contract."""
    found = judge(texts["text"].tolist())
    faults = opinion_faults(found, len(texts))
    if faults:
        raise PartError("opinions", faults)
    columns = [column for column in (*JUDGED_COLUMNS, "cue") if column in found]
    frame = found[columns].reset_index(drop=True).assign(sentence_id=texts["sentence_id"].to_numpy(dtype=object))
    numbers = [*CHANCES, "strength"]
    frame[numbers] = frame[numbers].astype("float64").round(4)
    return check(frame, OPINIONS).set_index("sentence_id").loc[texts["sentence_id"]].reset_index()


def found_text(value: Any) -> str:
    """What `value` is, in a few words."""
    shape = f"、形 {value.shape}" if hasattr(value, "shape") else f"、長さ {len(value)}" if isinstance(value, Sequence) else ""
    return type(value).__name__ + shape + (f"、{value.dtype}" if isinstance(value, np.ndarray) else "")
