"""Trains with one process and with several on the same global batches, and compares the loss curves.

python -m scripts.processes sasrec card --dataset zhihu --epochs 3
python -m scripts.processes sasrec --dataset zhihu --epochs 3 --set dropout=0.0 --set input_dropout=0.0 \\
    --set neighbour_target_rate=0.0    # nothing is drawn: the curves differ in the last digits

On the CPU, with one thread a process. What a loss draws (noise, dropout) is drawn by each process for its rows, so that
with such a loss the curve of several processes is that of another seed: --seeds shows how much seeds differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from demo_core import datasets
from demo_core.datasets import Dataset
from demo_core.models import MODELS, create, preset
from demo_core.models.base import RecommenderConfig
from demo_core.prepared import DataError
from demo_core.training import Epoch, accelerator_for, fit
from scripts.messages import as_message, count

CONFIG = Path(__file__).parents[1] / "scripts/accelerate/two_cpu_processes.yaml"
Curves = dict[str, dict[str, Any]]  # by model and seed: "epochs", as they were told, and "seconds" of one


@as_message(DataError)
def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    if arguments.into is not None:
        _train(arguments, arguments.into)
        return
    with as_message(ValueError):  # said once, before any process is started
        configs_of(arguments, datasets.load(arguments.dataset, arguments.data))
    alone, together = (_curves(number) for number in (1, arguments.processes))
    for name in alone:
        _compare(name, alone[name], together[name], arguments.processes)


def _curves(processes: int) -> Curves:
    """This command once more, in as many processes."""
    launch = ["accelerate.commands.launch", "--config_file", str(CONFIG), "--num_processes", str(processes), "-m"]
    command = [sys.executable, "-m", *(launch if processes > 1 else []), "scripts.processes", *sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "curves.json"
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        ended = subprocess.run([*command, "--into", str(into)], env=environment, check=False)
        if ended.returncode:
            number = f"{processes} process{'es' * (processes > 1)}"
            raise SystemExit(f"Training in {number} ended with exit code {ended.returncode}; why stands above.")
        return json.loads(into.read_text(encoding="utf-8"))


def configs_of(arguments: argparse.Namespace, dataset: Dataset) -> dict[str, RecommenderConfig]:
    """The settings of each model; ``ValueError`` for a change that one of them does not know."""
    epochs = (f"max_epochs={arguments.epochs}", f"patience={arguments.epochs}")
    return {
        name: preset(name, "default", dataset.name, dataset.catalogue.num_items).override(*arguments.set, *epochs)
        for name in arguments.models
    }


def _train(arguments: argparse.Namespace, into: Path) -> None:
    torch.set_num_threads(1)
    accelerator = accelerator_for(cpu=True)
    dataset = datasets.load(arguments.dataset, arguments.data)
    found: Curves = {}
    for name, config in configs_of(arguments, dataset).items():
        for seed in range(arguments.seeds):
            epochs: list[Epoch] = []
            model = create(name, config, seed=0)
            report = fit(model, dataset, seed=seed, accelerator=accelerator, progress=False, watch=epochs.append)
            told = [asdict(epoch) for epoch in epochs]
            found[f"{name}, seed {seed}"] = {"epochs": told, "seconds": report.seconds_per_epoch}
    if accelerator.is_main_process:
        into.write_text(json.dumps(found), encoding="utf-8")
    accelerator.wait_for_everyone()
    accelerator.end_training()


def _compare(name: str, alone: dict[str, Any], together: dict[str, Any], processes: int) -> None:
    print(f"{name}: {alone['seconds']:.1f} s an epoch in one process, {together['seconds']:.1f} s in {processes}")
    largest = 0.0
    for one, several in zip(alone["epochs"], together["epochs"], strict=True):
        difference = abs(several["loss"] - one["loss"]) / abs(one["loss"])
        largest = max(largest, difference)
        print(
            f"  {one['phase']} {one['number']}: loss {one['loss']:.6f} and {several['loss']:.6f} ({difference:.1e}), "
            f"validation {one['quality']:.4f} and {several['quality']:.4f}"
        )
    print(f"  largest relative difference of the loss: {largest:.1e}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="One process against several: loss curves and seconds.")
    parser.add_argument("models", nargs="+", choices=list(MODELS))
    parser.add_argument("--dataset", required=True, choices=list(datasets.DATASETS))
    parser.add_argument("--epochs", type=count, default=3)
    parser.add_argument("--seeds", type=count, default=1, help="of what a training draws; the first weights stay")
    parser.add_argument("--processes", type=count, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--into", type=Path, help="train and write the curves to this file: what each process is told")
    return parser


if __name__ == "__main__":
    main()
