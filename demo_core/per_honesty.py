"""Is PER honest? For every history item: its PER and weight, against what leaving it out really does to the answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from demo_core.counterfactual import agreement, drop_one
from demo_core.datasets import Dataset
from demo_core.measure import Measurement, Subject, Trial, run_of
from demo_core.models.base import Recommender, RouteExplanation
from demo_core.sequences import Rows
from demo_core.trials import Extra, no_trials
from demo_core.variants import PER_HONESTY

HISTORIES = 700
FEWEST_ITEMS = 3  # with fewer there is nothing to route and hardly anything to rank


def honesty() -> tuple[Extra, ...]:
    """The only extra of this kind."""
    return (Honesty(),)


@dataclass(frozen=True)
class Honesty(Extra):
    """Rank correlations over 700 random test histories of at least three items; ``metrics`` are those of
    :func:`counterfactual.agreement`, undefined ones left out.
    """

    variant: str = PER_HONESTY
    trials: Callable[[Recommender, Dataset], list[Trial]] = field(default=no_trials)

    def applies_to(self, model: Recommender, dataset: Dataset) -> bool:
        """Models that order items by a history, and data with long enough ones."""
        return any(True for _ in model.parameters()) and len(_long_enough(dataset.test)) > 1

    def measure(
        self, model: Recommender, dataset: Dataset, subject: Subject, other: Callable[[], Recommender]
    ) -> Measurement:
        """The same histories for every model; ``other`` is asked about them too."""
        started = time.perf_counter()
        rows = _long_enough(dataset.test)
        chosen = rows[torch.randperm(len(rows), generator=Generator().manual_seed(0))[:HISTORIES]]
        device = next(model.parameters()).device
        history = dataset.test.history(chosen, model.config.max_length).to(device)
        target = dataset.test.target[chosen].to(device)
        own = drop_one(model, history, target)
        theirs = drop_one(other().to(device).eval(), history, target)
        told = model.explain(history)
        found = agreement(history, own, told if isinstance(told, RouteExplanation) else None, theirs)
        metrics = {name: value.rho for name, value in found.items() if value.rho is not None}
        seconds = time.perf_counter() - started
        run = run_of(model, dataset, "test", subject, metrics, len(chosen), {}, seconds)
        return Measurement(run, torch.empty(1, 0, dtype=torch.int64))


def _long_enough(rows: Rows) -> Tensor:
    """Indices of the rows whose histories hold at least three items."""
    return (rows.target_at - rows.start >= FEWEST_ITEMS).nonzero().squeeze(1)
