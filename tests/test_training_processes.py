"""Training in two processes at once. The file is both the test and the program that each of them runs."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Generator, Tensor

from demo_core import training
from demo_core.datasets import toy_world
from demo_core.models import create
from demo_core.models.base import Recommender
from demo_core.models.card import CARDConfig
from demo_core.models.globaldiff import GlobalDiffConfig
from demo_core.sequences import Batch
from demo_core.training import fit

ROOT = Path(__file__).parents[1]
SMALL: dict[str, Any] = {
    "num_items": 12,
    "max_length": 6,
    "embedding_dim": 8,
    "batch_size": 32,
    "max_epochs": 3,
    "rows_per_epoch": 96,
    "learning_rate": 0.01,
}
CONFIG = CARDConfig(**SMALL)


def break_off(model: Recommender) -> None:
    """The second epoch is interrupted after one of its three losses."""
    original, count = model.loss, 0

    def loss(batch: Batch, generator: Generator | None = None) -> Tensor:
        nonlocal count
        count += 1
        if count > 4:
            raise KeyboardInterrupt
        return original(batch, generator)

    model.__dict__["loss"] = loss


def train(model: Recommender, state_file: Path, accelerator: Accelerator) -> dict[str, Tensor]:
    dataset = toy_world(num_sequences=40)
    report = fit(model, dataset, seed=5, state_file=state_file, accelerator=accelerator, progress=False)
    return {"best": torch.tensor(report.best["train"], dtype=torch.float64), **model.state_dict()}


def program(folder: Path) -> None:
    """Trains a model in one go and one that is broken off, and compares them with each other and between processes.

    The second process finds every model bad: what counts is what the main process finds.
    """
    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True)
    assert accelerator.num_processes == 2
    if accelerator.process_index == 1:
        vars(training)["ranks_under"] = lambda model, rows, protocol, settings: torch.full((len(settings), 1), 50)
    whole = train(create("card", CONFIG, 0), folder / "whole", accelerator)
    broken = create("card", CONFIG, 0)
    break_off(broken)
    try:
        train(broken, folder / "state", accelerator)
    except KeyboardInterrupt:
        accelerator.wait_for_everyone()
    else:
        raise AssertionError("expected to be broken off")
    resumed = train(create("card", CONFIG, 0), folder / "state", accelerator)
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), f"{name} after the interruption"
        both = accelerator.gather(tensor[None])
        assert torch.equal(both[0], both[1]), f"{name} in the two processes"

    votes_in_several_processes(accelerator)
    accelerator.wait_for_everyone()
    accelerator.end_training()


def votes_in_several_processes(accelerator: Accelerator) -> None:
    """A model whose state holds tables of ids trains too, and ends the same in both processes."""
    config = GlobalDiffConfig(
        **SMALL, hidden_dim=8, backbone_epochs=1, diffusion_steps=4, start="average", vote_share=None
    )
    model = create("globaldiff", config, 0)
    fit(model, toy_world(num_sequences=40), seed=5, accelerator=accelerator, progress=False)
    for name, tensor in model.state_dict().items():
        both = accelerator.gather(tensor[None])
        assert torch.equal(both[0], both[1]), f"{name} in the two processes"


def test_two_processes_agree_and_an_interrupted_run_ends_in_the_same_bits(tmp_path: Path) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, str(tmp_path)]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *launch], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]


if __name__ == "__main__":
    program(Path(sys.argv[1]))
