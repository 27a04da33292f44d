"""The open Japanese VOC benchmark: what voc understands, groups, estimates, masks, and how fast, beside what others do.

    python tests/benchmarks/voc_benchmark.py [FOLDER] [--seeds 2] [--parts understanding issues impact privacy speed product]

FOLDER holds labelled files (`<name>.jsonl.gz`, see understanding.py, privacy.py and ledger.py for their names); what needs a
file that is missing is left out and named. Everything else is measured on simulated companies whose truth is known. Each
part is one of the benchmarks of this folder, run by its own command, which is printed; seeds that were not looked at while
building are drawn from --first-seed on. All tables together take about an hour on two cores with the default seeds.
"""

import argparse
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
TOPICS = ("topic_sib200_ja", "topic_xsid_ja_intents")
PARTS = ("understanding", "issues", "impact", "privacy", "speed", "product")


def commands(part: str, *, folder: Path | None, seeds: range) -> list[list[str]]:
    """The benchmarks of one part; those that need a labelled file only where `folder` has it."""
    first, last = str(seeds[0]), f"{seeds[0]}-{seeds[-1]}"
    topics = [str(path) for name in TOPICS if folder and (path := folder / f"{name}.jsonl.gz").exists()]
    return {
        "understanding": [["understanding.py", str(folder)]] if folder else [],
        "issues": [["trends.py"], *([["ledger.py", "--topics", *topics]] if topics else [])],
        "impact": [["impact.py", "--seeds", last, "--jobs", str(os.cpu_count() or 1)]],
        "privacy": [["privacy.py", *(["--data", str(folder)] if folder else [])]],
        "speed": [["impact_speed.py", "--customers", "10000"], ["throughput.py", "--share", "0.02"]],
        "product": [["end_to_end.py", first]],
    }[part]


def machine() -> str:
    """What the figures depend on besides the code."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}, voc {version('voc')}, torch {version('torch')}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--seeds", type=int, default=2, help="simulated companies a world")
    parser.add_argument("--first-seed", type=int, default=901)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    print(f"# voc benchmark\n\n{machine()}\n", flush=True)
    failed = []
    for part in options.parts:
        print(f"## {part}\n", flush=True)
        found = commands(part, folder=options.folder, seeds=seeds)
        if not found:
            print("left out: it needs a folder of labelled files\n", flush=True)
        for command in found:
            print(f"`python tests/benchmarks/{' '.join(command)}`\n", flush=True)
            done = subprocess.run([sys.executable, str(HERE / command[0]), *command[1:]], check=False)
            if done.returncode:
                failed.append(" ".join(command))
            print(flush=True)
    for command in failed:
        print(f"failed: {command}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
