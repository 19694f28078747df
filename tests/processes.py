"""What several processes do together for the tests of training and sharding: started by ``launch``, run by each.

Every process has a folder of its own, as if it ran on a machine of its own; only what the main one finds is told.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from torch import Generator, Tensor

from demo_core import checkpoint
from demo_core.checkpoint import Bundle
from demo_core.datasets import Dataset, toy_world
from demo_core.evaluation import evaluate, ranks_under
from demo_core.measure import Subject, measure
from demo_core.models import MODELS, create
from demo_core.models.base import Recommender, RecommenderConfig
from demo_core.sequences import Batch
from demo_core.sharding import Share
from demo_core.shipping import ship
from demo_core.training import Epoch, FitReport, accelerator_for, fit, share_of
from demo_core.training_state import TrainingState
from scripts import evaluate as evaluate_script
from scripts import train as train_script

ROOT = Path(__file__).parents[1]
SEED, NOISY_SEEDS = 5, (5, 6, 7)
NOISY = ("tdm", "card", "globaldiff")
ROWS = 97  # an epoch: three batches of 32 rows and one of a single row, fewer than there are processes


def world() -> Dataset:
    return toy_world(num_sequences=40)


def small(name: str, *settings: str) -> RecommenderConfig:
    config = MODELS[name].config(num_items=12, max_length=6, embedding_dim=8, batch_size=32, max_epochs=4)
    own = [f"rows_per_epoch={ROWS}", "learning_rate=0.01"]
    if name == "globaldiff":
        own += ["backbone_epochs=2", f"backbone_rows_per_epoch={ROWS}", "backbone_batch_size=32", "hidden_dim=8"]
        own += ["diffusion_steps=4", "start=average", "vote_share=None"]
    return config.override(*own, *settings)


def without_chance() -> Recommender:
    """SASRec whose loss draws nothing: what it learns depends on the rows alone."""
    return create("sasrec", small("sasrec", "dropout=0.0", "input_dropout=0.0"), 0)


def curve(model: Recommender, seed: int, accelerator: Accelerator | None = None) -> list[Epoch]:
    """Trains ``model`` and returns what is told of every epoch (to the main process)."""
    epochs: list[Epoch] = []
    fit(
        model, world(), seed=seed, accelerator=accelerator or accelerator_for(True), progress=False, watch=epochs.append
    )
    return epochs


def noisy_curves(accelerator: Accelerator | None = None) -> dict[str, list[float]]:
    """The mean loss of a training of each model, for each of the seeds."""
    found: dict[str, list[float]] = {}
    for name in NOISY:
        for seed in NOISY_SEEDS:
            losses = [epoch.loss for epoch in curve(create(name, small(name), 0), seed, accelerator)]
            found.setdefault(name, []).append(sum(losses) / max(len(losses), 1))
    return found


def launch(processes: int, folder: Path, part: str) -> None:
    """Runs a part of this file in several processes and waits; their complaints if one of them fails."""
    config = ROOT / "scripts/accelerate/two_cpu_processes.yaml"
    launcher = ["accelerate.commands.launch", "--config_file", str(config), "--num_processes", str(processes)]
    command = [sys.executable, "-m", *launcher, __file__, part, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, "\n".join(line for line in done.stderr.splitlines() if "rank" in line)[-6000:]


def same_everywhere(share: Share, *tensors: Tensor) -> bool:
    own = torch.cat([tensor.detach().double().flatten() for tensor in tensors])
    main = own.clone()
    share.from_main(main)
    return not int(share.summed(torch.tensor(int(not torch.equal(own, main)))))


# What two processes do


def training(accelerator: Accelerator, folder: Path) -> dict[str, Any]:
    share = share_of(accelerator)
    machine = folder / f"machine{share.process}"
    machine.mkdir()
    model = without_chance()
    exact = curve(model, SEED, accelerator)
    if share.is_main:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "exact")
    noisy = noisy_curves(accelerator)
    resumed_ends_in_the_same_bits(accelerator, machine)
    refusals(accelerator)
    return {
        "losses": [epoch.loss for epoch in exact],
        "qualities": [epoch.quality for epoch in exact],
        "noisy": noisy,
        "saved": [int(number) for number in share.summed(saved(accelerator, machine))],
        "left": sorted(str(path.relative_to(folder)) for path in folder.glob("machine*/*")),
    }


def resumed_ends_in_the_same_bits(accelerator: Accelerator, machine: Path) -> None:
    """The second epoch is broken off after one of its four losses. The state file is the main process's alone."""
    share = share_of(accelerator)

    def train(model: Recommender, name: str) -> FitReport:
        return fit(model, world(), seed=SEED, state_file=machine / name, accelerator=accelerator, progress=False)

    whole, broken, resumed = (create("card", small("card"), 0) for _ in range(3))
    report = train(whole, "whole")
    break_off(broken)
    with pytest.raises(KeyboardInterrupt):
        train(broken, "state")
    accelerator.wait_for_everyone()
    assert (machine / "state").exists() == share.is_main, "only the main process writes"
    again = train(resumed, "state")
    assert not (machine / "state").exists()
    assert again.best == report.best and again.epochs == report.epochs
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), f"{name} after the interruption"
    assert same_everywhere(share, *whole.state_dict().values())


def break_off(model: Recommender) -> None:
    original, count = model.loss, 0

    def loss(batch: Batch, generator: Generator | None = None) -> Tensor:
        nonlocal count
        count += 1
        if count > 5:
            raise KeyboardInterrupt
        return original(batch, generator)

    model.__dict__["loss"] = loss


def refusals(accelerator: Accelerator) -> None:
    """What goes wrong in one process stops all of them, with the same words."""
    share = share_of(accelerator)
    with pytest.raises(ValueError, match="1 differ from the main one"):
        fit(without_chance(), world(), seed=share.process, accelerator=accelerator, progress=False)
    broken = without_chance()
    original = broken.loss
    if not share.is_main:
        broken.__dict__["loss"] = lambda batch, generator: original(batch, generator) * torch.nan
    with pytest.raises(ValueError, match="became nan in epoch 1"):
        fit(broken, world(), seed=SEED, accelerator=accelerator, progress=False)


def saved(accelerator: Accelerator, machine: Path) -> Tensor:
    """A training and its measurement with files: how often [main, others] wrote a state, and a bundle."""
    share, data = share_of(accelerator), world()
    model = create("card", small("card"), 0)
    with counted(TrainingState, "save") as states, counted(checkpoint, "save") as bundles:
        report = fit(model, data, seed=1, state_file=machine / "state", accelerator=accelerator, progress=False)
        bundle = Bundle(model, "card", "default", data.name, data.protocol.name, data.catalogue, training={"seed": 1})
        subject = Subject("card", "default", None, 1, report.epochs, report.seconds_per_epoch)
        shipped = ship(bundle, data, subject, machine / "card", machine / "measured.jsonl", share)
    assert same_everywhere(share, *shipped.model.state_dict().values())
    # Validation and test are of the weights as they were written, and of all rows.
    for run in shipped.runs:
        assert run.metrics == evaluate(shipped.model, data.rows(run.split), data.protocol).metrics()
        assert run.rows == len(data.rows(run.split)) and run.device == "CPU, 2 processes"
    own = torch.tensor([len(states), len(bundles)])
    return torch.stack([own, 0 * own] if share.is_main else [0 * own, own]).flatten()


@contextlib.contextmanager
def counted(owner: Any, name: str) -> Iterator[list[None]]:
    """Notes every call of a function while it does what it always does."""
    original: Callable[..., Any] = getattr(owner, name)
    calls: list[None] = []

    def noting(*arguments: Any, **options: Any) -> Any:
        calls.append(None)
        return original(*arguments, **options)

    setattr(owner, name, noting)
    try:
        yield calls
    finally:
        setattr(owner, name, original)


def train_command(folder: Path) -> None:
    sizes = ["--set", "embedding_dim=8", "--set", "batch_size=64", "--set", "max_epochs=2"]
    files = ["--out", str(folder / "card"), "--record", str(folder / "measured.jsonl")]
    sys.argv = ["train", "card", "--dataset", "toy", *files, *sizes, "--threads", "1", "--cpu"]
    train_script.main()


# What three processes do


def evaluation(accelerator: Accelerator, folder: Path) -> dict[str, Any]:
    """Every assertion is one about this process; how many rows it scored is added up."""
    share, data = share_of(accelerator), world()
    model = create("card", small("card"), 0).eval()
    numbers = {}
    for rows in (data.test.spaced(most) for most in (1, 2, 7, 40)):
        for size in (3, 512):
            whole = evaluate(model, rows, data.protocol, batch_size=size)
            with counting_rows(model) as scored:
                shared = evaluate(model, rows, data.protocol, batch_size=size, share=share)
            assert torch.equal(shared.ranks, whole.ranks) and torch.equal(shared.top, whole.top)
            numbers[f"{len(rows)} rows by {size}"] = share.summed(by_process(share, sum(scored))).tolist()
    settings = [lambda: model.per_scale.fill_(0.1), lambda: model.per_scale.fill_(0.9)]  # type: ignore[operator]
    alone = ranks_under(model, data.test, data.protocol, settings, batch_size=3)
    assert torch.equal(alone, ranks_under(model, data.test, data.protocol, settings, batch_size=3, share=share))
    subject = Subject("card", "default", None, 0, 0, 0.0)
    one, three = (measure(model, data, "test", subject, share=own) for own in (Share(), share))
    assert (one.run.metrics, one.run.health, one.run.rows) == (three.run.metrics, three.run.health, three.run.rows)
    assert torch.equal(one.ranks, three.ranks) and three.run.device == "CPU, 3 processes"
    exchanges(share, folder)
    return numbers


@contextlib.contextmanager
def counting_rows(model: Recommender) -> Iterator[list[int]]:
    original, scored = model.score, list[int]()

    def score(history: Tensor, *arguments: Any) -> Tensor:
        scored.append(len(history))
        return original(history, *arguments)

    model.__dict__["score"] = score
    try:
        yield scored
    finally:
        del model.__dict__["score"]


def by_process(share: Share, number: int) -> Tensor:
    row = torch.zeros(share.processes, dtype=torch.int64)
    row[share.process] = number
    return row


def exchanges(share: Share, folder: Path) -> None:
    """Tensors of any type and shape, flags, files, and rows that were forgotten or scored twice."""
    sent = [torch.tensor(2.5, dtype=torch.float64), torch.tensor([[True, False]]), torch.arange(3, dtype=torch.int16)]
    own = [tensor.clone() if share.is_main else torch.zeros_like(tensor) for tensor in sent]
    share.from_main(*own)
    assert all(torch.equal(one, other) for one, other in zip(own, sent, strict=True))
    module = torch.nn.Module()
    module.register_buffer("flags", torch.arange(share.processes + 1) == share.process)
    module.register_buffer("average", torch.tensor(float(share.process)))
    share.same_buffers(module)
    assert module.flags.tolist() == [True] * share.processes + [False] and float(module.average) == 0.0  # type: ignore
    path = folder / f"of process {share.process}"
    assert share.file_of_main(path) is None
    path.write_bytes(b"%d" % share.process)
    assert share.file_of_main(path) == b"0" and share.file_of_main(None) is None
    forgotten, twice = [[0, 1], [0, 0], [0, 0]], [[1, 1], [0, 1], [0, 0]]
    for times in (forgotten, twice):
        with pytest.raises(RuntimeError, match="1 were not"):
            share.gathered(torch.zeros(2, dtype=torch.int64), torch.tensor(times[share.process]))


def evaluate_command(folder: Path) -> None:
    sys.argv = ["evaluate", str(folder / "bundle"), "--threads", "1", "--cpu"]
    evaluate_script.main()


if __name__ == "__main__":
    torch.set_num_threads(1)
    part, place = sys.argv[1], Path(sys.argv[2])
    told = {"training": training, "evaluation": evaluation}[part](accelerator_for(True), place)
    if share_of(accelerator_for(True)).is_main:
        (place / "told.json").write_text(json.dumps(told))
    {"training": train_command, "evaluation": evaluate_command}[part](place)
