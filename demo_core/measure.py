"""One measurement: evaluate a model on a split, add its health, and write down what was run, where and when."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from demo_core.datasets import Dataset
from demo_core.evaluation import evaluate
from demo_core.health import list_health, route_health
from demo_core.models.base import Recommender
from demo_core.results import Run
from demo_core.runs import Split


@dataclass(frozen=True)
class Subject:
    """Which model is measured. ``epochs`` and ``seconds_per_epoch`` are those of its training."""

    model: str
    preset: str
    backbone: str | None
    seed: int
    epochs: int
    seconds_per_epoch: float
    variant: str | None = None


def measure(model: Recommender, dataset: Dataset, split: Split, subject: Subject) -> Run:
    """Full-ranking metrics and health of ``model`` on a split, every row scored, under the data set's protocol."""
    rows = dataset.test if split == "test" else dataset.validation
    device = next((t.device for t in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    started = time.perf_counter()
    evaluation = evaluate(model, rows, dataset.protocol)
    seconds = time.perf_counter() - started
    counts = dataset.train.target_counts(dataset.catalogue.num_items)
    shares = route_health(model, rows, device)
    if shares:
        # What a history is compared with is how even the *training* histories are.
        shares["evenness_histogram"] = route_health(model, dataset.train, device)["evenness_histogram"]
    return Run(
        model=subject.model,
        preset=subject.preset,
        backbone=subject.backbone,
        dataset=dataset.name,
        protocol=dataset.protocol.name,
        split=split,
        seed=subject.seed,
        variant=subject.variant,
        metrics=evaluation.metrics(),
        rows=len(rows),
        health={**list_health(evaluation, counts), **shares},
        epochs=subject.epochs,
        seconds_per_epoch=round(subject.seconds_per_epoch, 3),
        inference_seconds=round(seconds, 3),
        peak_memory_mb=round(_peak_memory_mb(device), 1),
        config_hash=config_hash(model),
        data_hash=dataset.hash,
        commit=current_commit(),
        device=device_name(device),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def config_hash(model: Recommender) -> str:
    """sha256 of the model's class and settings: equal hashes, equal recipe."""
    content = {"model": type(model).__name__, **model.config.to_dict()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def current_commit() -> str:
    """The commit of the code that runs, with ``+`` when files differ from it; ``unknown`` outside a git checkout."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "demo_core/*.py", "scripts/*.py")
        return head + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def device_name(device: torch.device) -> str:
    """``CUDA: <name of the card>`` or ``CPU``, as the page says it."""
    return f"CUDA: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type.upper()


def _git(*arguments: str) -> str:
    root = Path(__file__).parents[1]
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def _peak_memory_mb(device: torch.device) -> float:
    """Of the GPU where there is one, else of this process; 0 where the system does not tell (Windows)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    if sys.platform == "win32":
        return 0.0
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
