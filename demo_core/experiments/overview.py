"""Every system beside every other: how well each ranks, what it takes, and whether its lists are sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_core.benchmark_rows import dataset_title, model_title, points
from demo_core.datasets import DATASETS
from demo_core.experiments.times import SCORING, TRAINING
from demo_core.health import failures
from demo_core.models import BASELINES
from demo_core.results import Result

METRICS = ("hr@20", "ndcg@20")
PRESET = "default"
HEADS = ("model", "HR@20, %", "NDCG@20, %", "n", "s an epoch", "s for the test", "parameters", "health")


@dataclass(frozen=True)
class System:
    """One model with its default settings on one data set. ``training``: seconds an epoch, ``scoring``: seconds for the
    whole test split, both on the (first) device of its figures; ``None`` where there is none. ``failures`` of its
    health check, ``None`` for a baseline, which has to pass none.
    """

    hits: Result
    gain: Result
    training: Result | None
    scoring: Result | None
    failures: tuple[str, ...] | None

    @property
    def title(self) -> str:
        """``GlobalDiff on SASRec``."""
        under = self.hits.backbone
        return model_title(self.hits.model) + (f" on {model_title(under)}" if under else "")

    @property
    def parameters(self) -> str:
        """``1,204,736``; a dash where they were not counted."""
        return "–" if self.hits.parameters is None else f"{self.hits.parameters:,}"

    @property
    def texts(self) -> tuple[str, ...]:
        """As a line under :data:`HEADS`."""
        times = (_seconds(self.training), _seconds(self.scoring))
        return (
            self.title,
            figure(self.hits),
            figure(self.gain),
            str(self.hits.n),
            *times,
            self.parameters,
            self.health,
        )

    @property
    def health(self) -> str:
        """``passed``, or what is wrong."""
        return "no gate for a baseline" if self.failures is None else "; ".join(self.failures) or "passed"


def overview(results: Sequence[Result], times: Sequence[Result], dataset: str, protocol: str) -> list[System]:
    """The defaults that were measured on ``dataset`` under ``protocol``, best HR@20 first.

    ``results``: ranking metrics, ``times``: :data:`~demo_core.experiments.times.TRAINING` and ``SCORING`` of measured
    runs; variants are left out.
    """
    wanted = ("measured", PRESET, dataset, protocol, None)
    found: dict[tuple[str, str | None], dict[str, Result]] = {}
    for one in [*times, *results]:
        if (one.source, one.preset, one.dataset, one.protocol, one.variant) == wanted:
            found.setdefault((one.model, one.backbone), {})[_key(one)] = one
    systems = [_system(known) for known in found.values() if all(metric in known for metric in METRICS)]
    return sorted(systems, key=lambda system: -system.hits.mean)


def _key(result: Result) -> str:
    """A time belongs to its device, a ranking metric to none."""
    return f"{result.metric} {result.device}" if result.metric in (TRAINING, SCORING) else result.metric


def _system(known: dict[str, Result]) -> System:
    hits, gain = (known[metric] for metric in METRICS)
    device = (hits.device or "").split(" and ")[0]
    training, scoring = (known.get(f"{metric} {device}") for metric in (TRAINING, SCORING))
    wrong = None if hits.model in BASELINES else failures(hits.health) if hits.health else ("not stated",)
    return System(hits, gain, training, scoring, wrong)


def figure(result: Result) -> str:
    """``2.84 ± .18``, in per cent."""
    return f"{100 * result.mean:.2f}" + ("" if result.sd is None else f" ± {points(result.sd)}")


def _seconds(result: Result | None) -> str:
    return "–" if result is None else f"{result.mean:.1f}"


def overview_tables(results: Sequence[Result], times: Sequence[Result], datasets: Sequence[str]) -> str:
    """Markdown: a table a data set, each under a line that says what it is of."""
    made = []
    for name in datasets:
        protocol = DATASETS[name].protocol.name
        systems = overview(results, times, name, protocol)
        rows = next((system.hits.rows for system in systems), None)
        if rows is not None:
            lines = [HEADS, ("---",) * len(HEADS), *(system.texts for system in systems)]
            told = "\n".join(f"| {' | '.join(line)} |" for line in lines)
            made.append(f"{dataset_title(name)}, {protocol}, {rows:,} test rows:\n\n{told}")
    return "\n\n".join(made)
