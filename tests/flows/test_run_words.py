"""Every stage and count that a run writes has a Japanese word, read from the code of flows/."""

import ast
import re
from pathlib import Path

from tests.reports.conftest import RUN_JSON
from voc import calls, opinions, removal
from voc.run_words import COUNTS, NEW_VECTORS, NOT_TOLD, PARTS, STAGES, TABLES
from voc.tables import TABLES as STORED

ROOT = Path(__file__).parents[2]
NAMES = {"ROWS": "rows_by_source", "NEW_VECTORS": NEW_VECTORS}  # constants that stand for a key


def is_counts(node: ast.AST) -> bool:
    return ast.unparse(node) == "record.counts"


def key_of(node: ast.AST) -> str:
    """The key that a node names; of an f-string its start. What is none of these fails: it could not be checked."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[0]
    if isinstance(node, ast.FormattedValue):
        node = node.value
    return node.value if isinstance(node, ast.Constant) else NAMES[ast.unparse(node)]


def keys_written(tree: ast.AST) -> set[str]:
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and is_counts(node.value):
            found.append(node.slice)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if ast.unparse(node.func) == "record.add" or (is_counts(node.func.value) and node.func.attr == "setdefault"):
                found.append(node.args[0])
            elif is_counts(node.func.value) and node.func.attr == "update":
                found += node.args[0].keys
    return {key_of(node) for node in found}


def trees(room: str) -> list[ast.AST]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / room).rglob("*.py"))]


def test_every_count_of_a_run_has_a_word_or_is_named_as_not_told():
    written = set().union(*map(keys_written, trees("flows")))
    assert {"read", "parse", "new", "mask", "rows_by_source", NEW_VECTORS, "alerts", "orders_left_out"} <= written  # all ways of writing
    assert written == {*COUNTS, *NOT_TOLD, NEW_VECTORS}


def test_the_reader_of_keys_finds_one_without_a_word():
    assert keys_written(ast.parse("record.add('voices_lost', 1)\nrecord.counts['x'] = 2")) == {"voices_lost", "x"}


def test_every_stage_has_a_word_of_its_own():
    calls_of = [node for tree in trees("flows") for node in ast.walk(tree) if isinstance(node, ast.Call)]
    stages = {key_of(node.args[0]) for node in calls_of if ast.unparse(node.func) in ("record.stage", "record.progress") and isinstance(node.args[0], ast.Constant)}
    refused = set(re.findall(r'stage="(\w+)"', "".join(path.read_text(encoding="utf-8") for path in (ROOT / "voc").rglob("*.py"))))
    assert {"parse", "link", "impact"} <= stages and {"read", "renumbered", "clean"} <= refused
    assert stages | refused == set(STAGES) and len(set(STAGES.values())) == len(STAGES)


def test_the_parts_of_counts_have_words():
    set_aside = (ROOT / "voc/set_aside.py").read_text(encoding="utf-8")
    assert set(PARTS["set_aside"]) == set(re.findall(r'return "(\w+)"', set_aside)) | {"greeting", "hold"}
    assert set(PARTS["opinions"]) == set(opinions.INTENTS)
    assert set(PARTS["calls"]) == {outcome for outcome, _ in calls._PHRASES} | {"unknown"}
    assert set(TABLES) == set(STORED) and removal.PSEUDONYM_MAP not in TABLES


def test_words_are_japanese_and_differ():
    assert len({*COUNTS.values()}) == len(COUNTS)
    for words in (COUNTS, STAGES, TABLES, *PARTS.values()):
        assert not [word for word in words.values() if word.isascii()]


def test_the_run_of_the_report_tests_counts_what_a_real_one_does():
    counted = {NEW_VECTORS if name.startswith(NEW_VECTORS) else name for name in RUN_JSON["counts"]}
    assert counted == {*COUNTS, *NOT_TOLD, NEW_VECTORS}
    assert set(RUN_JSON["seconds"]) <= set(STAGES)
