"""The whole product on the demo company with seeds not looked at while building: `python tests/benchmarks/spine.py 101 102 103`.

Prints one line a seed and the means; `--folder` keeps the runs.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from planted import scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", type=int, nargs="+")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    rows = []
    for seed in options.seeds:
        own = folder / f"demo-{seed}"
        subprocess.run([sys.executable, "-m", "flows.cli", "demo", "--seed", str(seed), "--folder", str(own)], check=True)
        rows.append({"seed": seed, **scores(own)})
        print(pd.DataFrame(rows).to_string(index=False), flush=True)
    print("mean\n" + pd.DataFrame(rows).drop(columns="seed").mean().round(3).to_string())


if __name__ == "__main__":
    main()
