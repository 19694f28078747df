"""Lines with marks on one or two axes, as plain values that ``dots.js`` draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo_core.axes import Axis
from demo_core.benchmark_rows import Row, points, protocol, seed_numbers


@dataclass(frozen=True)
class Dot:
    """A value on an axis, with its bar from ``low`` to ``high`` where there is one. ``text`` and ``spread`` are written
    beside it; ``n`` says on how many seeds it rests.
    """

    mean: float
    low: float | None
    high: float | None
    text: str
    spread: str
    n: str
    origin: str


@dataclass(frozen=True)
class Line:
    """One line: its name (written once for equal neighbours), what it comes from, and a dot (or none) per axis."""

    name: str
    source: str
    row: Row
    dots: tuple[Dot | None, ...]


@dataclass(frozen=True)
class Scale:
    """A titled axis; ``unit`` is written at its last tick, ``level`` is a dotted line with its words."""

    title: str
    axis: Axis
    unit: str = ""
    level: tuple[float, str] | None = None


def seeds(n: int | None) -> str:
    """``n 5`` or ``n not stated``."""
    return "n not stated" if n is None else f"n {n:,}"


def percent_dot(row: Row) -> Dot:
    """A ranking metric in per cent, its bar one standard deviation over seeds."""
    result = row.result
    mean, deviation = 100 * result.mean, None if result.sd is None else 100 * result.sd
    return Dot(
        mean,
        None if deviation is None else max(0.0, mean - deviation),
        None if deviation is None else mean + deviation,
        f"{mean:.2f}",
        "" if result.sd is None else f"± {points(result.sd)}",
        seeds(result.n),
        provenance(row),
    )


def provenance(row: Row) -> str:
    """Where a figure comes from: paper and table, or data, commit, device, seeds and date of the newest run."""
    result = row.result
    return ", ".join(part for part in (result.origin, seed_numbers(result), (result.date or "")[:10]) if part)


def dots(
    title: str, lines: Sequence[Line], scales: Sequence[Scale], protocol_name: str | None = None, note: str = ""
) -> dict[str, Any]:
    """The block as plain values; every place on an axis is a share of its length."""
    return {
        "kind": "dots",
        "title": title,
        "protocol": protocol_name and {"name": protocol_name, "description": protocol(protocol_name).description},
        "note": note,
        "scales": [_scale(scale) for scale in scales],
        "rows": [_line(line, i == 0 or lines[i - 1].name != line.name, scales) for i, line in enumerate(lines)],
    }


def _scale(scale: Scale) -> dict[str, Any]:
    return {
        "title": scale.title,
        "unit": scale.unit,
        "ticks": [{"at": scale.axis.at(tick), "text": f"{tick:,g}".replace("-", "−")} for tick in scale.axis.ticks],
        "level": scale.level and {"at": scale.axis.at(scale.level[0]), "text": scale.level[1]},
    }


def _line(line: Line, first: bool, scales: Sequence[Scale]) -> dict[str, Any]:
    return {
        "name": line.name,
        "first": first,
        "source": line.source,
        "shape": line.row.shape,
        "colour": line.row.colour,
        "fill": line.row.fill,
        "failures": list(line.row.failures),
        "cells": [_dot(dot, scale.axis) for dot, scale in zip(line.dots, scales, strict=True)],
    }


def _dot(dot: Dot | None, axis: Axis) -> dict[str, Any] | None:
    if dot is None:
        return None
    return {
        "at": axis.at(dot.mean),
        "low": None if dot.low is None else axis.at(dot.low),
        "high": None if dot.high is None else axis.at(dot.high),
        "value": dot.text,
        "spread": dot.spread,
        "n": dot.n,
        "origin": dot.origin,
    }
