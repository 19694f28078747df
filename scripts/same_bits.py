"""What small trainings and their evaluation come to, as digests: one JSON object a line.

python scripts/same_bits.py toy                   # with PYTHONPATH at the code that is to be asked
python scripts/same_bits.py zhihu --data FOLDER

``scripts.equal_code`` runs it under old and new code and compares the lines, so it uses nothing of ``demo_core`` but
what old code has too. Each model is trained in one go, and a second time with a break and a resume.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from demo_core import datasets
from demo_core.datasets import Dataset
from demo_core.evaluation import evaluate
from demo_core.models import MODELS, create, preset
from demo_core.models.base import Controls, Recommender, RecommenderConfig
from demo_core.sequences import Rows
from demo_core.training import FitReport, fit

SEED = 3
ROWS = 600  # of a real data set's validation and test
BREAK_AFTER = 5  # losses: in the second epoch
SMALL = {"max_epochs": 2, "rows_per_epoch": 90, "batch_size": 32}  # three steps an epoch, the last of 26 rows
TINY = {"embedding_dim": 8, "max_length": 6, "hidden_dim": 16, "learning_rate": 0.01}
BACKBONE = {"backbone_epochs": 2, "backbone_rows_per_epoch": 90, "backbone_batch_size": 32}
REAL = {"max_epochs": 2, "rows_per_epoch": 1400, "backbone_epochs": 2, "backbone_rows_per_epoch": 1400}
VARIANTS = {
    "card": ("weights_from=drop_one", "learned_threshold=True"),
    "globaldiff": ("clusters=4", "step_sampling=importance"),
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Digests of small trainings and of their evaluation.")
    parser.add_argument("dataset", choices=list(datasets.DATASETS))
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = datasets.toy_world(num_sequences=40) if arguments.dataset == "toy" else _part(arguments)
    for title, name, config in _configs(dataset):
        print(json.dumps({"model": title, **_digests(name, config, dataset)}), flush=True)


def _part(arguments: argparse.Namespace) -> Dataset:
    whole = datasets.load(arguments.dataset, arguments.data)
    return dataclasses.replace(whole, validation=_spaced(whole.validation), test=_spaced(whole.test))


def _spaced(rows: Rows) -> Rows:
    index = torch.arange(ROWS) * len(rows) // ROWS
    return Rows(rows.items, rows.start[index], rows.target_at[index], rows.is_last[index])


def _configs(dataset: Dataset) -> Iterator[tuple[str, str, RecommenderConfig]]:
    """Every model with its default, on the toy world also with its other presets and some variants."""
    toy = dataset.name == "toy"
    changes: dict[str, Any] = {**SMALL, **TINY, **BACKBONE} if toy else REAL
    for name in MODELS:
        base = _changed(preset(name, "default", dataset.name, dataset.catalogue.num_items), changes)
        yield name, name, base
        for variant in VARIANTS.get(name, ()) if toy else ():
            yield f"{name} {variant}", name, base.override(variant)
        for kind in MODELS[name].presets if toy else ():
            yield f"{name} {kind}", name, _changed(preset(name, kind, "toy", dataset.catalogue.num_items), SMALL)


def _changed(config: RecommenderConfig, changes: dict[str, Any]) -> RecommenderConfig:
    known = {field.name for field in dataclasses.fields(config)}
    return dataclasses.replace(config, **{name: value for name, value in changes.items() if name in known})


def _digests(name: str, config: RecommenderConfig, dataset: Dataset) -> dict[str, str]:
    """Weights and report of a training, whole and resumed; ranks and lists, plain and after one denoising step."""
    with tempfile.TemporaryDirectory() as folder:
        model, again = create(name, config, SEED), create(name, config, SEED)
        report = fit(model, dataset, seed=SEED, state_file=Path(folder) / "whole", progress=False)
        broken = create(name, config, SEED)
        _break(broken)
        with contextlib.suppress(KeyboardInterrupt):
            fit(broken, dataset, seed=SEED, state_file=Path(folder) / "broken", progress=False)
        second = fit(again, dataset, seed=SEED, state_file=Path(folder) / "broken", progress=False)
    plain = evaluate(model, dataset.test, dataset.protocol, batch_size=100)
    one = evaluate(model, dataset.test, dataset.protocol, controls=Controls(steps=1), top=0)
    return {
        "weights": _digest(*model.state_dict().values()),
        "resumed": _digest(*again.state_dict().values()),
        "report": _told(report),
        "report_resumed": _told(second),
        "ranks": _digest(plain.ranks),
        "lists": _digest(plain.top),
        "ranks_one_step": _digest(one.ranks),
    }


def _break(model: Recommender) -> None:
    """Ctrl-C in loss number ``BREAK_AFTER + 1``, wherever that is."""
    count = 0

    def breaking(original: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def loss(*arguments: Any) -> Tensor:
            nonlocal count
            count += 1
            if count > BREAK_AFTER:
                raise KeyboardInterrupt
            return original(*arguments)

        return loss

    for part in model.modules():
        if isinstance(part, Recommender):  # a backbone is one too
            part.__dict__["loss"] = breaking(part.loss)


def _told(report: FitReport) -> str:
    return f"{report.epochs} epochs, best {report.best!r}"


def _digest(*tensors: Tensor) -> str:
    whole = hashlib.sha256()
    for tensor in tensors:
        whole.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        whole.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return whole.hexdigest()[:16]


if __name__ == "__main__":
    main()
