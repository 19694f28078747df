"""Print every system that was measured beside every other, a Markdown table a data set.

python -m scripts.overview [zhihu movielens ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from demo_core.datasets import DATASETS
from demo_core.experiments.overview import overview_tables
from demo_core.experiments.times import running_times
from demo_core.results import collect, summarise


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Print every system beside every other.")
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help="only these (default: all)")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where the measured runs lie")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.datasets) - set(DATASETS))
    if unknown:
        parser.error(f"expected data sets out of {', '.join(DATASETS)}, got {', '.join(unknown)}")
    measured = collect(arguments.checkpoints)
    for problem in measured.problems:
        print(problem)
    runs = [run for run in measured.runs if run.split == "test"]
    names = arguments.datasets or list(DATASETS)
    tables = overview_tables(summarise(runs), running_times(runs), names)
    if not tables:
        raise SystemExit(
            f"Expected test runs on {', '.join(names)} in {arguments.checkpoints}, found none. Measure some: python -m "
            "scripts.benchmark"
        )
    print(tables)


if __name__ == "__main__":
    main()
