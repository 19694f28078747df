"""Benchmarks and Family tree of a site: the view for every choice of data set, and of protocol and metric."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo_core.ui import benchmarks, family
from demo_core.ui.components.benchmarks.offer import DEFAULT_METRIC, Offer
from demo_core.ui.static_site.drawings import for_both_themes

Json = dict[str, Any]
METRICS = ("hr@20", "ndcg@20")
"""Those with Altair charts and intervals, which take long to make."""
WIDTHS = {"wide": False, "compact": True}


@dataclass(frozen=True)
class Choices:
    """What can be chosen: protocols by data set, and metrics by both, in the order of the page."""

    metrics: dict[str, dict[str, list[str]]]

    @classmethod
    def read(cls, checkpoints: Path) -> Choices:
        offer = Offer.read(checkpoints)
        return cls({d: {p: offer.metrics(d, p) for p in offer.protocols(d)} for d in offer.datasets()})

    def told(self, dataset: str, thorough: Collection[str]) -> Json:
        """For the page: lists instead of mappings, whose order a browser may change; ``first``: the data set met."""
        found = [
            {"dataset": name, "protocols": [{"protocol": p, "metrics": m} for p, m in protocols.items()]}
            for name, protocols in self.metrics.items()
        ]
        return {"first": dataset, "metric": DEFAULT_METRIC, "thorough": list(thorough), "datasets": found}


def recorded_dataset(checkpoints: Path, first: str, dataset: str, thorough: Collection[str]) -> tuple[Json, Json]:
    """Answers about one data set, and its drawings. ``views``, ``compared`` and ``tables`` by what is chosen; drawings
    by that, the figure and the width. Only the metrics in ``thorough`` are compared and drawn.
    """
    views, compared, tables, drawings = dict[str, Json](), dict[str, Json](), dict[str, Json](), dict[str, list[str]]()
    choices = Choices.read(checkpoints).metrics[dataset]
    for protocol, metrics in choices.items():
        for metric in metrics:
            asked: Json = {"dataset": dataset, "protocol": protocol, "metric": metric}
            key = f"{protocol}|{metric}"
            views[key] = benchmarks.shown(checkpoints, first, asked)
            if len(choices) > 1:
                views[f"{key}|beside"] = benchmarks.shown(checkpoints, first, asked | {"beside": True})
            for figure in figure_names(views[key]):
                tables[f"{key}|{figure or ''}"] = _table(checkpoints, first, asked | {"figure": figure})
                if metric in thorough:
                    drawings |= dict(_drawn(checkpoints, first, asked | {"figure": figure}, f"{key}|{figure or ''}"))
            if metric in thorough:
                compared[key] = benchmarks.difference(checkpoints, first, asked)
    return {"views": views, "compared": compared, "tables": tables}, drawings


def recorded_family(first: str, checkpoints: Path) -> list[Json]:
    """The Family tree with what was measured on each data set, that which a visitor meets before the others."""
    met = family.look(checkpoints, first, {})
    others = [one["name"] for one in met["datasets"] if one["name"] != met["dataset"]]
    return [met, *(family.look(checkpoints, first, {"dataset": name}) for name in others)]


def figure_names(view: Json) -> list[str | None]:
    """The figures of a view; None is the one of all its rows."""
    blocks = [block for section in view["sections"] for block in section["blocks"]]
    return [None, *(block["figure"] for block in blocks if block["kind"] == "figure")]


def _drawn(checkpoints: Path, first: str, asked: Json, key: str) -> Iterator[tuple[str, list[str]]]:
    for width, compact in WIDTHS.items():
        light, dark = (
            benchmarks.figures(checkpoints, first, asked | {"compact": compact, "dark": dark})["drawings"]
            for dark in (False, True)
        )
        yield f"{key}|{width}", [for_both_themes(*pair) for pair in zip(light, dark, strict=True)]


def _table(checkpoints: Path, first: str, asked: Json) -> Json:
    """The figure's table as a file: ``{"name", "text"}``; empty where there is no such figure."""
    file = benchmarks.exported(checkpoints, first, asked | {"format": "csv"})
    return {"name": file["name"], "text": base64.b64decode(file["base64"]).decode()} if "base64" in file else {}
