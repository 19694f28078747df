"""What a public implementation of the same model reaches on the same rows: ``reference.jsonl``, and ours beside it.

``python -m scripts.recbole_reference`` measures it. A line is one run; quality metrics are fractions in [0, 1],
computed from the ranks of all held-out rows by the code that computes ours.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from demo_core.datasets import entry as dataset_entry
from demo_core.json_lines import read_lines
from demo_core.models import entry as model_entry
from demo_core.results import summarise
from demo_core.runs import Run

REFERENCE = "reference.jsonl"
METRICS = ("hr@10", "ndcg@10", "hr@20", "ndcg@20")
PLAIN = "weight_average=0"
"""The variant of ours without averaged weights, which the reference does not have either."""
BELOW = 0.95

Setting = bool | int | float | str | None


@dataclass(frozen=True)
class ReferenceRun:
    """One model of ``system`` ("RecBole 1.2.1"), trained with one seed: a line of ``reference.jsonl``.

    ``model``: as :data:`demo_core.models.MODELS` calls it. ``settings``: all that it was given, in the system's own
    names; ``changes``: those of them ("name=value") that were not taken over from our default preset. ``epochs`` were
    trained, the weights are those of ``best_epoch``. ``validation`` and ``test``: ``"hr@20"`` and the like over
    ``rows`` scored rows each. ``date`` is ISO 8601.
    """

    system: str
    model: str
    dataset: str
    protocol: str
    data_hash: str
    seed: int
    settings: dict[str, Setting]
    changes: tuple[str, ...]
    epochs: int
    best_epoch: int
    seconds_per_epoch: float
    validation: dict[str, float]
    test: dict[str, float]
    rows: int
    device: str
    date: str

    def __post_init__(self) -> None:
        for name in ("system", "model", "dataset", "protocol", "data_hash", "device", "date"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"ReferenceRun.{name}: expected a text, got {getattr(self, name)!r:.60}.")
        for name in ("seed", "epochs", "best_epoch", "rows"):
            if type(getattr(self, name)) is not int:
                raise ValueError(f"ReferenceRun.{name}: expected a whole number, got {getattr(self, name)!r:.60}.")
        if not 1 <= self.best_epoch <= self.epochs or self.rows < 1:
            raise ValueError(
                "ReferenceRun: expected at least one row and a best epoch within those that were trained, got "
                f"{self.rows} rows, epoch {self.best_epoch} of {self.epochs}."
            )
        for split in ("validation", "test"):
            for name, value in _metrics(self, split).items():
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                    raise ValueError(f"ReferenceRun.{split}[{name!r}]: expected a fraction in 0..1, got {value!r}.")
        if not isinstance(self.seconds_per_epoch, int | float) or not math.isfinite(self.seconds_per_epoch):
            raise ValueError(f"ReferenceRun.seconds_per_epoch: expected seconds, got {self.seconds_per_epoch!r:.60}.")

    @property
    def recipe(self) -> tuple[object, ...]:
        """Runs with equal ones differ in their seed alone."""
        settings = json.dumps(self.settings, sort_keys=True)
        return self.system, self.model, self.dataset, self.protocol, self.data_hash, settings, self.changes

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; an unknown, missing or unusable field raises ``ValueError``."""
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            unknown, missing = sorted(set(values) - known), sorted(known - set(values))
            raise ValueError(f"ReferenceRun: unknown fields {unknown}, missing fields {missing}.")
        if not isinstance(values["settings"], dict) or not isinstance(values["changes"], list | tuple):
            raise ValueError("ReferenceRun: expected settings as an object and changes as a list.")
        return cls(**{**values, "changes": tuple(values["changes"])})


def _metrics(run: ReferenceRun, split: str) -> dict[str, float]:
    found = getattr(run, split)
    if not isinstance(found, dict) or not found:
        raise ValueError(f"ReferenceRun.{split}: expected metrics by name, got {found!r:.60}.")
    return found


def read_references(path: Path) -> list[ReferenceRun]:
    """The runs of a ``reference.jsonl``, in order; a file that does not exist holds none.

    A line that is not a run raises ``DamagedLineError``, a ``ValueError`` naming the file and the line.
    """
    return read_lines(path, ReferenceRun.from_dict, "one reference run")


@dataclass(frozen=True)
class Beside:
    """A reference recipe and ours on the same rows. ``theirs`` and ``ours``: test metrics, means over so many seeds;
    ``ours`` is empty where it was not measured. ``variant``: ``None`` or :data:`PLAIN`.
    """

    reference: ReferenceRun
    theirs: Mapping[str, float]
    their_seeds: int
    variant: str | None
    ours: Mapping[str, float]
    our_seeds: int

    def ratio(self, metric: str) -> float | None:
        """Ours / theirs; ``None`` where one of them is missing or theirs is 0."""
        theirs, ours = self.theirs.get(metric), self.ours.get(metric)
        return None if not theirs or ours is None else ours / theirs


def beside(references: Iterable[ReferenceRun], runs: Sequence[Run]) -> list[Beside]:
    """Every recipe of ``references`` with our default preset on the same data, with averaged weights and, where it was
    measured, without. Of recipes with the same changes the newest counts: the default preset may have become another.
    """
    newest: dict[tuple[object, ...], list[ReferenceRun]] = {}
    for reference in sorted(references, key=lambda one: one.date):
        own = (reference.system, reference.model, reference.dataset, reference.data_hash, reference.changes)
        same = [one for one in newest.pop(own, []) if one.recipe == reference.recipe and one.seed != reference.seed]
        newest[own] = [*same, reference]
    found = []
    for group in newest.values():
        theirs = _means(run.test for run in group)
        for variant in (None, PLAIN):
            ours, seeds = _ours(group[-1], runs, variant)
            if ours or variant is None:
                found.append(Beside(group[-1], theirs, len(group), variant, ours, seeds))
    return found


def _ours(reference: ReferenceRun, runs: Sequence[Run], variant: str | None) -> tuple[dict[str, float], int]:
    wanted = (reference.model, "default", reference.dataset, reference.protocol, reference.data_hash, "test", variant)
    same = [r for r in runs if (r.model, r.preset, r.dataset, r.protocol, r.data_hash, r.split, r.variant) == wanted]
    results = summarise(same)
    return {one.metric: one.mean for one in results}, next((one.n or 0 for one in results), 0)


def _means(each: Iterable[Mapping[str, float]]) -> dict[str, float]:
    first, *others = each
    return {
        name: statistics.fmean([value, *(other[name] for other in others)])
        for name, value in first.items()
        if all(name in other for other in others)
    }


def markdown(found: Sequence[Beside]) -> str:
    """A Markdown table a data set and system, "ours / theirs (ratio)" in percent; a ratio below 0.95 is bold."""
    groups: dict[tuple[str, ...], list[Beside]] = {}
    for one in found:
        reference = one.reference
        groups.setdefault((reference.dataset, reference.protocol, reference.data_hash, reference.system), []).append(
            one
        )
    return "\n\n".join(_table(group) for group in groups.values())


def _table(group: Sequence[Beside]) -> str:
    reference = group[0].reference
    about = (
        f"{dataset_entry(reference.dataset).title}, {reference.protocol}, {reference.rows:,} test rows: ours / "
        f"{reference.system}, in %, means over seeds (ours/theirs), and the ratio."
    )
    head = f"| model | {' | '.join(metric.upper() for metric in METRICS)} | seeds |"
    return "\n".join([about, "", head, "| --- |" + " --- |" * (len(METRICS) + 1), *map(_line, group)])


def _line(one: Beside) -> str:
    name = model_entry(one.reference.model).title
    notes = (["without averaged weights"] if one.variant else []) + [
        f"their {change}" for change in one.reference.changes
    ]
    title = ", ".join([name, *notes])
    return f"| {title} | {' | '.join(_cell(one, metric) for metric in METRICS)} | {one.our_seeds}/{one.their_seeds} |"


def _cell(one: Beside, metric: str) -> str:
    ours, theirs = (f"{100 * own[metric]:.2f}" if metric in own else "–" for own in (one.ours, one.theirs))
    ratio = one.ratio(metric)
    if ratio is None:
        return f"{ours} / {theirs}"
    return f"{ours} / {theirs} ({ratio:.2f})" if ratio >= BELOW else f"{ours} / {theirs} (**{ratio:.2f}**)"
