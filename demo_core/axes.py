"""Axes of figures: where a value stands between the ends, and round ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ROUND = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Axis:
    """From the first of ``ticks`` to the last; ``log``: equal steps are equal ratios."""

    ticks: tuple[float, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """Where ``value`` stands: 0 at the first tick, 1 at the last, held inside."""
        low, high = self.ticks[0], self.ticks[-1]
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, self.ticks[0]))
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def value(self, share: float) -> float:
        """The inverse of :meth:`at`."""
        low, high = self.ticks[0], self.ticks[-1]
        return low * (high / low) ** share if self.log else low + share * (high - low)

    @property
    def from_zero(self) -> bool:
        """Whether lengths may be compared."""
        return not self.log and self.ticks[0] <= 0 <= self.ticks[-1]


def round_step(span: float, most: int = 7) -> float:
    """The smallest round number of which at most ``most`` cover ``span`` > 0."""
    exponent = math.floor(math.log10(span / most))
    return next(step for step in (m * 10.0**exponent for m in (*ROUND, 20)) if span <= most * step)


def zero_based(values: Sequence[float]) -> Axis:
    """From 0 to above the largest value, at most eight ticks; to 1 when no value is above 0."""
    top = 1.02 * max(values, default=0.0)
    top = top if top > 0 else 1.0
    return Axis(_multiples(round_step(top), 0.0, top))


def close_up(values: Sequence[float]) -> Axis:
    """Around the values, not from 0 unless they reach it; for curves whose differences would vanish otherwise."""
    low, high = min(values), max(values)
    margin = max(0.06 * (high - low), 0.01 * abs(high)) or 0.5
    step = round_step(high - low + 2 * margin, 5)
    start = low - margin
    return Axis(_multiples(step, max(0.0, start) if low >= 0 else start, high + margin))


def symmetric(values: Sequence[float]) -> Axis:
    """As far to the left of 0 as to the right of it."""
    top = 1.05 * max((abs(value) for value in values), default=0.0) or 1.0
    return Axis(_multiples(round_step(top, 4), -top, top))


def logarithmic(seconds: Sequence[float]) -> Axis:
    """Powers of ten around the positive ones of ``seconds``, at least two decades."""
    inside = [value for value in seconds if value > 0] or [1.0]
    first, last = math.floor(math.log10(min(inside))), math.ceil(math.log10(max(inside)))
    return Axis(tuple(10.0**power for power in range(first, max(last, first + 2) + 1)), log=True)


def _multiples(step: float, low: float, high: float) -> tuple[float, ...]:
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(step * i, 12) for i in range(first, max(last, first + 1) + 1))


CORRELATION = Axis((-1.0, -0.5, 0.0, 0.5, 1.0))
"""Where a coefficient of correlation lies."""
