"""The notebooks as a newcomer opens them: from a bare kernel, beside the demo's folder, to their last assertion."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))
NAMES = [path.stem for path in SCRIPTS]


def cells(path: Path):
    return pytest.importorskip("jupytext").read(path).cells


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_the_notebook_is_its_script(script):
    one, other = ([(c.cell_type, c.source) for c in cells(path)] for path in (script, script.with_suffix(".ipynb")))
    assert one == other, f"jupytext --sync notebooks/{script.name}"


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_it_defines_nothing_and_ends_with_its_finding(script):
    tree = ast.parse(script.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda)
    allowed = {"04_add_your_own_part"}  # a part of one's own is a function
    assert script.stem in allowed or not [node for node in ast.walk(tree) if isinstance(node, kinds)]
    assert isinstance(tree.body[-1], ast.Assert)


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_it_speaks_japanese_and_shows_a_picture(script):
    prose = [c.source for c in cells(script) if c.cell_type == "markdown"]
    assert len(prose) >= 4
    assert all(any("ぁ" <= letter <= "ん" for letter in text) for text in prose)
    book = pytest.importorskip("nbformat").read(script.with_suffix(".ipynb"), 4)
    assert any("image/png" in output.get("data", {}) for c in book.cells if c.cell_type == "code" for output in c.outputs)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_it_runs_from_a_bare_kernel(script, demo_copy, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    book = pytest.importorskip("nbformat").read(script.with_suffix(".ipynb"), 4)
    folder = demo_copy.parent / "notebooks"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
