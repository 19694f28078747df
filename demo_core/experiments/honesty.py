"""Is PER honest? How well a model's weights agree with what dropping an item really does.

Runs of the variant ``per_honesty`` hold Spearman coefficients in place of ranking metrics; :data:`TITLES` are their
names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_core.benchmark_rows import MARKS, Row, row_of
from demo_core.results import Result
from demo_core.variants import PER_HONESTY

WEIGHT_LOG_PROBABILITY = "spearman_weight_log_probability"
WEIGHT_RANK = "spearman_weight_rank"
WEIGHT_KL = "spearman_weight_kl"
PER_LOG_PROBABILITY = "spearman_per_log_probability"
PER_RANK = "spearman_per_rank"
PER_KL = "spearman_per_kl"
RECENCY_LOG_PROBABILITY = "spearman_recency_log_probability"
RECENCY_KL = "spearman_recency_kl"
LOG_PROBABILITY_BETWEEN_MODELS = "spearman_log_probability_between_models"
KL_BETWEEN_MODELS = "spearman_kl_between_models"

TITLES = {
    WEIGHT_LOG_PROBABILITY: "weight and change of the true item's log-probability",
    WEIGHT_RANK: "weight and change of the true item's rank",
    WEIGHT_KL: "weight and change of the whole prediction",
    PER_LOG_PROBABILITY: "PER and change of the true item's log-probability",
    PER_RANK: "PER and change of the true item's rank",
    PER_KL: "PER and change of the whole prediction",
    RECENCY_LOG_PROBABILITY: "recency and change of the true item's log-probability",
    RECENCY_KL: "recency and change of the whole prediction",
    "spearman_weight_size": "weight and size of the log-probability's change, whatever its sign",
    "spearman_per_size": "PER and size of the log-probability's change",
    "spearman_recency_size": "recency and size of the log-probability's change",
    "spearman_recency_rank": "recency and change of the true item's rank",
    "spearman_rank_between_models": "change of the rank, this model and another",
    "spearman_size_between_models": "size of the log-probability's change, this model and another",
    LOG_PROBABILITY_BETWEEN_MODELS: "change of the log-probability, this model and another",
    KL_BETWEEN_MODELS: "change of the whole prediction, this model and another",
}


@dataclass(frozen=True)
class Agreement:
    """One coefficient in [-1, 1] of one model; ``row.result.rows`` is how many histories it rests on."""

    name: str
    row: Row


def agreements(results: Sequence[Result]) -> list[Agreement]:
    """All coefficients of one data set and protocol: by coefficient, then by model."""
    found = [r for r in results if r.variant == PER_HONESTY and r.metric.startswith("spearman_")]
    return [Agreement(title(result.metric), row_of(result)) for result in sorted(found, key=_order)]


def agreement(results: Sequence[Result], dataset: str) -> Result | None:
    """How CARD's weights agree with the change of its whole prediction on a data set, if that was measured."""
    wanted = (dataset, "card", "default", PER_HONESTY, WEIGHT_KL)
    found = (r for r in results if (r.dataset, r.model, r.preset, r.variant, r.metric) == wanted)
    return next(found, None)


def title(metric: str) -> str:
    """What is compared with what."""
    return TITLES.get(metric, metric.removeprefix("spearman_").replace("_", " "))


def _order(result: Result) -> tuple[object, ...]:
    known, own = list(TITLES), list(MARKS)
    return (
        known.index(result.metric) if result.metric in known else len(known),
        result.metric,
        own.index(result.model) if result.model in own else len(own),
        result.model,
        result.preset,
    )
