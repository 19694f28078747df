"""The Benchmarks page: published and measured figures, one protocol at a time, with what the lists are made of."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from demo_core.benchmark_rows import Row, table_csv
from demo_core.charts import ChartFormat, Theme, benchmark_chart, export, health_chart, svg
from demo_core.engine import Engine
from demo_core.ui.components.benchmarks import benchmark_page
from demo_core.ui.components.benchmarks.view import Offer, view

FORMATS: dict[str, tuple[ChartFormat, str, str]] = {
    "png": ("png", "png", "image/png"),
    "svg": ("svg", "svg", "image/svg+xml"),
    "vega-lite": ("json", "vl.json", "application/json"),
}
PAGE_WIDTH = 325
THEMES: tuple[Theme, ...] = ("light", "dark")


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
    """The chosen figure as Altair charts in SVG, ``{"light": [...], "dark": [...]}``; the health chart comes second."""
    offer = Offer.read(checkpoints)
    return {theme: _drawings(offer.rows(offer.choose(asked, dataset)), theme) for theme in THEMES}


def exported(checkpoints: Path, dataset: str, asked: object) -> dict[str, Any]:
    """The chosen figure as a file: ``{"name", "type", "base64"}``, or ``{"message"}`` for an unknown format."""
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
    theme: Theme = "dark" if wishes.get("dark") is True else "light"
    chart_format, suffix, media = FORMATS[wanted]
    return _file(f"{stem}.{suffix}", media, export(benchmark_chart(rows, theme), chart_format))


def _file(name: str, media: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "type": media, "base64": base64.b64encode(content).decode()}


def _drawings(rows: Sequence[Row], theme: Theme) -> list[str]:
    charts = [benchmark_chart(rows, theme, PAGE_WIDTH), health_chart(rows, theme)]
    return [svg(chart.to_json()) for chart in charts if chart is not None]
