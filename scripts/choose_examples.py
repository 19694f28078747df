"""Write the example people of the app: at most 200 held-out histories with the item that really came next.

python -m scripts.choose_examples movielens      # writes checkpoints/movielens/examples.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from torch import Generator

from demo_core import datasets
from demo_core.example_people import choose_examples, write_examples
from demo_core.prepared import DataError
from scripts.messages import as_message


@as_message(DataError, OSError)
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write the app's example people from a test split.")
    parser.add_argument("dataset", choices=list(datasets.DATASETS))
    parser.add_argument("--out", type=Path, help="file (default: checkpoints/DATASET/examples.json)")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    dataset = datasets.load(arguments.dataset, arguments.data)
    out = arguments.out or Path("checkpoints") / dataset.name / "examples.json"
    examples = choose_examples(dataset.test, Generator().manual_seed(arguments.seed))
    write_examples(examples, out)
    print(f"{len(examples)} histories in {out}")


if __name__ == "__main__":
    main()
