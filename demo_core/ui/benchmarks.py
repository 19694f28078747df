"""The Benchmarks page: published and measured figures, one protocol at a time, with what the lists are made of."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_core.benchmark_rows import table_csv
from demo_core.engine import Engine
from demo_core.ui.components.benchmarks import benchmark_page
from demo_core.ui.components.benchmarks.view import Offer, view

if TYPE_CHECKING:
    from demo_core.charts import ChartFormat, Theme

FORMATS: dict[str, tuple[ChartFormat, str, str]] = {
    "png": ("png", "png", "image/png"),
    "svg": ("svg", "svg", "image/svg+xml"),
    "vega-lite": ("json", "vl.json", "application/json"),
}
PAGE_WIDTH, COMPACT_WIDTH, HEALTH_WIDTH = 325, 95, 270


def build(engine: Engine, checkpoints: Path) -> None:
    """Place the page in the current Gradio context. Results are read anew at every look, so new runs show at once."""

    def look(asked: Any) -> dict[str, Any]:
        return shown(checkpoints, engine.dataset, asked)

    def figure(asked: Any) -> dict[str, Any]:
        return figures(checkpoints, engine.dataset, asked)

    def download(asked: Any) -> dict[str, Any]:
        return exported(checkpoints, engine.dataset, asked)

    benchmark_page(look, figure, download)


def shown(checkpoints: Path, dataset: str, asked: object) -> dict[str, Any]:
    """The page's content for what was asked; ``dataset`` is where a visitor starts."""
    offer = Offer.read(checkpoints)
    return view(offer, offer.choose(asked, dataset))


def figures(checkpoints: Path, dataset: str, asked: object) -> dict[str, list[str]]:
    """The chosen figure as Altair charts in SVG, ``{"drawings": [...]}``; the health chart comes second.

    ``asked["dark"]`` and ``asked["compact"]`` fit them to the page's theme and to a phone.
    """
    # Altair takes half a second to import, which the start of the app can do without.
    from demo_core.charts import benchmark_chart, health_chart, svg

    offer = Offer.read(checkpoints)
    rows = offer.rows(offer.choose(asked, dataset))
    width = COMPACT_WIDTH if _flag(asked, "compact") else PAGE_WIDTH
    charts = [
        benchmark_chart(rows, _theme(asked), width, compact=width == COMPACT_WIDTH),
        health_chart(rows, _theme(asked), min(width, HEALTH_WIDTH)),
    ]
    return {"drawings": [svg(chart.to_json()) for chart in charts if chart is not None]}


def exported(checkpoints: Path, dataset: str, asked: object) -> dict[str, Any]:
    """The chosen figure as a file: ``{"name", "type", "base64"}``, or ``{"message"}`` for an unknown format."""
    from demo_core.charts import benchmark_chart, export

    wishes = asked if isinstance(asked, dict) else {}
    offer = Offer.read(checkpoints)
    choice = offer.choose(asked, dataset)
    rows = offer.rows(choice)
    stem = f"turnpoint-{choice.dataset}-{choice.protocol}-{choice.metric.replace('@', '')}"
    wanted = wishes.get("format")
    if wanted == "csv":
        return _file(f"{stem}.csv", "text/csv", table_csv(rows).encode())
    if not isinstance(wanted, str) or wanted not in FORMATS:
        return {"message": f"Expected a format out of csv, {', '.join(FORMATS)}; got {wanted!r}."}
    chart_format, suffix, media = FORMATS[wanted]
    return _file(f"{stem}.{suffix}", media, export(benchmark_chart(rows, _theme(asked)), chart_format))


def _file(name: str, media: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "type": media, "base64": base64.b64encode(content).decode()}


def _flag(asked: object, name: str) -> bool:
    return isinstance(asked, dict) and asked.get(name) is True


def _theme(asked: object) -> Theme:
    return "dark" if _flag(asked, "dark") else "light"
