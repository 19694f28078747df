"""Is one model better than another on the same rows? A paired bootstrap over sequences and seeds, by scipy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from demo_core.evaluation import hit_ratio, ndcg
from demo_core.ranks import BEYOND, RankedRuns, common_seeds
from demo_core.sequences import Rows

MEASURES: dict[str, Callable[[Tensor, int], float]] = {"hr": hit_ratio, "ndcg": ndcg}
RESAMPLES = 5000
AT_ONCE = 25  # resamples; their indices should fit a core's cache: 200 take twice as long, for the same interval


@dataclass(frozen=True)
class Difference:
    """Mean difference of a metric, first minus second, as a fraction, with its 95 % interval.

    ``seeds`` that both models have, ``sequences`` that were drawn.
    """

    mean: float
    low: float
    high: float
    seeds: int
    sequences: int

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out; without that, nobody may be called better."""
        return self.low > 0 or self.high < 0


def compare(first: RankedRuns, second: RankedRuns, metric: str, *, seed: int = 0) -> Difference:
    """Difference of ``metric`` ("hr@20", "ndcg@20", ...) between two models, over the seeds that both have.

    Seed k of one is paired with seed k of the other. Raises ``ValueError`` without a common seed, when the two were not
    measured on the same rows, for an unknown metric, and for one that looks further than ranks are kept.
    """
    _require_kept(metric)
    common = _common_seeds(first, second)
    gains = [torch.stack([_gains(runs.with_seed(k), metric) for k in common]) for runs in (first, second)]
    return bootstrap_difference(gains[0] - gains[1], first.sequence, seed=seed)


def compare_losses(
    first: tuple[RankedRuns, RankedRuns], second: tuple[RankedRuns, RankedRuns], metric: str, *, seed: int = 0
) -> Difference:
    """How much less the first model loses than the second, each a pair (whole histories, changed histories).

    Positive: the first loses less. Errors as in :func:`compare`.
    """
    _require_kept(metric)
    _common_seeds(first[0], second[0])
    common = common_seeds(*first, *second)
    if not common:
        raise ValueError("Expected a seed that was measured with whole and with changed histories for both models.")
    losses = [
        torch.stack([_gains(whole.with_seed(k), metric) - _gains(changed.with_seed(k), metric) for k in common])
        for whole, changed in (first, second)
    ]
    return bootstrap_difference(losses[1] - losses[0], first[0].sequence, seed=seed)


def difference_between(runs: Sequence[RankedRuns | None], metric: str) -> Difference | None:
    """:func:`compare` of two runs, or :func:`compare_losses` of four: whole and changed of the first, then the second.

    ``None`` where one was not measured, or no seed is common to all. Other errors as in :func:`compare`.
    """
    found = [one for one in runs if one is not None]
    if len(found) < len(runs) or not common_seeds(*found):
        return None
    if len(found) == 2:
        return compare(found[0], found[1], metric)
    return compare_losses((found[0], found[1]), (found[2], found[3]), metric)


def paired_difference(first: Tensor, second: Tensor, rows: Rows, metric: str, *, seed: int = 0) -> Difference:
    """:func:`compare` for one run each: ranks (R,) of the same ``rows``, whole, so that any k may be asked for."""
    if not len(first) == len(second) == len(rows):
        raise ValueError(f"Expected ranks for the same {len(rows)} rows, got {len(first)} and {len(second)}.")
    _, sequence = rows.start.unique(return_inverse=True)
    return bootstrap_difference((_gains(first, metric) - _gains(second, metric))[None], sequence, seed=seed)


def bootstrap_difference(difference: Tensor, sequence: Tensor, *, seed: int = 0) -> Difference:
    """Mean of ``difference`` (S seeds, R rows) and its 95 % percentile interval.

    Whole sequences are drawn, since the prefixes of one session are not independent (``sequence`` (R,)), and in each
    draw the seeds are drawn too, since another seed gives another model.
    """
    row = sequence.numpy()
    totals = np.stack([np.bincount(row, weights=values) for values in difference.double().numpy()])  # (S, sequences)
    count = np.bincount(row)
    random = np.random.default_rng(seed)

    def mean(index: np.ndarray, axis: int) -> np.ndarray:
        """(draws, sequences) indices -> (draws,)."""
        index = np.atleast_2d(np.moveaxis(index, axis, -1))
        share = random.multinomial(len(totals), np.full(len(totals), 1 / len(totals)), len(index)) / len(totals)
        drawn = np.stack([of_seed[index].sum(axis=-1) for of_seed in totals], axis=-1)
        return (drawn * share).sum(axis=-1) / count[index].sum(axis=-1)

    result = stats.bootstrap(
        (np.arange(len(count)),),
        mean,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        batch=AT_ONCE,
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return Difference(float(difference.double().mean()), float(low), float(high), len(totals), len(count))


def _common_seeds(first: RankedRuns, second: RankedRuns) -> list[int]:
    common = common_seeds(first, second)
    if not common:
        raise ValueError(f"Expected a seed that both have, got {sorted(first.ranks)} and {sorted(second.ranks)}.")
    if not torch.equal(first.sequence, second.sequence):
        raise ValueError("The two models were not measured on the same rows, so they cannot be compared.")
    return common


def _require_kept(metric: str) -> None:
    """Kept ranks do not tell what lies beyond from what lies further beyond."""
    _, k = _parsed(metric)
    if k >= BEYOND:
        raise ValueError(f"Expected a metric at {BEYOND - 1} or less, as ranks are kept no further, got {metric!r}.")


def _gains(ranks: Tensor, metric: str) -> Tensor:
    """What each row adds to the metric, (R,), averaged over draws: ranks (R,) or (draws, R)."""
    name, k = _parsed(metric)
    by_rank = _gain_by_rank(name, k)
    return by_rank[torch.atleast_2d(ranks).long().clamp(max=k + 1)].mean(dim=0)


def _parsed(metric: str) -> tuple[str, int]:
    """``"hr@20"`` -> ("hr", 20)."""
    name, _, k = metric.partition("@")
    if name not in MEASURES or not k.isdecimal() or int(k) < 1:
        raise ValueError(f"Expected a metric as NAME@K with a name out of {sorted(MEASURES)}, got {metric!r}.")
    return name, int(k)


def _gain_by_rank(name: str, k: int) -> Tensor:
    """What a target at rank 0..k + 1 adds to the metric (rank 0 does not occur, k + 1 stands for all beyond k)."""
    return torch.tensor(
        [0.0] + [MEASURES[name](torch.tensor([rank]), k) for rank in range(1, k + 2)], dtype=torch.float64
    )
