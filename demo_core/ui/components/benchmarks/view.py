"""Results and a visitor's choice -> the plain values that the benchmark component draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo_core.benchmark_rows import (
    Row,
    axis_ticks,
    dataset_title,
    definition,
    metric_title,
    model_title,
    points,
    popularity,
    protocol,
)
from demo_core.ui.components.benchmarks.dots import provenance, seeds
from demo_core.ui.components.benchmarks.offer import Choice, Offer
from demo_core.ui.components.benchmarks.sections import sections
from demo_core.ui.components.benchmarks.verdict import verdict

SIDE_BY_SIDE = "These numbers follow different protocols, so they are shown side by side, not on one axis."
NOTHING_CHOSEN = "None of the chosen models has a figure here. Choose other models, or all."


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
            "models": None if choice.models is None else list(choice.models),
            "first": choice.first,
            "second": choice.second,
        },
        "verdict": headline,
        "reason": _among(offer, choice) + reason,
        "datasets": [{"name": name, "title": dataset_title(name)} for name in offer.datasets()],
        "protocols": [{"name": name, "title": name, "means": protocol(name).description} for name in protocols],
        "metrics": [
            {"name": name, "title": metric_title(name), "means": definition(name)}
            for name in offer.metrics(choice.dataset, choice.protocol)
        ],
        "models": [{"name": name, "title": model_title(name)} for name in offer.models(choice.dataset)],
        "definition": definition(choice.metric),
        "charts": [_chart(offer, choice, name) for name in names],
        "message": _message(choice, shown),
        "problems": list(offer.problems),
        "elsewhere": [_elsewhere(offer, name) for name in _all_protocols(offer)],
        "sections": sections(offer, choice),
    }


def _among(offer: Offer, choice: Choice) -> str:
    """A verdict over some of the models must say so."""
    if choice.models is None:
        return ""
    offered = offer.models(choice.dataset)
    return f"{sum(name in choice.models for name in offered)} of {len(offered)} models are shown. "


def _message(choice: Choice, shown: Sequence[Row]) -> str | None:
    if not shown:
        return NOTHING_CHOSEN
    return SIDE_BY_SIDE if choice.beside else None


def _chart(offer: Offer, choice: Choice, name: str) -> dict[str, Any]:
    shown = offer.rows(choice, name)
    level = popularity(shown)
    return {
        "protocol": name,
        "description": protocol(name).description,
        "metric": metric_title(choice.metric),
        "means": definition(choice.metric),
        "ticks": axis_ticks(shown),
        "popularity": None if level is None else 100 * level,
        "rows": [_row(row, i == 0 or shown[i - 1].title != row.title) for i, row in enumerate(shown)],
        "caption": _caption(choice.dataset, name, shown),
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
        "n": seeds(result.n),
        "neverTrained": row.never_trained,
        "distinct": None if row.distinct is None else f"{row.distinct:,.0f}",
        "overlap": None if row.overlap is None else f"{100 * row.overlap:.0f} %",
        "failures": list(row.failures),
        "origin": provenance(row),
    }


def _caption(dataset: str, name: str, shown: Sequence[Row]) -> list[str]:
    scored = sorted({row.result.rows for row in shown if row.result.rows})
    counts = f", {', '.join(f'{number:,}' for number in scored)} test rows" if scored else ""
    released = any(row.result.preset == "released" for row in shown)
    exception = ", as released: as the released code chooses it" if released else ""
    measured = [f"measured: epoch chosen on validation{exception}"] if scored else []
    origins = list(dict.fromkeys(row.result.origin for row in shown))
    return [f"{dataset_title(dataset)}{counts}", name, *measured, *origins, "bars: one sd over seeds, none with n 1"]


def _all_protocols(offer: Offer) -> list[str]:
    return list(dict.fromkeys(name for dataset in offer.datasets() for name in offer.protocols(dataset)))


def _elsewhere(offer: Offer, name: str) -> dict[str, Any]:
    datasets = [dataset for dataset in offer.datasets() if name in offer.protocols(dataset)]
    return {
        "protocol": name,
        "datasets": [{"name": dataset, "title": dataset_title(dataset)} for dataset in datasets],
    }
