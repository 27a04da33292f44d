"""A company's own parts: a function that the configuration names as `module:function`, and what each kind has to keep.

A part is a plain function. The contracts below call it on a few samples and tell every fault at once, so that a wrong
part stops a run before it reads a voice; `voc check` and the tests run the same ones.

| kind | call | gives |
|---|---|---|
| embedder | `embed(texts)` | float (n, d), unit length, one row a text in order |
| opinions | `judge(texts)` | frame with `part_results.JUDGED_COLUMNS`, one row a text in order |
| clusterer | `cluster(terms, vectors, *, min_cluster_size, seed)` | (broad, fine): two whole-number arrays (n,), -1 left out |
| LTV | `ltv(price_yen, monthly_churn)` | yen (n,) |
"""

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from voc.config import ADDRESS, Parts, Value
from voc.part_results import (
    CHANCES,
    CLOSE,
    PartError,
    found_text,
    group_faults,
    opinion_faults,
    vector_faults,
    yen_faults,
)

_SAMPLES = (
    "請求書の再発行ができません。", "画面を見やすくしてほしいです", "とても使いやすくて助かっています！", "解約したいです。", "料金が高いと感じます",
    "ログインできないのはなぜですか？", "あ", "①番のﾎﾞﾀﾝ　が　押せない", "App crashes at login.", "😊", "とても長い文です。" * 120, "請求書の再発行ができません。",
)  # fmt: skip


_SHIPPED = ("use", "e5")  # models of voc's own, which its tests hold to the contract


def is_address(name: str) -> bool:
    """Whether `name` is written as `module:function`."""
    return re.fullmatch(ADDRESS, name) is not None


def load_part(address: str) -> Callable[..., Any]:
    """The function that `module:function` names. Its module must be importable (PYTHONPATH, or installed).

    Raises PartError where the module cannot be imported or has no such function.
    """
    module_name, _, name = address.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{module_name}.".startswith(f"{error.name}."):
            told = (f"モジュール {error.name} が見つかりません。{module_name.split('.')[0]}.py のあるフォルダーを環境変数 PYTHONPATH に書くか、"
                    "pip install で入れてください（voc.toml のフォルダーは自動では探しません）")  # fmt: skip
        else:
            told = f"モジュール {module_name} の読み込み中に {_told(error)} になりました。python -c \"import {module_name}\" で直してください"
        raise PartError(address, [told]) from error
    found = getattr(module, name, None)
    if not callable(found):
        own = [one for one, value in vars(module).items() if callable(value) and getattr(value, "__module__", "") == module_name]
        raise PartError(address, [f"モジュール {module_name} に関数 {name} がありません。ある関数: {'、'.join(own) or 'なし'}"])
    return found


def source_files(address: str) -> list[Path]:
    """The files that the part was read from: the module that is named, and the function's own where that is another one."""
    found = load_part(address)
    modules = {address.partition(":")[0], getattr(found, "__module__", "")}
    paths = {getattr(sys.modules.get(name), "__file__", None) for name in modules}
    return sorted(Path(path) for path in paths if path)


def check_embedder(embed: Callable[[list[str]], np.ndarray], *, name: str = "embedder") -> None:
    """Raises PartError unless `embed` gives float (n, d) of unit length, d at least 2: the same vector for the same text at each
    call, whatever stands beside it and in whatever order (to 0.001), different ones for different texts, (0, d) for none."""
    call, texts = _Calls(embed), list(_SAMPLES)
    vectors = call(texts)
    if call.faults:
        raise PartError(name, call.faults)
    faults = vector_faults(vectors, texts)
    if not faults:
        again, backwards, empty = call(texts), call(texts[::-1]), call([])
        alone = [call([text]) for text in texts[:3]]
        if again is not None and not _same(again, vectors):
            faults.append("同じ文の並びを 2 回渡すと違うベクトルになります。乱数や前回の状態を使わないでください")
        if backwards is not None and not _same(backwards, vectors[::-1]):
            faults.append("文の順番を変えると、同じ文のベクトルが変わります。1 文ずつ独立に計算してください")
        if not call.faults and not all(_same(one, vectors[i : i + 1]) for i, one in enumerate(alone)):
            faults.append("一緒に渡す文によって、同じ文のベクトルが変わります。渡された文の平均などを使わず、1 文ずつ独立に計算してください")
        if empty is not None and np.shape(empty) != (0, vectors.shape[1]):
            faults.append(f"空のリストには形 (0, {vectors.shape[1]}) の配列を返してください（現在: {found_text(empty)}）")
        if np.allclose(vectors, vectors[0], atol=CLOSE):
            faults.append("どの文も同じベクトルになります。文の内容を区別してください")
    if faults or call.faults:
        raise PartError(name, faults + call.faults)


def check_opinions(judge: Callable[[list[str]], pd.DataFrame], *, name: str = "opinions") -> None:
    """Raises PartError unless `judge` gives JUDGED_COLUMNS, one row a text in order: probabilities 0..1, those of the polarities
    with sum 1, polarity the likeliest, strength p_positive - p_negative (to 0.01), intent one of the six; the same row for the
    same text whatever stands beside it and in whatever order, no rows for no texts."""
    call, texts = _Calls(judge), [*_SAMPLES, ""]
    found = call(texts)
    if call.faults:
        raise PartError(name, call.faults)
    faults = opinion_faults(found, len(texts))
    if not faults:
        again, backwards, alone, empty = call(texts), call(texts[::-1]), call(texts[:1]), call([])
        if again is not None and not _same_rows(again, found):
            faults.append("同じ文の並びを 2 回渡すと違う判定になります。乱数や前回の状態を使わないでください")
        if backwards is not None and not _same_rows(backwards, found.iloc[::-1]):
            faults.append("文の順番を変えると、同じ文の判定が変わります。入力と同じ順に、1 文ずつ独立に判定してください")
        if alone is not None and not _same_rows(alone, found.iloc[:1]):
            faults.append("一緒に渡す文によって、同じ文の判定が変わります。1 文ずつ独立に判定してください")
        if empty is not None:
            faults += [f"空のリストを渡したとき: {fault}" for fault in opinion_faults(empty, 0)]
    if faults or call.faults:
        raise PartError(name, faults + call.faults)


def check_clusterer(cluster: Callable[..., tuple[np.ndarray, np.ndarray]], *, name: str = "clusterer") -> None:
    """Raises PartError unless `cluster` gives (broad, fine), whole numbers, -1 for rows left out, one a row, the same at each
    call with one seed, for a table of no or one row too; and leaves its vectors as they are."""
    rng, call, faults = np.random.default_rng(7), _Calls(cluster), []
    middles = np.eye(4, 8)[np.repeat(np.arange(4), 15)]
    vectors = middles + rng.normal(scale=0.05, size=middles.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    terms = [[f"語{row // 15}", f"例{row % 5}"] for row in range(len(vectors))]
    for n in (len(vectors), 1, 0):
        given = vectors[:n].copy()
        found = call(terms[:n], given, min_cluster_size=5, seed=42)
        again = call(terms[:n], vectors[:n].copy(), min_cluster_size=5, seed=42)
        if call.faults:
            break
        if not np.array_equal(given, vectors[:n]):
            faults.append("渡したベクトルを書き換えています。写しを使ってください")
        wrong = group_faults(found, n)
        faults += [f"{n} 行を渡したとき: {fault}" for fault in wrong]
        if not wrong and not all(np.array_equal(one, other) for one, other in zip(found, again, strict=True)):
            faults.append("同じ行と seed を 2 回渡すと違う分け方になります。乱数は seed から作ってください")
    if faults or call.faults:
        raise PartError(name, list(dict.fromkeys(faults + call.faults)))


def check_ltv(formula: Callable[[np.ndarray, np.ndarray], np.ndarray], *, name: str = "formula") -> None:
    """Raises PartError unless `formula` gives yen (n,), finite and 0 or more for prices 0 to 1,000,000 yen a month and churn rates
    0.001 to 1 a month; not falling with the price, not rising with churn, more than 0 for somebody, the same for each row alone."""
    prices, churns = np.array([0.0, 500.0, 9_800.0, 1_000_000.0]), np.array([0.001, 0.01, 0.05, 0.3, 1.0])
    price, churn = (grid.ravel() for grid in np.meshgrid(prices, churns, indexing="ij"))
    call = _Calls(formula)
    yen, again = call(price.copy(), churn.copy()), call(price.copy(), churn.copy())
    alone, empty = call(price[-1:].copy(), churn[-1:].copy()), call(np.empty(0), np.empty(0))
    if call.faults:
        raise PartError(name, call.faults)
    faults = yen_faults(yen, len(price))
    if not faults:
        grid = yen.reshape(len(prices), len(churns))
        near = CLOSE * max(float(yen.max()), 1.0) * 1e-6
        if (np.diff(grid, axis=0) < -near).any():
            faults.append("料金が高いほど LTV が下がるところがあります")
        if (np.diff(grid, axis=1) > near).any():
            faults.append("解約率が高いほど LTV が上がるところがあります")
        if yen.max() <= 0:
            faults.append("どの顧客の LTV も 0 円になります")
        if not np.array_equal(again, yen):
            faults.append("同じ料金と解約率を 2 回渡すと違う金額になります。乱数や前回の状態を使わないでください")
        faults += [f"1 人だけ渡したとき: {fault}" for fault in yen_faults(alone, 1)] or (
            [] if np.allclose(alone, yen[-1:]) else ["一緒に渡す顧客によって、同じ顧客の LTV が変わります"])  # fmt: skip
        faults += [f"空の配列を渡したとき: {fault}" for fault in yen_faults(empty, 0)]
    if faults:
        raise PartError(name, faults)


def configured_parts(parts: Parts, value: Value) -> list[tuple[str, str, Callable]]:
    """(setting, what it says, its contract) of each part that the configuration swaps."""
    named = [("[parts] embedder", None if parts.embedder in _SHIPPED else parts.embedder, check_embedder), ("[parts] opinions", parts.opinions, check_opinions),
             ("[parts] clusterer", parts.clusterer, check_clusterer),
             ("[value] formula", value.formula if is_address(value.formula) else None, check_ltv)]  # fmt: skip
    return [(setting, name, contract) for setting, name, contract in named if name is not None]


def check_configured(setting: str, name: str, contract: Callable) -> None:
    """Load one part that the configuration names and run its contract. Raises VocError."""
    from voc.embeddings import encoder

    contract(encoder(name) if contract is check_embedder else load_part(name), name=f'{setting} = "{name}"')


class _Calls:
    """Calls of a stranger's function: whatever it raises is a fault that is told, each once."""

    def __init__(self, function: Callable):
        self.function, self.faults = function, []

    def __call__(self, *given: Any, **options: Any) -> Any:
        n = len(given[0])
        try:
            return self.function(*given, **options)
        except Exception as error:  # noqa: BLE001 - the stranger's code may raise anything
            fault = f"{n} 行を渡すと {_told(error)} になります"
            self.faults += [fault] if fault not in self.faults else []
            return None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}（{str(error)[:200]}）"


def _same(one: Any, other: np.ndarray) -> bool:
    return np.shape(one) == other.shape and np.allclose(one, other, atol=CLOSE)


def _same_rows(one: Any, other: pd.DataFrame) -> bool:
    if opinion_faults(one, len(other)):
        return False
    words = ["polarity", "intent", "is_abstained"]
    equal = all(one[column].tolist() == other[column].tolist() for column in words) and list(one["flags"]) == list(other["flags"])
    return equal and np.allclose(one[CHANCES].to_numpy(dtype="float64"), other[CHANCES].to_numpy(dtype="float64"), atol=CLOSE)
