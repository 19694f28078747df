"""Train a model and save it as a bundle.

python -m scripts.train card --dataset movielens --seed 0 [--preset default] [--set name=value] [--push OWNER/NAME]
accelerate launch --config_file scripts/accelerate/several_gpus.yaml -m scripts.train card --dataset movielens
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from demo_core import checkpoint, datasets
from demo_core.checkpoint import Bundle, BundleError
from demo_core.datasets import Dataset
from demo_core.hub import HubError
from demo_core.job import changed
from demo_core.json_lines import TAKEN_OUT, DamagedLineError, NotRecordedError
from demo_core.measure import Subject, require_recordable
from demo_core.models import MODELS, backbone_name, create, preset, with_backbone
from demo_core.models.base import Recommender
from demo_core.prepared import DataError
from demo_core.sharding import Share
from demo_core.shipping import ship, training_record
from demo_core.training import FitReport, accelerator_for, fit, share_of
from scripts import push
from scripts.messages import as_message, count


def main(words: Sequence[str] | None = None) -> None:
    """The command line, or ``words`` in place of it."""
    parser = argparse.ArgumentParser(description="Train a model and save it as a bundle.")
    parser.add_argument("model", choices=list(MODELS))
    parser.add_argument("--out", type=Path, help="bundle folder (default: checkpoints/DATASET/MODEL)")
    add_options(parser)
    train(parser.parse_args(words))


@as_message(DataError, BundleError, NotRecordedError, DamagedLineError)
def train(arguments: argparse.Namespace) -> None:
    """Trains, saves and pushes one model. ``arguments``: ``model``, ``out``, and what :func:`add_options` reads."""
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.push is not None:
        with as_message(ValueError):
            push.check(arguments.push, arguments)
    if arguments.record is not None:
        for file in require_recordable(arguments.record):
            print(TAKEN_OUT % file)
    dataset = datasets.load(arguments.dataset, arguments.data)
    out = arguments.out or Path("checkpoints") / dataset.name / arguments.model
    checkpoint.require_place(out)
    with as_message(ValueError):
        model = _new_model(arguments, dataset)
    accelerator = accelerator_for(arguments.cpu)
    with as_message(ValueError):  # its loss is not finite, or another training has left its state there
        report = fit(
            model,
            dataset,
            seed=arguments.seed,
            state_file=out.with_name(out.name + ".training.safetensors"),
            skip=("backbone",) if arguments.backbone else (),
            accelerator=accelerator,
        )
    _save(model, dataset, arguments, report, out, share_of(accelerator))
    accelerator.wait_for_everyone()
    accelerator.end_training()  # processes that just leave may be broken off with an error while they part


def _new_model(arguments: argparse.Namespace, dataset: Dataset) -> Recommender:
    """The model as it is before its training, on the trained backbone where one is named. ``ValueError`` for settings
    or a backbone that it cannot take.
    """
    config = preset(arguments.model, arguments.preset, dataset.name, dataset.catalogue.num_items)
    config = changed(config, *arguments.set)
    if arguments.backbone is None:
        return create(arguments.model, config, arguments.seed)
    backbone = checkpoint.load(arguments.backbone)
    if backbone.catalogue.hash != dataset.catalogue.hash:
        raise ValueError(
            f"{arguments.backbone} has another catalogue than {dataset.name}: train a backbone on {dataset.name} first."
        )
    model = create(arguments.model, with_backbone(config, backbone.model), arguments.seed)
    model.get_submodule("backbone").load_state_dict(backbone.model.state_dict())
    return model


def _save(
    model: Recommender, dataset: Dataset, arguments: argparse.Namespace, report: FitReport, out: Path, share: Share
) -> None:
    """In all processes: each scores its rows, the main one writes and tells."""
    subject = Subject(
        model=arguments.model,
        preset=arguments.preset,
        backbone=backbone_name(model),
        seed=arguments.seed,
        epochs=report.epochs,
        seconds_per_epoch=report.seconds_per_epoch,
    )
    bundle = Bundle(
        model=model,
        name=arguments.model,
        preset=arguments.preset,
        dataset=dataset.name,
        protocol=dataset.protocol.name,
        catalogue=dataset.catalogue,
        training=training_record(report, arguments.seed, model.config),
    )
    shipped = ship(bundle, dataset, subject, out, arguments.record, share)
    if not share.is_main:
        return
    for run in shipped.runs:
        hit, gain = run.metrics["hr@20"], run.metrics["ndcg@20"]
        print(f"{run.split}: HR@20 {hit:.2%}, NDCG@20 {gain:.2%} ({run.protocol}, {run.rows} rows)")
    print(f"Saved {out}")
    if arguments.push is not None:
        try:
            push.push(out, arguments.push, arguments)
        except HubError as error:
            raise SystemExit(f"{error} The bundle lies in {out}: python -m scripts.push {out} --repo …") from error


def add_options(parser: argparse.ArgumentParser) -> None:
    """How a model is trained, whichever it is and wherever it goes."""
    parser.add_argument("--dataset", required=True, choices=list(datasets.DATASETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting")
    parser.add_argument("--backbone", type=Path, help="bundle of a trained backbone, for a model that takes one")
    parser.add_argument("--record", type=Path, metavar="FILE", help="also add the runs to this measured.jsonl")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--threads", type=count, help="CPU threads (default: PyTorch's choice)")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    parser.add_argument("--push", metavar="OWNER/NAME", help="push the bundle to the Hub when it is saved")
    push.add_options(parser)


if __name__ == "__main__":
    main()
