"""Long-term prediction as measurements of the grid: HR and NDCG of the item that comes P = 1, 2, 3, 4 steps later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from demo_core.datasets import LONG_TERM, LONG_TERM_STEPS, Dataset
from demo_core.evaluation import Evaluation
from demo_core.long_term import MODES, evaluate_long_term
from demo_core.measure import Measurement, Subject, Trial, run_of
from demo_core.models.base import Recommender
from demo_core.trials import Extra, no_trials


def foresight() -> tuple[Extra, ...]:
    """``direct=1`` to ``rollout=4``; nothing on data that is split in another way."""
    return tuple(Foresight(f"{mode}={ahead}", mode=mode, ahead=ahead) for mode in MODES for ahead in AHEAD)


AHEAD = range(1, LONG_TERM_STEPS + 1)


@dataclass(frozen=True)
class Foresight(Extra):
    """The item ``ahead`` steps later, by one list or by a ``mode`` "rollout" (``long_term``)."""

    trials: Callable[[Recommender, Dataset], list[Trial]] = field(default=no_trials)
    mode: str = "direct"
    ahead: int = 1

    def applies_to(self, model: Recommender, dataset: Dataset) -> bool:
        return dataset.protocol == LONG_TERM

    def measure(
        self, model: Recommender, dataset: Dataset, subject: Subject, other: Callable[[], Recommender]
    ) -> Measurement:
        started = time.perf_counter()
        ranks = evaluate_long_term(model, dataset.test, dataset.protocol, self.mode).ranks[:, self.ahead - 1]
        seconds = time.perf_counter() - started
        metrics = Evaluation(ranks, ranks[:, None]).metrics()
        return Measurement(run_of(model, dataset, "test", subject, metrics, len(ranks), {}, seconds), ranks[None])
