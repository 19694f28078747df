"""Figures as Altair charts: drawn for the page, or as a file to take away."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from demo_core.benchmark_rows import Row, table_csv
from demo_core.ui.components.benchmarks.figures import Figure, figures
from demo_core.ui.components.benchmarks.offer import Choice, Offer

# Altair takes half a second to import, which the start of the app can do without: charts are imported on first use.
if TYPE_CHECKING:
    from demo_core.charts import ChartFormat, Theme

FORMATS: dict[str, tuple[ChartFormat, str, str]] = {
    "png": ("png", "png", "image/png"),
    "svg": ("svg", "svg", "image/svg+xml"),
    "pdf": ("pdf", "pdf", "application/pdf"),
    "vega-lite": ("json", "vl.json", "application/json"),
}
PAGE_WIDTH, COMPACT_WIDTH, HEALTH_WIDTH = 325, 95, 270
CURVE_WIDTH, COMPACT_CURVE_WIDTH = 390, 165


@dataclass(frozen=True)
class Asked:
    """What a browser wants of a figure: which one (``None``: the benchmark figure), its look, its file format."""

    figure: str | None
    dark: bool
    compact: bool
    format: object

    @classmethod
    def read(cls, asked: object) -> Asked:
        """From untrusted values; what cannot be understood counts as not said."""
        wishes = asked if isinstance(asked, dict) else {}
        figure = wishes.get("figure")
        return cls(
            figure=figure if isinstance(figure, str) else None,
            dark=wishes.get("dark") is True,
            compact=wishes.get("compact") is True,
            format=wishes.get("format"),
        )

    @property
    def theme(self) -> Theme:
        return "dark" if self.dark else "light"


def drawings(offer: Offer, choice: Choice, asked: Asked) -> list[str]:
    """SVG: one drawing of a curve figure, or the benchmark figure and what its lists are made of where it is known.

    Nothing where there is nothing to draw.
    """
    from demo_core.charts import benchmark_chart, health_chart, svg
    from demo_core.curve_charts import curve_chart

    if asked.figure is not None:
        curves = _curves(offer, choice, asked.figure)
        width = COMPACT_CURVE_WIDTH if asked.compact else CURVE_WIDTH
        charts = [curve_chart(c.curves, c.name, asked.theme, width, compact=True) for c in curves]
        return [svg(chart.to_json()) for chart in charts]
    rows = offer.rows(choice)
    if not rows:
        return []
    width = COMPACT_WIDTH if asked.compact else PAGE_WIDTH
    main = benchmark_chart(rows, asked.theme, width, asked.compact)
    health = health_chart(rows, asked.theme, min(width, HEALTH_WIDTH))
    return [svg(chart.to_json()) for chart in (main, health) if chart is not None]


def file(offer: Offer, choice: Choice, asked: Asked) -> dict[str, Any]:
    """``{"name", "type", "base64"}``, or ``{"message"}`` where there is no such figure or format."""
    from demo_core.charts import benchmark_chart, export
    from demo_core.curve_charts import curve_chart

    wanted = asked.format
    if not isinstance(wanted, str) or wanted not in ("csv", *FORMATS):
        return {"message": f"Expected a format out of csv, {', '.join(FORMATS)}; got {wanted!r}."}
    curves = [] if asked.figure is None else _curves(offer, choice, asked.figure)
    rows = offer.rows(choice) if asked.figure is None else _points(curves)
    if not rows:
        return {"message": "There is no such figure here."}
    parts = ["turnpoint", choice.dataset, choice.protocol, choice.metric.replace("@", ""), *(c.key for c in curves)]
    stem = "-".join(parts).replace(":", "-")
    if wanted == "csv":
        return _file(f"{stem}.csv", "text/csv", table_csv(rows).encode())
    chart_format, suffix, media = FORMATS[wanted]
    if curves:
        content = export(curve_chart(curves[0].curves, curves[0].name, asked.theme), chart_format)
    else:
        content = export(benchmark_chart(rows, asked.theme), chart_format)
    return _file(f"{stem}.{suffix}", media, content)


def _curves(offer: Offer, choice: Choice, key: str) -> list[Figure]:
    """The curve figure of that key, if there is one."""
    return [figure for figure in figures(offer, choice) if figure.key == key]


def _points(found: list[Figure]) -> list[Row]:
    return [replace(c.row, result=point.result) for figure in found for c in figure.curves for point in c.points]


def _file(name: str, media: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "type": media, "base64": base64.b64encode(content).decode()}
