"""One measurement: evaluate a model on a split, add its health, and write down what was run, where and when."""

from __future__ import annotations

import contextlib
import hashlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from demo_core.datasets import Dataset
from demo_core.evaluation import Evaluation, Reading, evaluate
from demo_core.health import list_health, route_health
from demo_core.json_lines import drop_partial_line
from demo_core.models.base import Controls, Recommender
from demo_core.ranks import append_ranks, read_ranks
from demo_core.runs import HealthValue, Run, Split, append_run, read_runs
from demo_core.sequences import Rows
from demo_core.sharding import ALONE, Share

RANKS = "ranks.jsonl"
NO_COMMIT = "unknown"
PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Subject:
    """Which model is measured. ``epochs`` and ``seconds_per_epoch`` are those of its training.

    ``trained_on``: the device those seconds are of, if known. A run names one device, so that it holds no seconds (0)
    of a training on another than it is measured on.
    """

    model: str
    preset: str
    backbone: str | None
    seed: int
    epochs: int
    seconds_per_epoch: float
    variant: str | None = None
    trained_on: str | None = None

    def seconds_on(self, device: str) -> float:
        """Seconds per training epoch, or 0 where they were another device's."""
        return round(self.seconds_per_epoch, 3) if self.trained_on in (None, device) else 0.0


@dataclass(frozen=True)
class Trial:
    """One pass over rows: what :func:`evaluation.evaluate` is asked. Several trials of one run are averaged."""

    rows: Rows
    controls: Controls | None = None
    reading: Reading | None = None
    seen: Rows | None = None


@dataclass(frozen=True)
class Measurement:
    """A run and the target ranks behind it, (trials, rows)."""

    run: Run
    ranks: Tensor


def measure(
    model: Recommender,
    dataset: Dataset,
    split: Split,
    subject: Subject,
    trials: Sequence[Trial] = (),
    share: Share = ALONE,
) -> Measurement:
    """Full-ranking metrics and health of ``model`` on a split, every row scored, under the data set's protocol.

    ``trials`` replace the plain pass over the split; metrics and seconds are their means, and the health of the lists
    is that of the first. ``share``: several processes, all of which have to call with the same model, score some rows
    each; the figures are those of all rows in each of them.
    """
    device = next((t.device for t in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    plain = Trial(dataset.rows(split))
    started = time.perf_counter()
    evaluations = [
        evaluate(model, t.rows, dataset.protocol, controls=t.controls, reading=t.reading, seen=t.seen, share=share)
        for t in trials or [plain]
    ]
    seconds = (time.perf_counter() - started) / len(evaluations)
    ranks = torch.stack([evaluation.ranks for evaluation in evaluations])
    counts = dataset.train.target_counts(dataset.catalogue.num_items)
    health = list_health(evaluations[0], counts)
    if not trials:
        health |= _route_health(model, dataset, split, device)
    run = run_of(model, dataset, split, subject, _mean_metrics(evaluations), ranks.shape[1], health, seconds)
    name = device_name(device, share.processes)
    return Measurement(replace(run, device=name, seconds_per_epoch=subject.seconds_on(name)), ranks)


def run_of(
    model: Recommender,
    dataset: Dataset,
    split: Split,
    subject: Subject,
    metrics: dict[str, float],
    rows: int,
    health: dict[str, HealthValue],
    seconds: float,
) -> Run:
    """Figures that were measured just now, in ``seconds``, over ``rows`` rows, with where they are from."""
    device = next((t.device for t in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    return Run(
        model=subject.model,
        preset=subject.preset,
        backbone=subject.backbone,
        dataset=dataset.name,
        protocol=dataset.protocol.name,
        split=split,
        seed=subject.seed,
        variant=subject.variant,
        metrics=metrics,
        rows=rows,
        health=health,
        epochs=subject.epochs,
        seconds_per_epoch=subject.seconds_on(device_name(device)),
        inference_seconds=round(seconds, 3),
        peak_memory_mb=round(_peak_memory_mb(device), 1),
        config_hash=config_hash(model),
        data_hash=dataset.hash,
        commit=current_commit(),
        device=device_name(device),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
    )


def require_recordable(file: Path) -> list[Path]:
    """Before anything is trained that :func:`record` would have to add to ``file``: what a broken-off write left in it
    or in ``ranks.jsonl`` is cut off, and the files where it was come back.

    Raises ``DamagedLineError`` where one of the two cannot be read, ``NotRecordedError`` where it cannot be mended.
    """
    files = (file, file.with_name(RANKS))
    cut = [path for path in files if drop_partial_line(path)]
    read_runs(file)
    read_ranks(files[1])
    return cut


def record(measurement: Measurement, rows: Rows, file: Path) -> None:
    """Adds the run to ``file`` and its ranks to ``ranks.jsonl`` beside it, if every one of ``rows`` was ranked.

    Raises ``NotRecordedError`` where a line cannot be added, ``DamagedLineError`` where ``ranks.jsonl`` cannot be read.
    """
    if measurement.ranks.shape[1] == len(rows):
        append_ranks(file.with_name(RANKS), measurement.run, measurement.ranks, rows)
    append_run(file, measurement.run)


def _mean_metrics(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    each = [evaluation.metrics() for evaluation in evaluations]
    return {name: statistics.fmean(metrics[name] for metrics in each) for name in each[0]}


def _route_health(model: Recommender, dataset: Dataset, split: Split, device: torch.device) -> dict[str, HealthValue]:
    shares = route_health(model, dataset.rows(split), device)
    if shares:
        # What a history is compared with is how even the *training* histories are.
        shares["evenness_histogram"] = route_health(model, dataset.train, device)["evenness_histogram"]
    return shares


def config_hash(model: Recommender) -> str:
    """sha256 of the model's class and settings: equal hashes, equal recipe."""
    content = {"model": type(model).__name__, **model.config.recipe()}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def current_commit() -> str:
    """The commit of the code that runs, with ``+`` when files differ from it; :data:`NO_COMMIT` outside a checkout."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "demo_core/*.py", "scripts/*.py")
        return head + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return NO_COMMIT


def device_name(device: torch.device, processes: int = 1) -> str:
    """``CUDA: <name of the card>`` or ``CPU``, as the page says it; of several processes how many, as seconds depend on
    it.
    """
    name = f"CUDA: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type.upper()
    return name if processes == 1 else f"{name}, {processes} processes"


def _git(*arguments: str) -> str:
    root = Path(__file__).parents[1]
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


def reset_peak_memory(device: torch.device) -> None:
    """Peak memory counts from here on; where the system cannot forget the peak of the process, nothing happens."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif PROCESS.is_dir():
        with contextlib.suppress(OSError):
            (PROCESS / "clear_refs").write_text("5")


def _peak_memory_mb(device: torch.device) -> float:
    """Of the GPU where there is one, else of this process; 0 where the system does not tell (Windows)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    if PROCESS.is_dir():
        lines = (PROCESS / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    if sys.platform == "win32":
        return 0.0
    import resource  # not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
