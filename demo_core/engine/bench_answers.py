"""What a small benchmark tells while it runs: frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchRow:
    """One model so far: the mean over people, its standard error (None for fewer than two), and the ``milliseconds`` a
    person; ``error`` says why there are none.
    """

    model: str
    title: str
    preset: str | None
    mean: float | None
    standard_error: float | None
    milliseconds: float | None
    error: str | None


@dataclass(frozen=True)
class BenchProgress:
    """``done`` of ``total`` people; the same wishes give the same figures. ``provenance`` is the caption."""

    dataset: str
    protocol: str
    slice: str
    metric: str
    lost: float
    seed: int
    done: int
    total: int
    rows: tuple[BenchRow, ...]
    provenance: tuple[str, ...]
