"""What one more month costs on top of many: `python tests/benchmarks/second_month.py --months 24 --customers 4000`.

The demo company's last month is run alone in an empty store, and on top of all months before it. Prints the seconds of
both per stage, from table RUNS, and their ratio over the stages read to calls (the bar: 1.3) and with the issues.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from email import message_from_bytes, policy
from pathlib import Path

import pandas as pd

from voc.demo.company import write_company
from voc.store import read_table
from voc.tables import RUNS

_STAGES = ("read", "parse", "clean", "mask", "link", "sentences", "embeddings", "opinions", "requests", "calls")
_VOICES = ("calls", "mails", "chats", "survey")


def month_of(path: Path) -> str:
    """YYYY-MM of a file of the demo: in its name, or a mail's date."""
    if path.suffix == ".eml":
        return message_from_bytes(path.read_bytes(), policy=policy.default)["Date"].datetime.strftime("%Y-%m")
    digits = "".join(character for character in path.stem if character.isdigit())
    return f"{digits[:4]}-{digits[4:6]}"


def run(config: Path) -> dict[str, float]:
    """Seconds per stage of `voc run`."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-m", "flows.cli", "run", str(config)], env=environ, check=True, stdout=subprocess.DEVNULL)
    row = read_table(RUNS, store=str(config.parent / "store")).sort_values("started_at").iloc[-1]
    return json.loads(row["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=24, help="months before the last one")
    parser.add_argument("--customers", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="voc-months-"))
    write_company(folder / "all", seed=options.seed, n_customers=options.customers, n_months=options.months + 1)
    files = {path: month_of(path) for name in _VOICES for path in sorted((folder / "all/raw" / name).rglob("*")) if path.is_file()}
    last = max(month for path, month in files.items() if path.suffix != ".csv")
    for name in ("alone", "grown"):
        shutil.copytree(folder / "all", folder / name, ignore=shutil.ignore_patterns(*_VOICES))
    for path, month in files.items():
        for name, wanted in (("alone", month >= last), ("grown", month < last)):
            target = folder / name / path.relative_to(folder / "all")
            target.parent.mkdir(parents=True, exist_ok=True)
            if wanted:
                shutil.copy2(path, target)
    print("the months before ...", flush=True)
    before = run(folder / "grown/voc.toml")
    for path in (path for path, month in files.items() if month >= last):
        shutil.copy2(path, folder / "grown" / path.relative_to(folder / "all"))
    table = pd.DataFrame({"before": before, "alone": run(folder / "alone/voc.toml"), "on top": run(folder / "grown/voc.toml")}).fillna(0.0)
    print(table.to_string())
    for name, stages in (("read to calls", _STAGES), ("with the issues", (*_STAGES, "issues"))):
        total = table.loc[table.index.isin(stages)].sum()
        print(f"{name}: {total['on top']:.1f} s on top, {total['alone']:.1f} s alone, ratio {total['on top'] / total['alone']:.2f}")


if __name__ == "__main__":
    main()
