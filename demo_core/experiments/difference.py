"""The difference of two measured results with its interval, from the ranks that were kept of every row."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from demo_core.comparison import Difference, difference_between
from demo_core.datasets import DATASETS
from demo_core.measure import RANKS
from demo_core.ranks import KEY, RankFile, RunKey, read_ranks
from demo_core.results import Result

Wanted = tuple[RunKey, str | None]
"""Which runs: their key and their recipe."""


def interval_between(checkpoints: Path, first: Result, second: Result) -> Difference | None:
    """First minus second in their metric, over the seeds that both have.

    ``None`` where the ranks of one were not kept, or no seed or row is common to both. ``ValueError`` for two metrics
    and for a damaged file of ranks.
    """
    return _between(checkpoints, (first, second))


def losses_between(checkpoints: Path, first: tuple[Result, Result], second: tuple[Result, Result]) -> Difference | None:
    """How much less the first loses than the second, each a pair (whole histories, changed histories).

    ``None`` and errors as in :func:`interval_between`.
    """
    return _between(checkpoints, (*first, *second))


def _between(checkpoints: Path, results: tuple[Result, ...]) -> Difference | None:
    metrics = sorted({result.metric for result in results})
    if len(metrics) != 1:
        raise ValueError(f"Expected one metric, got {metrics}.")
    path = checkpoints / RANKS
    if not path.exists():
        return None
    state = (path.stat().st_mtime_ns, path.stat().st_size)
    return _interval(path, state, tuple((_key(result), result.config_hash) for result in results), metrics[0])


@lru_cache(maxsize=256)
def _interval(path: Path, state: tuple[int, int], wanted: tuple[Wanted, ...], metric: str) -> Difference | None:
    file = _ranks(path, state, str(wanted[0][0][KEY.index("dataset")]))
    try:
        return difference_between([file.of(*one) for one in wanted], metric)
    except ValueError:
        # Measured on other rows: nothing to compare.
        return None


@lru_cache(maxsize=1)
def _ranks(path: Path, state: tuple[int, int], dataset: str) -> RankFile:
    """``state`` tells one content of the file from another."""
    return read_ranks(path, dataset)


def _key(result: Result) -> RunKey:
    """As the run was recorded: a run under a variant stands in the file under the protocol of its data set."""
    recorded = DATASETS[result.dataset].protocol.name if result.variant and result.dataset in DATASETS else None
    protocol = recorded or result.protocol
    return result.model, result.preset, result.backbone, result.dataset, protocol, "test", result.variant
