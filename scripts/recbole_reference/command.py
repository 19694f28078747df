"""The command line: which runs are asked for, and which of them are missing."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from demo_core import datasets
from demo_core.datasets import DATASETS, LEAVE_ONE_OUT_FULL
from demo_core.json_lines import DamagedLineError, NotRecordedError, append_line, drop_partial_line
from demo_core.models import preset
from demo_core.reference import REFERENCE, ReferenceRun, beside, markdown, read_references
from demo_core.results import collect
from scripts.benchmark import seeds_of
from scripts.messages import as_message, count
from scripts.recbole_reference.mapping import COUNTERPARTS, Settings, settings_of
from scripts.recbole_reference.running import Place, RecBoleError, installed, reference_run

SETS = [name for name, known in DATASETS.items() if known.protocol == LEAVE_ONE_OUT_FULL and known.statistics]


@as_message(NotRecordedError, DamagedLineError)
def main(words: Sequence[str] | None = None) -> None:
    """The command line, or ``words`` in place of it. Ends with an exit code of 1 where a run failed."""
    arguments = parser().parse_args(words)
    if arguments.table:
        print_table(arguments.file)
        return
    if not arguments.models:
        raise SystemExit("Expected --models with at least one model, or --table.")
    with as_message(RecBoleError):
        system = installed(arguments.python)
    if drop_partial_line(arguments.file):
        print(f"{arguments.file}: the last line had been cut off while it was written; it is measured again.")
    data = arguments.data or datasets.data_folder()
    place = Place(arguments.python, arguments.work or data / "recbole", arguments.threads)
    asked = list(itertools.product(arguments.seeds, arguments.datasets, arguments.models))
    failed = 0
    for number, (seed, dataset, model) in enumerate(asked, start=1):
        print(f"[{number}/{len(asked)}] {system} {model}, {dataset}, seed {seed}", flush=True)
        failed += not _do(arguments, place, system, model, dataset, seed, data)
    if failed:
        raise SystemExit(f"{failed} of {len(asked)} runs failed; the same command does only what is missing.")


def print_table(file: Path) -> None:
    """What stands in ``file`` beside our runs in its folder, after what could not be read of these."""
    measured = collect(file.parent)
    for problem in measured.problems:
        print(problem)
    print(markdown(beside(read_references(file), measured.runs)) or f"{file} holds no run yet.")


def _do(
    arguments: argparse.Namespace, place: Place, system: str, model: str, dataset: str, seed: int, data: Path
) -> bool:
    """One run, unless it stands in the file or another process is at it; False where it failed."""
    changes = tuple(sorted(arguments.set))
    try:
        loaded = datasets.load(dataset, data)
        settings = settings_of(model, preset(model, "default", dataset, loaded.catalogue.num_items), changes)
    except ValueError as error:  # a DataError is one
        print(f"  {error}")
        return False
    place.work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.work / f"{'-'.join([dataset, model, *changes, f'seed{seed}']).replace('/', '_')}.lock")
    try:
        with lock.acquire(timeout=0):
            if _has(read_references(arguments.file), system, model, loaded.hash, seed, settings):
                print("  already measured")
                return True
            run = reference_run(place, system, model, loaded, seed, settings, changes)
            append_line(arguments.file, run.to_dict())
    except Timeout:
        print("  another process is at it")
        return True
    except RecBoleError as error:
        print(f"  {error}")
        return False
    print(f"  test HR@20 {run.test['hr@20']:.2%}, NDCG@20 {run.test['ndcg@20']:.2%}, epoch {run.best_epoch}")
    return True


def _has(runs: Sequence[ReferenceRun], system: str, model: str, data_hash: str, seed: int, settings: Settings) -> bool:
    wanted = (system, model, data_hash, seed, settings)
    return any((run.system, run.model, run.data_hash, run.seed, run.settings) == wanted for run in runs)


def parser() -> argparse.ArgumentParser:
    """What can be said to it."""
    made = argparse.ArgumentParser(description="RecBole's version of a model on the same rows with the same settings.")
    made.add_argument("--models", nargs="+", choices=list(COUNTERPARTS))
    made.add_argument("--datasets", nargs="+", default=["ml-1m"], choices=SETS)
    made.add_argument("--seeds", type=seeds_of, default=[0], help="0-4, or 0,3,7 (default: 0)")
    made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a setting of RecBole")
    made.add_argument("--table", action="store_true", help="print ours beside what stands in the file")
    made.add_argument(
        "--python",
        type=Path,
        default=Path(".venv-recbole/bin/python"),
        help="Python of RecBole's environment (default: .venv-recbole/bin/python)",
    )
    made.add_argument("--file", type=Path, default=Path("checkpoints") / REFERENCE, help="where runs are added")
    made.add_argument("--work", type=Path, help="exported rows (default: recbole in the data folder)")
    made.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    made.add_argument("--threads", type=count, help="CPU threads (default: PyTorch's choice)")
    return made
