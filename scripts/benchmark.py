"""Train and measure a grid of models, presets, data sets and seeds; what is measured already is left out.

python -m scripts.benchmark --models sasrec tdm card globaldiff --datasets zhihu --seeds 0-4
python -m scripts.benchmark --models card --variants no_routing threshold_quantile=0.25 --datasets zhihu --seeds 0-4
python -m scripts.benchmark --models sasrec --variants dropout=0.3,layers=1 --validation-only --file tuning.jsonl ...
python -m scripts.benchmark --models sasrec --datasets ml-1m --protocol long-term --extras foresight
python -m scripts.benchmark --models card tdm --presets released --extras released steps --datasets zhihu

It may be stopped at any moment and started again, and started twice to use two cores.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from demo_core import datasets
from demo_core.foresight import foresight
from demo_core.grid import Grid
from demo_core.job import Job
from demo_core.json_lines import DamagedLineError, NotRecordedError
from demo_core.models import MODELS
from demo_core.per_honesty import honesty
from demo_core.prepared import DataError
from demo_core.runs import Split
from demo_core.trials import EXTRAS as TRIALS
from demo_core.trials import Extra
from scripts.messages import as_message, count

EXTRAS = {**TRIALS, "honesty": honesty, "foresight": foresight}


def main(words: Sequence[str] | None = None) -> bool:
    """The command line, or ``words`` in place of it; whether all its data sets can be read and none of its jobs failed.

    Ends with a message for settings that no model has, and for a file that cannot be written or read.
    """
    arguments = parsed(words)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    extras = tuple(extra for name in arguments.extras for extra in EXTRAS[name]())
    work = arguments.work or (arguments.data or datasets.data_folder()) / "benchmark"
    splits: tuple[Split, ...] = ("validation",) if arguments.validation_only else ("validation", "test")
    grid = Grid(arguments.file, work, arguments.data, splits)
    with as_message(ValueError):
        wanted = jobs(arguments)
    unread = unreadable(arguments.datasets, arguments.data, arguments.protocol)
    for problem in unread.values():
        print(f"    {problem}")
    wanted = [job for job in wanted if job.dataset not in unread]
    if arguments.missing:
        with as_message(DamagedLineError):
            say_missing(grid, wanted, extras)
        return not unread
    with as_message(NotRecordedError, DamagedLineError):
        failed = grid.run(wanted, extras)
    if failed:
        print(f"    {len(failed)} of {len(wanted)} jobs failed: {'; '.join(job.title for job in failed)}")
    return not unread and not failed


def unreadable(names: Sequence[str], data: Path | None, protocol: str | None = None) -> dict[str, str]:
    """Why a data set cannot be read, or not be split by ``protocol``, for each that cannot."""
    problems = {}
    for name in names:
        try:
            datasets.load(name, data, protocol)
        except DataError as error:
            problems[name] = str(error)
        except ValueError as error:  # its sequences are too short for that split
            if protocol is None:
                raise
            problems[name] = f"{name} cannot be evaluated under the protocol {protocol!r}: {error}"
    return problems


def say_missing(grid: Grid, wanted: list[Job], extras: tuple[Extra, ...]) -> None:
    """One line a job of which something is not measured yet, and how many there are of how many."""
    lacking = [(job, variants) for job, variants in grid.lacking(wanted, extras) if variants]
    for job, variants in lacking:
        print(f"    {job.title}: {', '.join(variant or 'all' for variant in variants)}")
    print(f"    {len(wanted) - len(lacking)} of {len(wanted)} jobs are measured")


def jobs(arguments: argparse.Namespace) -> list[Job]:
    """Seed by seed, so that a grid that is stopped holds whole rows. ``ValueError`` for settings that no model has."""
    wanted = [
        Job(model, preset, dataset, seed, backbone, variant, tuple(arguments.set), arguments.protocol)
        for seed, dataset, preset, variant, model, backbone in itertools.product(
            arguments.seeds,
            arguments.datasets,
            arguments.presets,
            arguments.variants or [None],
            arguments.models,
            arguments.backbones or [None],
        )
    ]
    for job in wanted:
        job.config(num_items=1)
    return wanted


def seeds_of(text: str) -> list[int]:
    """``"0-4"`` or ``"0,3,7"``; ``ArgumentTypeError``, which the command line tells, for anything else."""
    first, dash, last = text.partition("-")
    try:
        seeds = list(range(int(first), int(last) + 1)) if dash else [int(seed) for seed in text.split(",")]
    except ValueError:
        seeds = []
    if not seeds:
        raise argparse.ArgumentTypeError(f"expected seeds as 3, 0-4 or 0,3,7, got {text!r}")
    return seeds


def parsed(words: Sequence[str] | None) -> argparse.Namespace:
    """What is asked for; ends with the usual message for words that do not go together."""
    made = parser()
    arguments = made.parse_args(words)
    if arguments.validation_only and arguments.extras:
        made.error("--extras are measured on test, which --validation-only leaves alone: give one of the two")
    return arguments


def parser() -> argparse.ArgumentParser:
    """What can be said to it."""
    made = argparse.ArgumentParser(description="Train and measure a grid; it can be stopped and started again.")
    made.add_argument("--models", nargs="+", required=True, choices=list(MODELS))
    made.add_argument("--presets", nargs="+", default=["default"])
    made.add_argument("--datasets", nargs="+", required=True, choices=list(datasets.DATASETS))
    made.add_argument("--seeds", type=seeds_of, default=[0], help="0-4, or 0,3,7 (default: 0)")
    made.add_argument("--backbones", nargs="+", help="GlobalDiff on each of these")
    made.add_argument("--variants", nargs="+", help="ablations or name=value, each with a training of its own")
    made.add_argument("--protocol", choices=["long-term"], help="split in this way (default: the data set's own)")
    made.add_argument("--extras", nargs="*", default=[], choices=list(EXTRAS), help="further measurements")
    made.add_argument(
        "--validation-only", action="store_true", help="leave the test split alone: for choosing settings"
    )
    made.add_argument("--missing", action="store_true", help="only say what is not measured yet")
    made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting")
    made.add_argument("--file", type=Path, default=Path("checkpoints/measured.jsonl"), help="where runs are added")
    made.add_argument("--work", type=Path, help="trained weights (default: benchmark in the data folder)")
    made.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    made.add_argument("--threads", type=count, help="CPU threads (default: PyTorch's choice)")
    return made


if __name__ == "__main__":
    sys.exit(not main())
