"""From a trained model to a bundle with figures: save it, read it back, and measure what was really written.

Weights may be stored in float16, so the figures of a bundle are those of its files, not of the model in memory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from demo_core import checkpoint
from demo_core.checkpoint import Bundle
from demo_core.datasets import Dataset
from demo_core.measure import Subject, measure

PROBE_ROWS = 500


def ship(bundle: Bundle, dataset: Dataset, subject: Subject, folder: Path) -> Bundle:
    """Writes ``bundle`` to ``folder`` with its runs on validation and test, and returns it as it was read back.

    Half precision is used where at least 99 % of 500 validation histories keep their 20 best items.
    """
    device = next(iter(bundle.model.state_dict().values())).device
    rows = torch.arange(min(PROBE_ROWS, len(dataset.validation)))
    probe = dataset.validation.history(rows, bundle.model.config.max_length).to(device)
    checkpoint.save(bundle, folder, probe)
    shipped = checkpoint.load(folder, device)
    runs = (
        measure(shipped.model, dataset, "validation", subject),
        measure(shipped.model, dataset, "test", subject),
    )
    shipped = replace(shipped, runs=runs)
    checkpoint.save(shipped, folder, probe)
    return shipped
