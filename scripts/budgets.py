"""What the app may take, on two idle cores, and how a measured figure is held against it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """At most ``most``, in ``unit``: "ms", "s", "MB", "x" (times something else), or "" for a number of things."""

    name: str
    most: float
    unit: str

    def text(self, value: float) -> str:
        """``value`` as it is printed."""
        digits = 2 if self.unit in ("s", "x") else 0
        return f"{value:.{digits}f} {self.unit}".rstrip()


@dataclass(frozen=True)
class Figure:
    """What was measured, once or several times, beside its budget."""

    budget: Budget
    samples: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def worst(self) -> float:
        return max(self.samples)

    @property
    def verdict(self) -> str:
        """The budget is met when it is never exceeded."""
        if self.worst <= self.budget.most:
            return "met"
        return "met by the median, not by the worst" if self.median <= self.budget.most else "not met"

    def line(self) -> str:
        median, worst, most = map(self.budget.text, (self.median, self.worst, self.budget.most))
        told = f"median {median:>8}   worst {worst:>8}" if len(self.samples) > 1 else f"{worst:>31}"
        return f"{self.budget.name:<44} {told}   budget {most:>7}   {self.verdict}"


START = Budget("start to the first answer", 8, "s")
START_RATIO = Budget("start, over that of an empty page", 1.3, "x")
ROW = Budget("page usable: first row of a list", 2000, "ms")
ANSWERS = Budget("page usable: a key has moved the focus", 2000, "ms")
LINK = Budget("page usable: first row, with a history", 2000, "ms")
SEARCH = Budget("search: last key to suggestions", 150, "ms")
TOGGLE = Budget("toggle a film: click to new lists", 300, "ms")
FIRST_FRAME = Budget("first denoising frame, from opening the view", 200, "ms")
FRAME = Budget("each next frame as it streams in", 60, "ms")
SCRUB = Budget("each frame by a key", 60, "ms")
PLAY = Budget("longest gap between pictures while playing", 60, "ms")
OUTSIDE = Budget("requests to any other host", 0, "")
MEMORY = Budget("memory", 600, "MB")
GROWTH = Budget("memory after all calls, over that after 100", 1.1, "x")
LOST = Budget("calls of the crowd that were lost", 0, "")
REFUSED = Budget("until a full queue refused a call", 1, "s")
P95 = Budget("95 of 100 calls of the crowd answered within", 2, "s")
FREED = Budget("until a place is free, streams left midway", 2, "s")
