"""How fast training and scoring are on one core, each with its floor: the operations counted, over the rate measured.

python -m scripts.speed                 # all figures; needs zhihu and ml-1m prepared
python -m scripts.speed training        # or: scoring, globaldiff

The floor is what the matrix products alone would take at the rate that this machine reaches for a product of the same
kind. ``released`` figures are those of the authors' code, measured once on one core of another machine; only ratios of
two lines of the same run compare like with like.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from demo_core import datasets
from demo_core.datasets import Dataset
from demo_core.models import create, preset
from demo_core.models.base import Recommender, Validation
from demo_core.prepared import DataError
from demo_core.sequences import batches
from demo_core.training import optimizer_of
from scripts.messages import as_message

REPEATS = 5
STEPS = 12  # timed steps a repeat, after two that are not
USERS = 256
# CPU seconds of the authors' code, one thread of an AMD EPYC core: an epoch on Zhihu, and scoring its 7,900 test rows.
RELEASED_EPOCH = {"dreamrec": 8.8, "tdm": 9.7, "card": 17.8}
RELEASED_SCORING = {"dreamrec": 27.0, "tdm": 1.6, "card": 1.5}
# The same for GlobalDiff on SASRec at the size of ML-1M: an epoch of 5,180 rows, and scoring 256 users.
RELEASED_GLOBALDIFF_EPOCH, RELEASED_GLOBALDIFF_USERS = 29.0, 8.8
GLOBALDIFF_ROWS = 5180


@dataclass(frozen=True)
class Figure:
    """``seconds``: median of the repeats; ``operations``: multiply-adds times two; ``released``: seconds, if known."""

    name: str
    seconds: float
    operations: float
    released: float | None = None

    def line(self, rate: float) -> str:
        floor = self.operations / rate
        text = f"{self.name:<44} {_time(self.seconds):>10}   floor {_time(floor):>10} ({self.seconds / floor:5.1f} x)"
        return (
            text if self.released is None else f"{text}   released {self.released:5.1f} s: {self.ratio:6.1f} x faster"
        )

    @property
    def ratio(self) -> float:
        return (self.released or 0.0) / self.seconds


@as_message(DataError)
def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Speed on one core, each figure with its floor.")
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"out of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.parts) - set(PARTS))
    if unknown:
        parser.error(f"expected parts out of {', '.join(PARTS)}, got {', '.join(unknown)}")
    torch.set_num_threads(1)
    rate = matrix_rate()
    print(f"one thread, matrix products at {rate / 1e9:.0f} GFLOP/s")
    for name in arguments.parts:
        for figure in PARTS[name](arguments.data):
            print(figure.line(rate), flush=True)


def matrix_rate() -> float:
    """Operations a second of float32 products as they occur here: a batch of states with the items' table."""
    states, items = torch.randn(512, 64), torch.randn(4838, 64)
    seconds = _median(lambda: states @ items.T, 50)
    return 2 * states.numel() * len(items) / seconds


def training(folder: Path | None) -> Iterator[Figure]:
    """An epoch on Zhihu: as released (batches of 256 rows), and the default."""
    data = datasets.load("zhihu", folder)
    for name in ("dreamrec", "tdm", "card"):
        for kind in ("released", "default"):
            model = create(name, preset(name, kind, "zhihu", data.catalogue.num_items), 0)
            epochs = len(model.config.epoch_rows(len(data.train), torch.Generator()))
            seconds, operations = training_step(model, data)
            released = RELEASED_EPOCH[name] if kind == "released" else None
            yield Figure(f"{name} {kind}: epoch on Zhihu", seconds * epochs, operations * epochs, released)
    model = create("sasrec", preset("sasrec", "default", "zhihu", data.catalogue.num_items), 0)
    number = len(model.config.epoch_rows(len(data.train), torch.Generator()))
    seconds, operations = training_step(model, data)
    yield Figure("sasrec default: epoch on Zhihu", seconds * number, operations * number)


def scoring(folder: Path | None) -> Iterator[Figure]:
    """Scores of all items for every test row of Zhihu, without ranking them."""
    data = datasets.load("zhihu", folder)
    for name in ("dreamrec", "tdm", "card"):
        for kind in ("released", "default"):
            model = create(name, preset(name, kind, "zhihu", data.catalogue.num_items), 0).eval()
            seconds, operations = score_rows(model, data, len(data.test))
            released = RELEASED_SCORING[name] if kind == "released" else None
            yield Figure(f"{name} {kind}: scoring {len(data.test)} test rows", seconds, operations, released)


def globaldiff(folder: Path | None) -> Iterator[Figure]:
    """GlobalDiff at the size of ML-1M: 5,180 training rows an epoch, and 256 users."""
    data = datasets.load("ml-1m", folder)
    model = create("globaldiff", preset("globaldiff", "default", "ml-1m", data.catalogue.num_items), 0)
    for phase in model.phases():
        if phase.name == "diffusion" and phase.prepare is not None:
            phase.prepare(data, Validation(lambda settings: [0.0] * len(settings)))
    rows = model.config.batch_size
    seconds, operations = training_step(model, data, "diffusion")
    share = GLOBALDIFF_ROWS / rows
    yield Figure(
        f"globaldiff default: {GLOBALDIFF_ROWS} rows of ML-1M",
        seconds * share,
        operations * share,
        RELEASED_GLOBALDIFF_EPOCH,
    )
    seconds, operations = score_rows(model.eval(), data, USERS)
    yield Figure(f"globaldiff default: scoring {USERS} users", seconds, operations, RELEASED_GLOBALDIFF_USERS)


def training_step(model: Recommender, data: Dataset, name: str | None = None) -> tuple[float, float]:
    """Median seconds and operations of one step, forward, backward and optimiser, of phase ``name`` (the first)."""
    phase = next(p for p in model.phases() if p.loss is not None and name in (None, p.name))
    config, random = phase.config or model.config, torch.Generator().manual_seed(0)
    optimizer = optimizer_of(phase, config)
    model.train()
    order = [index for index in config.epoch_rows(len(data.train), random) if len(index) == config.batch_size]

    def step(index: torch.Tensor) -> None:
        assert phase.loss is not None
        optimizer.zero_grad(set_to_none=True)
        phase.loss(data.train.batch(index, model.config.max_length), random).backward()
        optimizer.step()

    with FlopCounterMode(display=False) as counter:
        step(order[0])
    step(order[1])
    times = []
    for index in order[2 : 2 + STEPS * REPEATS]:
        started = time.perf_counter()
        step(index)
        times.append(time.perf_counter() - started)
    return statistics.median(times), float(counter.get_total_flops())


@torch.no_grad()
def score_rows(model: Recommender, data: Dataset, number: int) -> tuple[float, float]:
    """Median seconds and operations of scoring the first ``number`` test rows in batches of 512."""
    histories = [data.test.history(index, model.config.max_length) for index in batches(number, 512)]

    def run() -> None:
        for history in histories:
            model.score(history, torch.Generator().manual_seed(0))

    with FlopCounterMode(display=False) as counter:
        run()
    return _median(run, 1), float(counter.get_total_flops())


def _median(run: Callable[[], object], calls: int) -> float:
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        for _ in range(calls):
            run()
        times.append((time.perf_counter() - started) / calls)
    return statistics.median(times)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


PARTS: dict[str, Callable[[Path | None], Iterator[Figure]]] = {
    "training": training,
    "scoring": scoring,
    "globaldiff": globaldiff,
}


if __name__ == "__main__":
    main()
