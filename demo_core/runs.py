"""One measured run and the file that runs are kept in, ``measured.jsonl``: one JSON object a line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from demo_core.json_lines import append_line, read_lines

Split = Literal["validation", "test"]
HealthValue = float | int | list[float] | dict[str, list[float]] | None


@dataclass(frozen=True)
class Run:
    """One model trained with one seed and measured on one split: a line of ``measured.jsonl``.

    ``backbone``: the encoder of a method that takes one, else ``None``. ``variant``: ``None``, or the name of an
    ablation or of a released quirk. ``metrics``: ``"hr@20"`` and the like, fractions over ``rows`` scored rows.
    Times are seconds, memory is MB (10**6 bytes); ``date`` is ISO 8601. ``parameters``: how many trained numbers the
    model has, those of its frozen backbone included; ``None`` in runs of before they were counted.
    """

    model: str
    preset: str
    backbone: str | None
    dataset: str
    protocol: str
    split: Split
    seed: int
    variant: str | None
    metrics: dict[str, float]
    rows: int
    health: dict[str, HealthValue]
    epochs: int
    seconds_per_epoch: float
    inference_seconds: float
    peak_memory_mb: float
    config_hash: str
    data_hash: str
    commit: str
    device: str
    date: str
    parameters: int | None = None

    def __post_init__(self) -> None:
        for name in ("model", "preset", "dataset", "protocol", "config_hash", "data_hash", "commit", "device", "date"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"Run.{name}: expected a text, got {getattr(self, name)!r:.60}.")
        if type(self.seed) is not int or type(self.rows) is not int:
            raise ValueError(f"Run: expected seed and rows as whole numbers, got {self.seed!r:.60}, {self.rows!r:.60}.")
        if self.split not in ("validation", "test"):
            raise ValueError(f"Run.split: expected 'validation' or 'test', got {self.split!r}.")
        if self.parameters is not None and type(self.parameters) is not int:
            raise ValueError(f"Run.parameters: expected a whole number or None, got {self.parameters!r:.60}.")
        if not self.metrics:
            raise ValueError("Run.metrics: expected at least one metric, got none.")
        for name, value in self.metrics.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise ValueError(f"Run.metrics[{name!r}]: expected a finite number, got {value!r}.")
        for name, figure in self.health.items():
            if isinstance(figure, float) and not math.isfinite(figure):
                raise ValueError(f"Run.health[{name!r}]: expected a finite number or None, got {figure!r}.")
        if self.rows < 1:
            raise ValueError(f"Run.rows: expected the number of scored rows, at least 1, got {self.rows!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; an unknown, missing or non-finite field raises ``ValueError``."""
        known = {field.name for field in fields(cls)}
        if set(values) | {"parameters"} != known:
            unknown, missing = sorted(set(values) - known), sorted(known - set(values) - {"parameters"})
            raise ValueError(f"Run: unknown fields {unknown}, missing fields {missing}; known: {sorted(known)}.")
        return cls(**values)


def read_runs(path: Path) -> list[Run]:
    """The runs of a ``.jsonl`` file, in order; a file that does not exist holds none.

    A line that is not a run raises ``DamagedLineError``, a ``ValueError`` naming the file and the line.
    """
    return read_lines(path, Run.from_dict, "one run")


def append_run(path: Path, run: Run) -> None:
    """Add one line to a ``.jsonl`` of runs; :class:`NotRecordedError` where that cannot be done."""
    append_line(path, run.to_dict())


def belongs_to(recipe: Iterable[tuple[str, str]], config_hash: str, date: str) -> bool:
    """Whether a variant is one of the recipe as it is now, and not of an earlier one.

    ``recipe``: config hash and date of every run without a variant. What is measured on the same weights has the hash
    of the newest of them; what was trained anew, with something changed, is not older than the first run with that
    hash. Without any such run there is nothing to belong to, and everything does.
    """
    known = list(recipe)
    if not known:
        return True
    newest = max(known, key=lambda one: one[1])[0]
    return config_hash == newest or date >= min(day for own, day in known if own == newest)
