"""Which curves the page has: their keys, their curves, and the table behind each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo_core.benchmark_rows import metric_title, points
from demo_core.experiments.curves import Curve, axis_note, curves, settings, vertical_axis
from demo_core.experiments.times import SCORING
from demo_core.results import Result
from demo_core.ui.components.benchmarks.offer import Choice, Offer
from demo_core.variants import DELETED, INSERTED, SHARES, STEPS, axis_title

SETTING, TIME = "setting:", "time:"


@dataclass(frozen=True)
class Figure:
    """A set of curves over the variants ``name=value``; ``key`` is how the page asks for it."""

    key: str
    name: str
    title: str
    curves: tuple[Curve, ...]


def figures(offer: Offer, choice: Choice) -> list[Figure]:
    """All curve figures that have something to show for the choice."""
    results = offer.chosen([*offer.results, *offer.variants], choice, choice.protocol)
    times = [result for result in offer.chosen(offer.times, choice, choice.protocol) if result.source == "measured"]
    metric = metric_title(choice.metric)
    wanted: list[tuple[str, str, str, Sequence[Result], str]] = [
        (DELETED, DELETED, f"{metric} when items are missing", results, choice.metric),
        (INSERTED, INSERTED, f"{metric} when random items are added", results, choice.metric),
        (STEPS, STEPS, f"{metric} and denoising steps", results, choice.metric),
        (TIME + STEPS, STEPS, "Seconds to score the test split", times, SCORING),
        *(
            (SETTING + name, name, f"{metric} and {axis_title(name)}", results, choice.metric)
            for name in settings(results)
        ),
    ]
    made = [Figure(key, name, title, tuple(curves(of, name, metric))) for key, name, title, of, metric in wanted]
    return [figure for figure in made if figure.curves]


def figure_block(figure: Figure) -> dict[str, Any]:
    """The figure's frame and its table; the drawing itself is asked for later."""
    values = sorted({point.x for curve in figure.curves for point in curve.points})
    shown = [f"{100 * x:g} %" if figure.name in SHARES else f"{x:g}" for x in values]
    rows = []
    for curve in figure.curves:
        found = {point.x: _value(point.result) for point in curve.points}
        texts = [curve.row.title, curve.row.source, *(found.get(x, "–") for x in values)]
        rows.append([{"text": text, "bad": False} for text in texts])
    heads = [{"text": text, "title": ""} for text in ("Model", "Source", *shown)]
    return {
        "kind": "figure",
        "figure": figure.key,
        "title": figure.title,
        "note": axis_note(vertical_axis(figure.curves)),
        "label": f"{figure.title}, by {axis_title(figure.name)}: {len(figure.curves)} curves",
        "heads": heads,
        "rows": rows,
    }


def _value(result: Result) -> str:
    if result.metric == SCORING:
        return f"{result.mean:.3g} s, n {result.n}"
    spread = "" if result.sd is None else f" ± {points(result.sd)}"
    return f"{100 * result.mean:.2f}{spread}, n {result.n}"
