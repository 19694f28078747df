"""A metric against a number that was moved: missing data, denoising steps, the settings of a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from demo_core import axes
from demo_core.axes import Axis
from demo_core.benchmark_rows import MARKS, Row, row_of
from demo_core.models import MODELS, preset
from demo_core.results import Result
from demo_core.variants import ALL_STEPS, AXES, DELETED, INSERTED, STEPS, changed, is_part, is_setting, parse, title

FIELDS = {STEPS: "inference_steps"}
"""Variants that are called otherwise than the setting they move."""


@dataclass(frozen=True)
class Point:
    """``x`` is the number that was moved."""

    x: float
    result: Result


@dataclass(frozen=True)
class Curve:
    """One model with one preset, its points from left to right. ``row`` says how it is named and marked."""

    row: Row
    points: tuple[Point, ...]


def curves(results: Sequence[Result], name: str, metric: str) -> list[Curve]:
    """Every model's curve of ``metric`` over the variants ``name=value``, with the run that moved nothing in its place;
    a model that was trained with a changed part has a curve of its own.

    ``results`` are of one data set and one protocol, else ``ValueError``; a model without such a variant has no curve.
    Times (``inference_seconds``) of two devices never share a curve.
    """
    if len({(result.dataset, result.protocol) for result in results}) > 1:
        raise ValueError("One figure shows one data set under one protocol.")
    groups: dict[tuple[object, ...], dict[float, Result]] = defaultdict(dict)
    plain: dict[tuple[object, ...], Result] = {}
    for result in (result for result in results if result.metric == metric):
        part, measured = _told_apart(result.variant)
        key = (*_key(result), part)
        if measured is None:
            plain[key] = result
        elif (value := _moved(result, measured, name)) is not None:
            groups[key][value] = result
    for key, found in groups.items():
        if key in plain and (value := unmoved(name, plain[key])) is not None:
            found.setdefault(value, plain[key])
    made = [
        Curve(_row(plain.get(key, next(iter(found.values())))), tuple(Point(x, found[x]) for x in sorted(found)))
        for key, found in groups.items()
    ]
    return sorted(made, key=_order)


def _told_apart(variant: str | None) -> tuple[str | None, str | None]:
    """The changed part of the model, and what was measured of it beyond the plain test; ``None`` for neither."""
    return (variant, None) if variant is None or is_part(variant) else changed(variant)


def _row(result: Result) -> Row:
    """Of the unmoved run, or of a point where there is none: a changed part is told behind the preset."""
    row, (part, _) = row_of(result), _told_apart(result.variant)
    return row if part is None else replace(row, source=f"{row.source}, {title(part)}")


def _moved(result: Result, variant: str, name: str) -> float | None:
    """The number a variant moved ``name`` to; "all" steps are as many as the model was trained with."""
    if name == STEPS and variant == ALL_STEPS:
        return _configured(result, "diffusion_steps")
    moved, value = parse(variant)
    return value if moved == name else None


def settings(results: Sequence[Result]) -> list[str]:
    """The settings that were swept, the known ones first."""
    found = {parse(r.variant).name for r in results if r.variant is not None and is_setting(r.variant)}
    return [name for name in AXES if name in found] + sorted(found - set(AXES))


def vertical_axis(curves: Sequence[Curve]) -> Axis:
    """Round ticks around all means and deviations, in per cent; powers of ten for times, in seconds."""
    results = [point.result for curve in curves for point in curve.points]
    scale = scale_of(results[0].metric)
    if scale == 1:
        return axes.logarithmic([result.mean for result in results])
    ends = [scale * (result.mean + sign * (result.sd or 0)) for result in results for sign in (-1, 1)]
    return axes.close_up(ends)


def axis_note(axis: Axis) -> str:
    """What has to be known before heights are compared."""
    if axis.log:
        return "Equal steps upwards are equal ratios."
    return "Axis starts at 0." if axis.from_zero else f"Axis starts at {axis.ticks[0]:g} %, not at 0."


def scale_of(metric: str) -> int:
    """Ranking metrics are shown in per cent, times in seconds."""
    return 1 if metric.endswith("_seconds") else 100


def unmoved(name: str, result: Result) -> float | None:
    """Where the run without a variant stands: nothing is missing, and a setting is what the preset says.

    ``None`` where the model has no such number.
    """
    return 0.0 if name in (DELETED, INSERTED) else _configured(result, FIELDS.get(name, name))


def _configured(result: Result, field: str) -> float | None:
    """What the result's preset says; ``None`` where the model has no such number."""
    if result.model not in MODELS:
        return None
    try:
        config = preset(result.model, result.preset, result.dataset, num_items=1)
    except ValueError:
        return None
    value = getattr(config, field, None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _key(result: Result) -> tuple[object, ...]:
    device = result.device if result.metric.endswith("_seconds") else None
    return result.model, result.preset, result.backbone, result.source, device


def _order(curve: Curve) -> tuple[object, ...]:
    model, own = curve.row.result.model, list(MARKS)
    return own.index(model) if model in own else len(own), curve.row.title, curve.row.source
