"""Rows of the benchmark figure -> Altair charts, and their files for slides and papers. Pure functions.

Backgrounds are transparent; a chart says its data set, protocol and origin in its own title, so that it stays true
wherever it is pasted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

import altair as alt

from demo_core.benchmark_rows import (
    Row,
    axis_ticks,
    dataset_title,
    definition,
    metric_title,
    popularity,
    protocol,
    seed_numbers,
)
from demo_core.rendering import renderer
from demo_core.results import Result

Theme = Literal["light", "dark"]
ChartFormat = Literal["png", "svg", "pdf", "json"]

TOKENS: dict[Theme, dict[str, str]] = {
    "light": {
        "panel": "#FFFFFF",
        "ink": "#131A2A",
        "muted": "#525D72",
        "line": "#CBD3E0",
        "card": "#B8420B",
        "tdm": "#1B5FC0",
        "gd": "#007558",
    },
    "dark": {
        "panel": "#131B2E",
        "ink": "#EEF2FA",
        "muted": "#A9B5CB",
        "line": "#33415F",
        "card": "#FF9A5C",
        "tdm": "#7FB2FF",
        "gd": "#4FD99A",
    },
}
FONT = "IBM Plex Sans, Segoe UI, Helvetica Neue, Arial, sans-serif"

# Vega's symbol paths live in the square from -1 to 1.
SHAPES = {
    "circle": "circle",
    "square": "M-.85,-.85H.85V.85H-.85Z",
    "triangle": "M0,-1.05L1.02,.8H-1.02Z",
    "capsule": "M-.52,-.65A.52,.52,0,0,1,.52,-.65V.65A.52,.52,0,0,1,-.52,.65Z",
}
LEFT_HALVES = {
    "circle": "M0,-1A1,1,0,0,0,0,1Z",
    "square": "M-.85,-.85H0V.85H-.85Z",
    "triangle": "M0,-1.05V.8H-1.02Z",
    "capsule": "M-.52,-.65A.52,.52,0,0,1,0,-1.17V1.17A.52,.52,0,0,1,-.52,.65Z",
}
MARK_AREA = 190


def benchmark_chart(
    rows: Sequence[Row], theme: Theme = "light", width: int = 520, compact: bool = False
) -> alt.LayerChart:
    """Dots on one axis from 0, per cent, with error bars of one standard deviation over seeds.

    ``width`` of the axis in pixels; ``compact`` leaves the printed values and the subtitle to the page around it.
    Raises ``ValueError`` without rows, or when the rows are not of one data set, protocol and metric.
    """
    dataset, name, metric = _one_figure(rows)
    colours = TOKENS[theme]
    ticks = axis_ticks(rows)
    base = alt.Chart(alt.Data(values=_records(rows, colours))).encode(y=_lines(rows))
    axis = alt.Axis(values=ticks, grid=True, domain=False, ticks=False, format=".6~g")
    scale = alt.Scale(domain=[0, ticks[-1]], nice=False)
    mean = alt.X("mean:Q", title=f"{metric_title(metric)} in per cent", axis=axis, scale=scale)
    layers = [
        *_deviations(base),
        *marks(base, mean),
    ]
    if not compact:
        values = base.mark_text(aria=False, align="left", color=colours["ink"], fontWeight="bold")
        layers.append(values.encode(x=alt.value(width + 12), text="value:N"))
    if (level := popularity(rows)) is not None:
        layers.insert(0, _popularity_line(level, colours["ink"]))
    title = alt.TitleParams(
        f"{metric_title(metric)} on {dataset_title(dataset)}, {name}",
        subtitle=[]
        if compact
        else [protocol(name).description, *origins(row.result for row in rows), "bars: one sd over seeds"],
    )
    chart = alt.layer(*layers).properties(width=width, height=alt.Step(27), title=title)
    return themed(chart, colours)


def health_chart(rows: Sequence[Row], theme: Theme = "light", width: int = 200) -> alt.VConcatChart | None:
    """How personal the lists are: distinct items in all lists, and the overlap of two people's lists in per cent.

    ``None`` when no row states its health. Raises ``ValueError`` as :func:`benchmark_chart` does.
    """
    dataset, name, _ = _one_figure(rows)
    stated = [row for row in rows if row.distinct is not None and row.overlap is not None]
    if not stated:
        return None
    colours = TOKENS[theme]
    lines = alt.Chart(alt.Data(values=_records(stated, colours))).encode(y=_lines(stated))
    panels = []
    for field, meaning in (("distinct", "distinct items"), ("overlap", "overlap of two lists, %")):
        axis = alt.Axis(domain=False, ticks=False, tickCount=4 if width >= 150 else 2)
        amount = alt.X(f"{field}:Q", title=meaning, axis=axis, scale=alt.Scale(zero=True))
        panels.append(alt.layer(*marks(lines, amount)).properties(width=width, height=alt.Step(25)))
    title = alt.TitleParams("How personal the lists are", subtitle=f"{dataset_title(dataset)}, {name}")
    return themed(alt.vconcat(*panels, spacing=22).properties(title=title), colours)


def export(chart: alt.TopLevelMixin, file_format: ChartFormat) -> bytes:
    """The chart as PNG (two pixels a point), SVG, PDF or Vega-Lite JSON, made without a browser or a network."""
    specification = chart.to_json(indent=1)
    if file_format == "json":
        return specification.encode()
    if file_format == "svg":
        return svg(specification).encode()
    if file_format == "pdf":
        return renderer().draw("pdf", svg(specification))
    return renderer().draw("png", specification)


@lru_cache(maxsize=64)
def svg(specification: str) -> str:
    """Vega-Lite JSON -> SVG; the last drawings are kept, since every visitor asks for the same few."""
    return renderer().draw("svg", specification).decode()


def _one_figure(rows: Sequence[Row]) -> tuple[str, str, str]:
    figures = sorted({(row.result.dataset, row.result.protocol, row.result.metric) for row in rows})
    if len(figures) != 1:
        raise ValueError(f"One chart shows one data set, protocol and metric, got {figures or 'no rows'}.")
    return figures[0]


def _label(row: Row) -> str:
    return f"{row.title} · {row.source}"


def _lines(rows: Sequence[Row]) -> alt.Y:
    """One line a row, in the order of the rows whatever a layer leaves out."""
    axis = alt.Axis(domain=False, ticks=False, labelPadding=10)
    return alt.Y("label:N", sort=[_label(row) for row in rows], title=None, axis=axis)


def _records(rows: Sequence[Row], colours: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "label": _label(row),
            "mean": 100 * row.result.mean,
            "low": 100 * (row.result.mean - (row.result.sd or 0)),
            "high": 100 * (row.result.mean + (row.result.sd or 0)),
            "value": row.value,
            "means": definition(row.result.metric),
            "origin": row.result.origin,
            "distinct": row.distinct,
            "overlap": None if row.overlap is None else 100 * row.overlap,
            "colour": colours[row.colour],
            "inside": colours[row.colour] if row.fill == "solid" else colours["panel"],
            "shape": SHAPES[row.shape],
            "half": LEFT_HALVES[row.shape] if row.fill == "half" else "",
            "spoken": f"{row.title}, {row.source}: {row.value} per cent. {definition(row.result.metric)}",
        }
        for row in rows
    ]


def _deviations(base: alt.Chart) -> list[alt.Chart]:
    """One standard deviation to both sides, with ends; nothing where none is stated."""
    stated = base.transform_filter("datum.high > datum.low").encode(color=alt.Color("colour:N", scale=None))
    ends = stated.mark_tick(aria=False, orient="vertical", size=18, thickness=2, opacity=1)
    bar = stated.mark_rule(aria=False, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    return [bar, ends.encode(x="low:Q"), ends.encode(x="high:Q")]


def marks(base: alt.Chart, x: alt.X, area: int = MARK_AREA) -> list[alt.Chart]:
    """The outline with its fill, and on top the left half of the half-filled ones."""
    tooltip = [
        alt.Tooltip("label:N", title="model"),
        alt.Tooltip("value:N", title="%, sd, n"),
        alt.Tooltip("origin:N", title="origin"),
        alt.Tooltip("means:N", title="metric"),
    ]
    outline = base.mark_point(size=area, strokeWidth=2.2, opacity=1).encode(
        x=x,
        shape=alt.Shape("shape:N", scale=None),
        fill=alt.Fill("inside:N", scale=None),
        stroke=alt.Stroke("colour:N", scale=None),
        tooltip=tooltip,
        description="spoken:N",
    )
    half = (
        base.transform_filter("datum.half !== ''")
        .mark_point(aria=False, size=area, strokeWidth=0, opacity=1)
        .encode(x=x, shape=alt.Shape("half:N", scale=None), fill=alt.Fill("colour:N", scale=None), tooltip=tooltip)
    )
    return [outline, half]


def _popularity_line(level: float, colour: str) -> alt.Chart:
    values = alt.Data(values=[{"level": 100 * level, "spoken": f"popularity {100 * level:.2f} per cent"}])
    return (
        alt.Chart(values)
        .mark_rule(strokeDash=[3, 4], strokeWidth=1.6, color=colour)
        .encode(x="level:Q", description="spoken:N")
    )


def origins(results: Iterable[Result]) -> list[str]:
    """Where figures are from, each place once: paper and table, or data, commit, device and seeds."""
    return list(dict.fromkeys(", ".join(filter(None, [one.origin, seed_numbers(one)])) for one in results))


def themed(chart: Any, colours: dict[str, str]) -> Any:
    """Tokens, font and a transparent background; typed loosely because Altair's chart kinds share no useful base."""
    return chart.configure(
        background="transparent",
        font=FONT,
        padding=8,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            gridColor=colours["line"],
            labelColor=colours["ink"],
            labelFlush=False,
            labelFontSize=14,
            labelLimit=320,
            titleAnchor="end",
            titleColor=colours["muted"],
            titleFontSize=13,
            titleFontWeight="normal",
        ),
        title=alt.TitleConfig(
            color=colours["ink"],
            subtitleColor=colours["muted"],
            anchor="start",
            fontSize=16,
            subtitleFontSize=12.5,
            frame="bounds",
            offset=14,
        ),
        text=alt.MarkConfig(fontSize=14),
    )
