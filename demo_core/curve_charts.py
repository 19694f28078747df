"""Curves -> Altair charts: a metric, or a time, against a number that was moved. Pure functions.

Colour and shape are the model's, every line carries its name at its right end, and error bars are one standard
deviation over seeds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
from scipy import optimize

from demo_core.axes import Axis
from demo_core.benchmark_rows import Row, dataset_title, metric_title, points
from demo_core.charts import LEFT_HALVES, SHAPES, TOKENS, Theme, marks, origins, themed
from demo_core.experiments.curves import Curve, Point, axis_note, scale_of, vertical_axis
from demo_core.results import Result
from demo_core.variants import SHARES, STEPS, axis_title

LABEL_GAP = 17
"""Pixels between two names at the right end."""
LABEL_LENGTH = 26
MARK_AREA = 110
CROWD = 12
"""With more curves than that, those in the colour of all other models stand back."""
QUIET_AREA = 36
OTHERS = "muted"


class _Size(NamedTuple):
    width: int
    height: int


def curve_chart(
    curves: Sequence[Curve], name: str, theme: Theme = "light", width: int = 380, compact: bool = False
) -> alt.LayerChart:
    """The curves of the variants ``name=value``, ``width`` pixels wide without axis and names.

    The vertical axis need not start at 0 and says so; times stand on a logarithmic one. ``compact`` leaves the title
    to the page. Raises ``ValueError`` without curves, or when they are not of one data set, protocol and metric.
    """
    dataset, protocol, metric = _one_figure(curves)
    colours = TOKENS[theme]
    axis = vertical_axis(curves)
    height = max(210, LABEL_GAP * len(curves) + 30)
    crowded = len(curves) > CROWD
    records = [
        _record(curve.row, point, name, colours) | {"quiet": crowded and curve.row.colour == OTHERS}
        for curve in reversed(curves)
        for point in curve.points
    ]
    x = _horizontal(records, name)
    base = alt.Chart(alt.Data(values=records)).encode(x=x, y=_vertical(axis, metric))
    loud, soft = base.transform_filter("!datum.quiet"), base.transform_filter("datum.quiet")
    layers = [
        *(_lines(soft, 1, 0.6) if crowded else []),
        *(marks(soft, x, QUIET_AREA) if crowded else []),
        *_lines(loud, 2, 1),
        *_names(curves, axis, name, colours, _Size(width, height)),
        *marks(loud, x, MARK_AREA),
    ]
    title = alt.TitleParams(
        f"{_metric_words(metric)} on {dataset_title(dataset)}, {protocol}",
        subtitle=[axis_note(axis), "bars: one sd over seeds", *origins(p.result for c in curves for p in c.points)],
    )
    chart = alt.layer(*layers).properties(width=width, height=height)
    return themed(chart if compact else chart.properties(title=title), colours)


def _lines(base: alt.Chart, weight: float, opacity: float) -> list[alt.Chart]:
    """Curves and their error bars."""
    colour = alt.Color("colour:N", scale=None)
    return [
        base.mark_line(aria=False, strokeWidth=weight, opacity=opacity).encode(color=colour, detail="curve:N"),
        base.transform_filter("datum.high > datum.low")
        .mark_rule(aria=False, strokeWidth=0.8 * weight, opacity=opacity)
        .encode(y="low:Q", y2="high:Q", color=colour),
    ]


def spaced(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved apart to at least ``gap``, in their order, inside ``low`` and ``high`` where there is room."""
    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(len(places))
    # The nearest places, in squares, that keep the gap: a regression that may not fall, once the gaps are taken off.
    nearest = optimize.isotonic_regression(np.asarray(places, dtype=float)[order] - steps).x
    kept = np.clip(nearest, low, max(low, high - steps[-1] if len(places) else low)) + steps
    moved = np.empty(len(places))
    moved[order] = kept
    return [float(place) for place in moved]


def curve_names(curves: Sequence[Curve]) -> list[str]:
    """The model's title, with its preset where the title alone would not tell two curves apart."""
    titles = Counter(curve.row.title for curve in curves)
    several = [titles[c.row.title] > 1 or c.row.result.preset not in ("default", "published") for c in curves]
    names = [f"{c.row.title}, {c.row.source}" if many else c.row.title for c, many in zip(curves, several, strict=True)]
    return [name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…" for name in names]


def _one_figure(curves: Sequence[Curve]) -> tuple[str, str, str]:
    results = [point.result for curve in curves for point in curve.points]
    figures = sorted({(result.dataset, result.protocol, result.metric) for result in results})
    if len(figures) != 1:
        raise ValueError(f"One chart shows one data set, protocol and metric, got {figures or 'no curves'}.")
    return figures[0]


def _metric_words(metric: str) -> str:
    return "Seconds to score the split" if metric.endswith("_seconds") else metric_title(metric)


def _value(result: Result) -> str:
    """``2.57 ± .05 %, n 5`` or ``12.3 ± .4 s, n 3``."""
    if scale_of(result.metric) == 1:
        spread = "" if result.sd is None else f" ± {result.sd:.2g}"
        return f"{result.mean:.3g}{spread} s, n {result.n}"
    spread = "" if result.sd is None else f" ± {points(result.sd)}"
    return f"{100 * result.mean:.2f}{spread} %, n {result.n}"


def _x(point: Point, name: str) -> float:
    return round(100 * point.x, 6) if name in SHARES else point.x


def _record(row: Row, point: Point, name: str, colours: dict[str, str]) -> dict[str, Any]:
    result, x = point.result, _x(point, name)
    mean, deviation = (scale_of(result.metric) * part for part in (result.mean, result.sd or 0))
    where = f"{axis_title(name)}: {x:g}"
    device = f", {result.device}" if scale_of(result.metric) == 1 else ""
    return {
        "curve": f"{row.title} {row.source}{device}",
        "label": f"{row.title} · {row.source}{device}",
        "x": x,
        "mean": mean,
        # A logarithmic axis has no place for 0.
        "low": max(mean - deviation, mean / 10),
        "high": mean + deviation,
        "value": _value(result),
        "means": where,
        "origin": result.origin,
        "colour": colours[row.colour],
        "inside": colours[row.colour] if row.fill == "solid" else colours["panel"],
        "shape": SHAPES[row.shape],
        "half": LEFT_HALVES[row.shape] if row.fill == "half" else "",
        "spoken": f"{row.title}, {row.source}{device}; {where}; {_metric_words(result.metric)} {_value(result)}",
    }


def _horizontal(records: Sequence[dict[str, Any]], name: str) -> alt.X:
    """Every value that was tried has its tick, unless there are too many; steps stand on a logarithmic axis."""
    tried = sorted({record["x"] for record in records})
    log = name == STEPS and tried[0] > 0
    axis = alt.Axis(
        values=tried if len(tried) <= 9 else alt.Undefined,
        grid=False,
        domain=False,
        ticks=False,
        labelOverlap="greedy",
        labelSeparation=6,
        labelPadding=6,
        format=".6~g",
        titleAnchor="start",
    )
    scale = alt.Scale(type="log" if log else "linear", nice=False, zero=False, padding=8)
    return alt.X("x:Q", title=axis_title(name), axis=axis, scale=scale)


def _vertical(axis: Axis, metric: str) -> alt.Y:
    ticks = alt.Axis(values=list(axis.ticks), grid=True, domain=False, ticks=False, format=".6~g", labelPadding=6)
    scale = alt.Scale(type="log" if axis.log else "linear", domain=[axis.ticks[0], axis.ticks[-1]], nice=False)
    title = "seconds" if axis.log else f"{metric_title(metric)}, %"
    return alt.Y("mean:Q", title=title, axis=ticks, scale=scale)


def _names(curves: Sequence[Curve], axis: Axis, name: str, colours: dict[str, str], size: _Size) -> list[alt.Chart]:
    """Each curve's name right of its last point, apart from the others, with a thin line to where it belongs."""
    last = [curve.points[-1] for curve in curves]
    means = [scale_of(point.result.metric) * point.result.mean for point in last]
    places = spaced([size.height * (1 - axis.at(mean)) for mean in means], LABEL_GAP, 6, size.height - 6)
    values = [
        {
            "text": text,
            "colour": colours[curve.row.colour],
            "x": _x(point, name),
            "mean": mean,
            "place": axis.value(1 - place / size.height),
        }
        for text, curve, point, mean, place in zip(curve_names(curves), curves, last, means, places, strict=True)
    ]
    base = alt.Chart(alt.Data(values=values)).encode(color=alt.Color("colour:N", scale=None))
    edge = alt.value(size.width + 14)
    thread = base.mark_rule(aria=False, strokeWidth=1, opacity=0.6).encode(x="x:Q", x2=edge, y="mean:Q", y2="place:Q")
    text = base.mark_text(aria=False, align="left", dx=4, fontSize=13, fontWeight="bold")
    return [thread, text.encode(x=edge, y="place:Q", text="text:N")]
