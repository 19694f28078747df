"""``python -m scripts.run_benchmark``: the small benchmark of the page, with the same JSON.

python -m scripts.run_benchmark --models card tdm --slice long --metric ndcg@10 --lost 0.3 --seed 1
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import torch

from demo_core.engine import Engine
from demo_core.engine.answers import InputError
from demo_core.engine.bench import METRICS, SLICES
from scripts.messages import as_message


def main(arguments: list[str] | None = None) -> None:
    """Runs it to the end and prints the last message."""
    parser = argparse.ArgumentParser(description="Measure models on the example people of a data set.")
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"))
    parser.add_argument("--dataset", default="movielens")
    parser.add_argument("--models", nargs="+", help="default: those that the page compares")
    parser.add_argument("--slice", choices=list(SLICES), default="all")
    parser.add_argument("--metric", choices=list(METRICS), default="hr@10")
    parser.add_argument("--lost", type=float, default=0.0, help="share of every history that goes missing, 0 to 0.6")
    parser.add_argument("--seed", type=int, default=0)
    wishes = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with as_message(InputError):
        told = list(
            Engine(wishes.checkpoints, wishes.dataset).run_benchmark(
                wishes.models, wishes.slice, wishes.metric, wishes.lost, wishes.seed
            )
        )
    print(json.dumps(dataclasses.asdict(told[-1]), indent=1))


if __name__ == "__main__":
    main()
