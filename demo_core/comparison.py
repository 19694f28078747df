"""Is one model better than another on the same rows? A paired bootstrap over sequences, by scipy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from demo_core.evaluation import hit_ratio, ndcg
from demo_core.sequences import Rows

MEASURES: dict[str, Callable[[Tensor, int], float]] = {"hr": hit_ratio, "ndcg": ndcg}
RESAMPLES = 5000


@dataclass(frozen=True)
class Difference:
    """Mean difference of a metric, first minus second, as a fraction, with its 95 % interval."""

    mean: float
    low: float
    high: float


def paired_difference(first: Tensor, second: Tensor, rows: Rows, metric: str, *, seed: int = 0) -> Difference:
    """Difference of ``metric`` ("hr@20", "ndcg@20", ...) between two models' ranks (R,) on the same ``rows``.

    Whole sequences are drawn, since the prefixes of one session are not independent. Raises ``ValueError`` when the two
    were not measured on the same rows.
    """
    if not len(first) == len(second) == len(rows):
        raise ValueError(f"Expected ranks for the same {len(rows)} rows, got {len(first)} and {len(second)}.")
    name, _, k = metric.partition("@")
    gains = [_gain_by_rank(name, int(k))[ranks.clamp(max=int(k) + 1)] for ranks in (first, second)]
    _, sequence = rows.start.unique(return_inverse=True)
    total = np.bincount(sequence.numpy(), weights=(gains[0] - gains[1]).numpy())
    count = np.bincount(sequence.numpy())
    result = stats.bootstrap(
        (total, count),
        lambda t, n, axis: t.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=200,
        rng=np.random.default_rng(seed),
    )
    interval = result.confidence_interval
    return Difference(float(total.sum() / count.sum()), float(interval.low), float(interval.high))


def _gain_by_rank(name: str, k: int) -> Tensor:
    """What a target at rank 0..k + 1 adds to the metric (rank 0 does not occur, k + 1 stands for all beyond k)."""
    if name not in MEASURES:
        raise ValueError(f"Expected a metric out of {sorted(MEASURES)}, got {name!r}.")
    return torch.tensor(
        [0.0] + [MEASURES[name](torch.tensor([rank]), k) for rank in range(1, k + 2)], dtype=torch.float64
    )
