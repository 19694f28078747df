"""Score bundles on validation and test: every row, full ranking, HR and NDCG at 10, 20, 50, and the health figures.

python -m scripts.evaluate checkpoints/movielens/card                  # rewrites its metrics.json
python -m scripts.evaluate FOLDER --extras missing steps --record checkpoints/measured.jsonl
python -m scripts.evaluate FOLDER --against checkpoints/movielens/popularity    # paired bootstrap on test
accelerate launch --config_file scripts/accelerate/several_gpus.yaml -m scripts.evaluate FOLDER    # rows are shared
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from demo_core import checkpoint, datasets
from demo_core.checkpoint import Bundle, BundleError
from demo_core.comparison import paired_difference
from demo_core.datasets import Dataset
from demo_core.evaluation import CUTOFFS, evaluate
from demo_core.grid import OTHER
from demo_core.health import failures
from demo_core.json_lines import TAKEN_OUT, DamagedLineError, NotRecordedError
from demo_core.measure import Subject, record, require_recordable
from demo_core.models import backbone_name
from demo_core.prepared import DataError
from demo_core.runs import Run
from demo_core.sharding import Share
from demo_core.shipping import ship
from demo_core.training import accelerator_for, share_of
from scripts.benchmark import EXTRAS
from scripts.messages import as_message, count

OFFERED = [name for name in EXTRAS if name != "foresight"]  # a bundle is measured under its data set's own protocol


@as_message(DataError, BundleError, NotRecordedError, DamagedLineError)
def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    accelerator = accelerator_for(arguments.cpu)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if accelerator.num_processes > 1 and (arguments.against or arguments.extras):
        raise SystemExit("--against and --extras are measured by one process: start this without accelerate launch.")
    device = accelerator.device
    if device.type == "cpu":
        device = torch.device("cpu")  # accelerate numbers it, and no file can be read to "cpu:0"
    _evaluate(arguments, device, share_of(accelerator))
    accelerator.wait_for_everyone()
    accelerator.end_training()


def _evaluate(arguments: argparse.Namespace, device: torch.device, share: Share) -> None:
    if arguments.record is not None:
        for file in require_recordable(arguments.record):
            print(TAKEN_OUT % file)
    bundle = checkpoint.load(arguments.folder, device)
    dataset = datasets.load(bundle.dataset, arguments.data)
    if dataset.catalogue.hash != bundle.catalogue.hash:
        raise SystemExit(f"{arguments.folder} was trained on another version of {bundle.dataset}; train it again.")
    if arguments.against:
        for folder in arguments.against:
            other = checkpoint.load(folder, device)
            if other.catalogue.hash != bundle.catalogue.hash:
                raise SystemExit(f"{folder} has another catalogue than {arguments.folder}; the two cannot be compared.")
            _print_difference(bundle, other, dataset)
        return
    if arguments.extras:
        _measure_extras(bundle, dataset, arguments)
        return
    share.wait()  # until everybody has read the folder that the main process is going to rewrite
    shipped = ship(bundle, dataset, _subject(bundle), arguments.folder, arguments.record, share)
    for run in shipped.runs if share.is_main else ():
        _print_run(run)


def _measure_extras(bundle: Bundle, dataset: Dataset, arguments: argparse.Namespace) -> None:
    """Lost items, steps and so on, for the bundle as it is; PER is also held against another model beside it."""
    beside = arguments.folder.parent / ("tdm" if bundle.name == OTHER else OTHER)
    for extra in (extra for name in arguments.extras for extra in EXTRAS[name]()):
        if not extra.applies_to(bundle.model, dataset):
            print(f"{bundle.name} {extra.variant}: does not apply to {bundle.name} on {dataset.name}", flush=True)
            continue
        subject = replace(_subject(bundle), variant=extra.variant)
        with extra.prepared(bundle.model):
            measurement = extra.measure(bundle.model, dataset, subject, lambda: checkpoint.load(beside).model)
        if arguments.record:
            record(measurement, dataset.test, arguments.record)
        figures = ", ".join(f"{name} {value:.4f}" for name, value in measurement.run.metrics.items() if "@20" in name)
        print(f"{bundle.name} {extra.variant}: {figures or measurement.run.metrics}", flush=True)


def _subject(bundle: Bundle) -> Subject:
    before = bundle.runs[0] if bundle.runs else None
    return Subject(
        model=bundle.name,
        preset=bundle.preset,
        backbone=backbone_name(bundle.model),
        seed=int(bundle.training["seed"]),
        epochs=int(bundle.training["epochs"]),
        seconds_per_epoch=before.seconds_per_epoch if before else float(bundle.training.get("seconds_per_epoch", 0.0)),
        trained_on=before.device if before else bundle.training.get("device"),
    )


def _print_run(run: Run) -> None:
    print(f"{run.model} ({run.preset}, seed {run.seed}) on {run.dataset} {run.split}, {run.protocol}, {run.rows} rows")
    for k in CUTOFFS:
        print(f"  HR@{k} {run.metrics[f'hr@{k}']:.2%}  NDCG@{k} {run.metrics[f'ndcg@{k}']:.2%}")
    for name, value in run.health.items():
        if not isinstance(value, dict):
            print(f"  {name} {value:.4g}" if isinstance(value, float) else f"  {name} {value}")
    print(f"  health: {'; '.join(failures(run.health)) or 'passes'}")


def _print_difference(first: Bundle, second: Bundle, dataset: Dataset) -> None:
    ranks = [evaluate(bundle.model, dataset.test, dataset.protocol).ranks for bundle in (first, second)]
    for metric in ("hr@20", "ndcg@20"):
        difference = paired_difference(ranks[0], ranks[1], dataset.test, metric)
        print(
            f"{first.name} - {second.name} on {dataset.name} test, {metric}: {difference.mean:+.2%} "
            f"(95 % interval {difference.low:+.2%} to {difference.high:+.2%})"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Score a bundle on validation and test and rewrite its metrics.json.")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--against", type=Path, nargs="+", help="compare with these bundles on test instead; writes nothing"
    )
    parser.add_argument("--extras", nargs="+", default=[], choices=OFFERED, help="measure these instead")
    parser.add_argument("--record", type=Path, metavar="FILE", help="also add the runs to this measured.jsonl")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--threads", type=count, help="CPU threads (default: PyTorch's choice)")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    return parser


if __name__ == "__main__":
    main()
