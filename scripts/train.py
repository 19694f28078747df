"""Train a model and save it as a bundle.

python -m scripts.train card --dataset movielens --seed 0 [--preset default] [--set name=value]
accelerate launch -m scripts.train card --dataset movielens     # several processes or GPUs
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from accelerate import Accelerator

from demo_core import checkpoint, datasets
from demo_core.checkpoint import Bundle
from demo_core.datasets import Dataset
from demo_core.measure import Subject
from demo_core.models import MODELS, backbone_name, create, preset, with_backbone
from demo_core.models.base import Recommender
from demo_core.shipping import ship, training_record
from demo_core.training import FitReport, fit


def main() -> None:
    """The command line."""
    arguments = _parser().parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    dataset = datasets.load(arguments.dataset, arguments.data)
    config = preset(arguments.model, arguments.preset, dataset.name, dataset.catalogue.num_items).override(
        *arguments.set
    )
    backbone = checkpoint.load(arguments.backbone).model if arguments.backbone else None
    model = create(arguments.model, config if backbone is None else with_backbone(config, backbone), arguments.seed)
    if backbone is not None:
        model.get_submodule("backbone").load_state_dict(backbone.state_dict())
    accelerator = Accelerator(cpu=arguments.cpu or not torch.cuda.is_available())
    out = arguments.out or Path("checkpoints") / dataset.name / arguments.model
    report = fit(
        model,
        dataset,
        seed=arguments.seed,
        state_file=out.with_name(out.name + ".training.safetensors"),
        skip=("backbone",) if backbone is not None else (),
        accelerator=accelerator,
    )
    if accelerator.is_main_process:
        _save(model, dataset, arguments, report, out)
    accelerator.wait_for_everyone()
    accelerator.end_training()  # processes that just leave may be broken off with an error while they part


def _save(model: Recommender, dataset: Dataset, arguments: argparse.Namespace, report: FitReport, out: Path) -> None:
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
        training=training_record(report, arguments.seed),
    )
    for run in ship(bundle, dataset, subject, out, arguments.record).runs:
        hit, gain = run.metrics["hr@20"], run.metrics["ndcg@20"]
        print(f"{run.split}: HR@20 {hit:.2%}, NDCG@20 {gain:.2%} ({run.protocol}, {run.rows} rows)")
    print(f"Saved {out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train a model and save it as a bundle.")
    parser.add_argument("model", choices=list(MODELS))
    parser.add_argument("--dataset", required=True, choices=list(datasets.DATASETS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change one setting")
    parser.add_argument("--backbone", type=Path, help="bundle of a trained backbone, for a model that takes one")
    parser.add_argument("--out", type=Path, help="bundle folder (default: checkpoints/DATASET/MODEL)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="also add the runs to this measured.jsonl")
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: PyTorch's choice)")
    parser.add_argument("--cpu", action="store_true", help="stay on the CPU")
    return parser


if __name__ == "__main__":
    main()
