"""How the systems of the tree were measured on one data set, under the protocol in which most of it was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demo_core.benchmark_rows import Row, row_of
from demo_core.families import SYSTEMS
from demo_core.models import BASELINES
from demo_core.results import Result
from demo_core.ui.components.benchmarks.offer import DEFAULT_METRIC, Offer

State = Literal["passed", "failed", "unknown", "baseline", "missing"]
PRESETS = ("default", "released", "paper")


@dataclass(frozen=True)
class Measured:
    """``datasets``: those with a measured default, in the order of the page. ``dataset``, ``protocol`` and ``metric``
    are ``None`` where there is none. ``rows``: by system, its defaults first, those with most seeds before the others.
    """

    datasets: tuple[str, ...]
    dataset: str | None
    protocol: str | None
    metric: str | None
    rows: dict[str, tuple[Row, ...]]

    @classmethod
    def of(cls, offer: Offer, *wishes: object) -> Measured:
        """What was measured on the first data set wished for that has results, else on the first that has any."""
        found = [result for result in offer.results if _counts(result)]
        defaults = [result for result in found if result.preset == "default"]
        datasets = tuple(name for name in offer.datasets() if any(one.dataset == name for one in defaults))
        dataset = next((name for name in (*wishes, *datasets) if isinstance(name, str) and name in datasets), None)
        if dataset is None:
            return cls(datasets, None, None, None, {})
        measured = {one.protocol for one in defaults if one.dataset == dataset}
        protocol = next(name for name in offer.protocols(dataset) if name in measured)
        metrics = offer.metrics(dataset, protocol)
        metric = DEFAULT_METRIC if DEFAULT_METRIC in metrics else metrics[0]
        shown = [one for one in found if (one.dataset, one.protocol, one.metric) == (dataset, protocol, metric)]
        return cls(datasets, dataset, protocol, metric, {name: _rows(shown, name) for name in SYSTEMS})

    def health(self, model: str) -> tuple[State, tuple[str, ...]]:
        """The state of a system's default, and what keeps it from being called healthy."""
        row = self.default(model)
        if row is None:
            return "missing", ()
        if row.failures:
            return "failed", row.failures
        if model in BASELINES:
            return "baseline", ()
        return ("passed" if row.fill == "solid" else "unknown"), ()

    def default(self, model: str) -> Row | None:
        """The row that stands for a system; ``None`` where its default was not measured."""
        rows = self.rows.get(model, ())
        return rows[0] if rows and rows[0].result.preset == "default" else None


def _counts(result: Result) -> bool:
    return result.source == "measured" and result.variant is None and result.preset in PRESETS


def _rows(results: list[Result], model: str) -> tuple[Row, ...]:
    own = [one for one in results if one.model == model]
    own.sort(key=lambda one: (PRESETS.index(one.preset), -(one.n or 0), -one.mean))
    return tuple(row_of(one) for one in own)
