"""Results and a visitor's choice -> the plain values that the benchmark component draws.

The choice comes from a browser and is not trusted: whatever is not on offer is replaced by what is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo_core.benchmark_rows import (
    ALL_PROTOCOLS,
    Row,
    axis_ticks,
    dataset_title,
    definition,
    metric_title,
    points,
    popularity,
    protocol,
    rows,
)
from demo_core.results import Result, collect, table
from demo_core.ui.components.benchmarks.verdict import verdict

DATASET_ORDER = ("movielens", "zhihu", "ml-1m", "beauty", "yoochoose", "kuairec")
METRIC_ORDER = ("hr@10", "hr@20", "hr@50", "ndcg@10", "ndcg@20", "ndcg@50")
DEFAULT_METRIC = "hr@20"
SIDE_BY_SIDE = "These numbers follow different protocols, so they are shown side by side, not on one axis."


@dataclass(frozen=True)
class Choice:
    """What is shown. ``beside`` asks for the data set's other protocols too, each on an axis of its own."""

    dataset: str
    protocol: str
    metric: str
    beside: bool = False


@dataclass(frozen=True)
class Offer:
    """All results, and what can be chosen among them."""

    results: tuple[Result, ...]
    problems: tuple[str, ...]

    @classmethod
    def read(cls, checkpoints: Path) -> Offer:
        """Published and measured results as they are on disk now; only ranking metrics."""
        ranking = [result for result in table(checkpoints) if result.metric in METRIC_ORDER]
        unknown = sorted({result.protocol for result in ranking} - set(ALL_PROTOCOLS))
        problems = [f"Runs under {name!r} were left out: no such protocol is known." for name in unknown]
        known = tuple(result for result in ranking if result.protocol not in unknown)
        return cls(known, (*collect(checkpoints).problems, *problems))

    def datasets(self) -> list[str]:
        """Data sets in the order of the page."""
        names = {result.dataset for result in self.results}
        return [name for name in DATASET_ORDER if name in names] + sorted(names - set(DATASET_ORDER))

    def protocols(self, dataset: str) -> list[str]:
        """The data set's protocols, those we measured under first."""
        found = [result for result in self.results if result.dataset == dataset]
        measured = {result.protocol for result in found if result.source == "measured"}
        return sorted({result.protocol for result in found}, key=lambda name: (name not in measured, name))

    def metrics(self, dataset: str, protocol_name: str) -> list[str]:
        """The metrics known for that data set and protocol."""
        names = {result.metric for result in self.of(dataset, protocol_name)}
        return [name for name in METRIC_ORDER if name in names]

    def of(self, dataset: str, protocol_name: str) -> list[Result]:
        """The results of one data set under one protocol."""
        return [r for r in self.results if (r.dataset, r.protocol) == (dataset, protocol_name)]

    def choose(self, asked: object, dataset: str) -> Choice:
        """The choice closest to what was asked; ``dataset`` is the page's own."""
        wishes = asked if isinstance(asked, dict) else {}
        name = _offered(wishes.get("dataset"), self.datasets(), dataset)
        protocol_name = _offered(wishes.get("protocol"), self.protocols(name), None)
        metric = _offered(wishes.get("metric"), self.metrics(name, protocol_name), DEFAULT_METRIC)
        return Choice(name, protocol_name, metric, wishes.get("beside") is True and len(self.protocols(name)) > 1)

    def rows(self, choice: Choice) -> list[Row]:
        """The rows of the chosen figure."""
        return rows(self.of(choice.dataset, choice.protocol), choice.metric)


def _offered(wish: object, offered: Sequence[str], default: str | None) -> str:
    """The wish if it is on offer, else the default if that is, else the first on offer (the papers' tables exist)."""
    return next(name for name in (wish, default, *offered) if isinstance(name, str) and name in offered)


def view(offer: Offer, choice: Choice) -> dict[str, Any]:
    """Everything the component draws, as plain values; titles are not escaped here."""
    shown = offer.rows(choice)
    headline, reason = verdict(shown)
    protocols = offer.protocols(choice.dataset)
    names = [choice.protocol] + ([p for p in protocols if p != choice.protocol] if choice.beside else [])
    return {
        "choice": {
            "dataset": choice.dataset,
            "protocol": choice.protocol,
            "metric": choice.metric,
            "beside": choice.beside,
        },
        "verdict": headline,
        "reason": reason,
        "datasets": [{"name": name, "title": dataset_title(name)} for name in offer.datasets()],
        "protocols": [{"name": name, "title": name} for name in protocols],
        "metrics": [
            {"name": name, "title": metric_title(name)} for name in offer.metrics(choice.dataset, choice.protocol)
        ],
        "definition": definition(choice.metric),
        "charts": [_chart(offer, choice.dataset, name, choice.metric) for name in names],
        "message": SIDE_BY_SIDE if choice.beside else None,
        "problems": list(offer.problems),
        "elsewhere": [_elsewhere(offer, name) for name in _all_protocols(offer)],
    }


def _chart(offer: Offer, dataset: str, name: str, metric: str) -> dict[str, Any]:
    shown = rows(offer.of(dataset, name), metric)
    level = popularity(shown)
    ticks = axis_ticks(shown)
    return {
        "protocol": name,
        "description": protocol(name).description,
        "metric": metric_title(metric),
        "ticks": ticks,
        "popularity": None if level is None else 100 * level,
        "rows": [_row(row, i == 0 or shown[i - 1].title != row.title) for i, row in enumerate(shown)],
        "caption": _caption(dataset, name, shown),
    }


def _row(row: Row, first: bool) -> dict[str, Any]:
    result = row.result
    return {
        "title": row.title,
        "first": first,
        "source": row.source,
        "shape": row.shape,
        "colour": row.colour,
        "fill": row.fill,
        "mean": 100 * result.mean,
        "sd": None if result.sd is None else 100 * result.sd,
        "value": f"{100 * result.mean:.2f}",
        "spread": "" if result.sd is None else f"± {points(result.sd)}",
        "n": "n not stated" if result.n is None else f"n {result.n:,}",
        "neverTrained": row.never_trained,
        "distinct": None if row.distinct is None else f"{row.distinct:,.0f}",
        "overlap": None if row.overlap is None else f"{100 * row.overlap:.0f} %",
        "failures": list(row.failures),
        "origin": result.origin,
    }


def _caption(dataset: str, name: str, shown: Sequence[Row]) -> list[str]:
    scored = sorted({row.result.rows for row in shown if row.result.rows})
    counts = f", {', '.join(f'{number:,}' for number in scored)} test rows" if scored else ""
    measured = ["measured: epoch chosen on validation"] if scored else []
    origins = list(dict.fromkeys(row.result.origin for row in shown))
    return [f"{dataset_title(dataset)}{counts}", name, *measured, *origins, "bars: one sd over seeds, none with n 1"]


def _all_protocols(offer: Offer) -> list[str]:
    return list(dict.fromkeys(name for dataset in offer.datasets() for name in offer.protocols(dataset)))


def _elsewhere(offer: Offer, name: str) -> dict[str, Any]:
    datasets = [dataset for dataset in offer.datasets() if name in offer.protocols(dataset)]
    return {
        "protocol": name,
        "description": protocol(name).description,
        "datasets": [{"name": dataset, "title": dataset_title(dataset)} for dataset in datasets],
    }
