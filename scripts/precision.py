"""What half precision and shared batches give and cost on this machine, for the bundles of a data set.

python -m scripts.precision checkpoints/movielens [--rows 2000] [--callers 32]

Each model in float32, float16 and bfloat16: the share of test histories that keep their 20 best items, HR@20, and the
time of a batch of 512. Then how many lists a second many callers get, one by one and sharing batches.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from demo_core import checkpoint, datasets
from demo_core.checkpoint import Bundle, BundleError
from demo_core.datasets import Dataset
from demo_core.engine import Engine, Serving
from demo_core.evaluation import evaluate
from demo_core.measure import device_name
from demo_core.precision import FLOAT32, PRECISIONS, lower
from demo_core.prepared import DataError
from scripts.messages import as_message, count

BATCH = 512
REPEATS = 5


@as_message(DataError, BundleError)
def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() and not arguments.cpu else "cpu")
    dataset = datasets.load(arguments.folder.name, arguments.data)
    rows = torch.arange(min(arguments.rows, len(dataset.test)))
    print(f"{dataset.title} on {device_name(device)}, {len(rows)} test rows, one thread")
    for name in arguments.models:
        bundle = checkpoint.load(arguments.folder / name, device)
        for precision in PRECISIONS:
            print(_in_precision(bundle, dataset, rows, precision))
    histories = [
        tuple(dataset.test.history(rows[at : at + 1], 50)[0].tolist()) for at in range(min(len(rows), arguments.calls))
    ]
    asked = [[id for id in history if id] for history in histories]
    for name in arguments.models:
        print(_throughput(arguments.folder, name, device, asked, arguments.callers))


def _in_precision(bundle: Bundle, dataset: Dataset, rows: Tensor, precision: str) -> str:
    device = next(iter(bundle.model.state_dict().values())).device
    histories = dataset.test.history(rows, bundle.model.config.max_length).to(device)
    found = lower(bundle.model, precision, histories)
    hits = evaluate(found.model, dataset.test, dataset.protocol).metrics()["hr@20"]
    seconds = _median(lambda: found.model.recommend(histories[:BATCH], 20), device)
    told = "" if found.precision == precision else f" (refused: {found.precision} is used)"
    kept = "" if precision == FLOAT32 else f", {found.same:.2%} of the lists the same"
    return f"  {bundle.name} {precision}: HR@20 {hits:.2%}, {1000 * seconds:.1f} ms for {BATCH} lists{kept}{told}"


def _median(work: Callable[[], object], device: torch.device) -> float:
    taken = []
    for _ in range(REPEATS + 2):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken[2:])  # the first two make the device ready


def _throughput(
    folder: Path, model: str, device: torch.device, histories: Sequence[Sequence[int]], callers: int
) -> str:
    alone, shared = (
        _lists_a_second(folder, model, device, histories, callers, Serving(together=t)) for t in (False, True)
    )
    found = f"{alone:.0f} lists a second one by one, {shared:.0f} sharing batches ({shared / alone:.1f} x)"
    return f"  {model}, {callers} callers: {found}"


def _lists_a_second(
    folder: Path,
    model: str,
    device: torch.device,
    histories: Sequence[Sequence[int]],
    callers: int,
    serving: Serving,
) -> float:
    engine = Engine(folder.parent, folder.name, device, serving)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(lambda history: engine.recommend(model, history), histories[:callers]))
        started = time.perf_counter()
        list(pool.map(lambda history: engine.recommend(model, history), histories))
        return len(histories) / (time.perf_counter() - started)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Half precision and shared batches, measured.")
    parser.add_argument("folder", type=Path, help="bundles of a data set, such as checkpoints/movielens")
    parser.add_argument("--models", nargs="+", default=["sasrec", "tdm", "card", "globaldiff"])
    parser.add_argument("--rows", type=count, default=2000, help="test rows whose lists are compared")
    parser.add_argument("--callers", type=count, default=32)
    parser.add_argument("--calls", type=count, default=400, help="lists that the callers ask for")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    return parser


if __name__ == "__main__":
    main()
