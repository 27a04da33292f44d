"""Which room may import what, kept by reading the code: nouns, logic, engines, edge, flows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY_HOME = {
    "spacy": {"voc/japanese.py"}, "ginza": {"voc/japanese.py"}, "sudachipy": {"voc/japanese.py"},
    "thinc": {"voc/japanese.py"},
    "bertopic": {"voc/topics.py"}, "umap": {"voc/topics.py"}, "hdbscan": {"voc/topics.py"},
    "sentence_transformers": {"voc/embeddings.py", "voc/embeddings_modules.py"},
    "torch": {"voc/e5.py", "voc/e5_file.py", "voc/embeddings_modules.py"},
    "transformers": {"voc/e5.py", "voc/embeddings_modules.py"},
    "deltalake": {"voc/store.py", "voc/store_health.py"},
    "imap_tools": {"voc/sources/mailbox.py"}, "sqlalchemy": {"voc/sources/database.py"},
    "pptx": {"voc/reports/powerpoint.py", "voc/reports/slide_charts.py", "voc/reports/slide_layouts.py", "voc/reports/slide_shapes.py"},
    "weasyprint": {"voc/reports/pdf.py"},
    "s3fs": {"voc/sources/object_store.py"}, "botocore": {"voc/sources/object_store.py"},
}  # fmt: skip
NOUNS = {"voc/tables.py", "voc/config.py", "voc/config_values.py", "voc/source_config.py", "voc/operations_config.py", "voc/errors.py"}
NOUN_IMPORTS = {"numpy", "pandas", "pydantic", "voc"}
EDGE = ("voc/sources/", "voc/store.py", "voc/lake.py", "voc/store_health.py", "voc/delivery.py", "voc/doors.py", "voc/text_files.py", "voc/reports/html.py", "voc/reports/charts.py", "voc/reports/powerpoint.py",
        "voc/reports/pdf.py", "voc/demo/", "flows/")
FORBIDDEN_IN_LOGIC = {"time", "random", "socket", "requests", "urllib", "httpx", "subprocess", "secrets"}


def modules() -> list[str]:
    return sorted(str(p.relative_to(ROOT)) for room in ("voc", "flows") for p in (ROOT / room).rglob("*.py"))


def imports(path: str) -> list[tuple[int, str]]:
    tree, found = ast.parse((ROOT / path).read_text(encoding="utf-8")), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, node.module)]
            if node.module in {"voc", "flows"}:
                found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


@pytest.mark.parametrize("path", modules())
def test_imports_stay_in_their_room(path):
    for line, name in imports(path):
        top, where = name.split(".")[0], f"{path}:{line} imports {name}"
        if path in NOUNS and top not in sys.stdlib_module_names:
            assert top in NOUN_IMPORTS, f"{where}; nouns may import {sorted(NOUN_IMPORTS)}"
        if top == "prefect":
            assert path.startswith("flows/"), f"{where}; Prefect stays in flows/"
        if top == "flows":
            assert path.startswith("flows/"), f"{where}; voc/ does not know its flows"
        assert path in HEAVY_HOME.get(top, {path}), f"{where}; {top} is imported in {sorted(HEAVY_HOME[top])} only"
        if name.startswith("voc.demo"):
            assert path.startswith("voc/demo/") or path == "flows/cli.py", f"{where}; only the demo may read the demo"
        if name.startswith("voc.reports"):
            assert path.startswith(("voc/reports/", "flows/")), f"{where}; reports render, nothing builds on them"
        if not path.startswith(EDGE):
            assert top not in FORBIDDEN_IN_LOGIC, f"{where}; logic has no clock, network or unseeded chance"


@pytest.mark.parametrize("path", [p for p in modules() if not p.startswith(("voc/demo/", "flows/cli.py"))])
def test_nothing_reads_the_demos_files(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    assert not re.search(r"phrases\.tsv|talk\.toml|catalogue\.tsv|truth/|/demo/", source), path


def test_no_file_is_read_or_written_in_logic():
    opens = re.compile(r"(?<!def )(?<!voc\.)\bopen\(|\.read_text\(|\.read_bytes\(|\.write_text\(|\.write_bytes\(")
    allowed = (*EDGE, "voc/config.py", "voc/models_folder.py", "voc/lexicon.py", "voc/opinions.py", "voc/embeddings.py",
               "voc/e5_file.py", "voc/use.py")  # these read the packaged models and words, never a user's data
    for path in modules():
        if not path.startswith(allowed):
            assert not opens.search((ROOT / path).read_text(encoding="utf-8")), path


def test_importing_voc_loads_nothing_heavy():
    heavy = ["torch", "spacy", "bertopic", "prefect", "pandas"]
    code = f"import sys, voc; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def at_start(path: Path) -> set[str]:
    """The modules that are imported with the module at `path`, by its own lines."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in body if isinstance(node, ast.ImportFrom) and node.module]
    return names | {node.module for node in froms} | {f"{node.module}.{alias.name}" for node in froms for alias in node.names}


def test_no_module_of_tests_loads_prefect():
    """It is imported also where its slow tests are left out, and Prefect takes seconds: import it in the slow test."""
    found = {f"flows.{path.stem}": at_start(path) for path in (ROOT / "flows").glob("*.py")}
    heavy = {"prefect"}
    while more := {name for name, names in found.items() if {n.split(".")[0] for n in names} & {"prefect"} or names & heavy} - heavy:
        heavy |= more
    assert "flows.run" in heavy and "flows.ingest" in heavy  # through flows.tasks
    loading = [path.name for path in sorted((ROOT / "tests").rglob("*.py")) if at_start(path) & heavy]
    assert loading == []


def test_the_command_line_starts_without_prefect():
    code = "import sys, flows.cli; flows.cli._parser(); print([m for m in ('prefect', 'torch', 'pandas') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
