"""Write the example people of the app: at most 200 held-out histories with the item that really came next.

python -m scripts.choose_examples movielens      # writes checkpoints/movielens/examples.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Generator

from demo_core import datasets
from demo_core.sequences import Rows

MOST = 200
SHORTEST = 3


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
    histories = choose(dataset.test, Generator().manual_seed(arguments.seed))
    beside = out.with_name(out.name + ".new")
    beside.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(json.dumps({"histories": histories}, separators=(",", ":")) + "\n", encoding="utf-8")
    beside.replace(out)
    print(f"{len(histories)} histories in {out}")


def choose(rows: Rows, generator: Generator) -> list[dict[str, object]]:
    """Up to 200 random whole sequences with at least three items before the last one, in random order."""
    lengths = rows.target_at - rows.start
    usable = (rows.is_last & (lengths >= SHORTEST)).nonzero().squeeze(1)
    chosen = usable[torch.randperm(len(usable), generator=generator)[:MOST]].tolist()
    items = rows.items.tolist()
    return [
        {"history": items[int(rows.start[row]) : int(rows.target_at[row])], "next": items[int(rows.target_at[row])]}
        for row in chosen
    ]


if __name__ == "__main__":
    main()
