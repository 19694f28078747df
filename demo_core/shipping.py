"""From a trained model to a bundle with figures: save it, read it back, and measure what was really written.

Weights may be stored in float16, so the figures of a bundle are those of its files, not of the model in memory.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from demo_core import checkpoint
from demo_core.bundle_index import repin
from demo_core.checkpoint import Bundle
from demo_core.datasets import Dataset
from demo_core.measure import Subject, current_commit, measure, record
from demo_core.models.base import RecommenderConfig
from demo_core.runs import Split
from demo_core.sharding import ALONE, Share
from demo_core.training import FitReport

PROBE_ROWS = 500
SPLITS: tuple[Split, ...] = ("validation", "test")


def training_record(report: FitReport, seed: int, config: RecommenderConfig) -> dict[str, Any]:
    """What a bundle tells of its training: seed, epochs, commit, date, and of each phase the best of what chose its
    epoch, under the name of that ("validation_ndcg@20").
    """
    return {
        "seed": seed,
        "epochs": report.epochs,
        "commit": current_commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "_".join(config.selection): report.best,
    }


def ship(
    bundle: Bundle,
    dataset: Dataset,
    subject: Subject,
    folder: Path,
    record_in: Path | None = None,
    share: Share = ALONE,
) -> Bundle:
    """Writes ``bundle`` to ``folder`` with its runs on validation and test, and returns it as it was read back.

    ``record_in``: a ``measured.jsonl`` that gets the runs too. ``share``: of several processes, all of which have to
    call, the main one alone writes and reads files; the others take over its weights and score their rows.

    An index that names the bundle names its new weights from then on.

    Half precision is used where at least 99 % of 500 validation histories keep their 20 best items. Raises what
    :func:`measure.record` does, when the bundle lies there with its runs.
    """
    device = next(iter(bundle.model.state_dict().values())).device
    rows = torch.arange(min(PROBE_ROWS, len(dataset.validation)))
    probe = dataset.validation.history(rows, bundle.model.config.max_length).to(device)
    if share.is_main:
        checkpoint.save(bundle, folder, probe)
        repin(folder)
        bundle = checkpoint.load(folder, device)
    share.from_main(*bundle.model.state_dict().values())
    measured = {split: measure(bundle.model, dataset, split, subject, share=share) for split in SPLITS}
    shipped = replace(bundle, runs=tuple(measurement.run for measurement in measured.values()))
    if share.is_main:
        checkpoint.save(shipped, folder, probe)
        repin(folder)
        if record_in is not None:  # last, as it may fail where the bundle does not
            for split, measurement in measured.items():
                record(measurement, dataset.rows(split), record_in)
    return shipped
