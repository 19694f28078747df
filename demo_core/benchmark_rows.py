"""Benchmark results as the rows of a figure: names, marks, values and what the lists are made of.

The page's table-chart and the Altair charts draw the same :class:`Row` objects, so they cannot disagree. Hue and shape
say which model, fill says how well the number is known: open = printed in a paper, half = run here but not (known to
be) healthy, solid = our default that passed its health check, and baselines. One figure holds one protocol.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from demo_core import axes
from demo_core.datasets import DATASETS, PROTOCOLS, Protocol
from demo_core.health import failures
from demo_core.models import BASELINES, MODELS
from demo_core.own_data import PREFIX, is_own
from demo_core.results import Result

Fill = Literal["open", "half", "solid"]
Shape = Literal["circle", "square", "triangle", "capsule"]

MARKS: dict[str, tuple[Shape, str]] = {
    "card": ("circle", "card"),
    "tdm": ("square", "tdm"),
    "globaldiff": ("triangle", "gd"),
}
RELEASED_WINDOW = Protocol(
    "released-window",
    "the paper's own preparation and split; all items ranked except those of the ten last read",
    False,
)
ALL_PROTOCOLS = PROTOCOLS | {RELEASED_WINDOW.name: RELEASED_WINDOW}
SOURCES = {"published": "published", "released": "as released", "paper": "as the paper says", "default": "default"}


@dataclass(frozen=True)
class Row:
    """One line of the figure. ``never_trained`` and ``overlap`` are shares in [0, 1]; ``None`` where not stated."""

    result: Result
    title: str
    source: str
    shape: Shape
    colour: str
    fill: Fill
    failures: tuple[str, ...]
    never_trained: float | None
    distinct: float | None
    overlap: float | None

    @property
    def value(self) -> str:
        """``2.57 ± .05, n 5``: per cent, standard deviation over seeds, number of seeds."""
        spread = "" if self.result.sd is None else f" ± {points(self.result.sd)}"
        return f"{100 * self.result.mean:.2f}{spread}, n {self.result.n or 'not stated'}"


def points(fraction: float) -> str:
    """A deviation in percentage points without the leading zero: 0.0005 -> ``.05``."""
    return f"{100 * fraction:.2f}".removeprefix("0")


def seed_numbers(result: Result) -> str:
    """``seed 0`` or ``seeds 0, 1, 2``; empty for a paper's figure."""
    numbers = ", ".join(map(str, result.seeds))
    return f"seed{'s' * (len(result.seeds) != 1)} {numbers}" if numbers else ""


def model_title(model: str) -> str:
    """The model's name as its field writes it; an unknown name is given back as it is."""
    return MODELS[model].title if model in MODELS else model


def dataset_title(dataset: str) -> str:
    """The data set's name as its field writes it; somebody's own is marked as such."""
    if is_own(dataset):
        return f"{dataset.removeprefix(PREFIX).replace('-', ' ')} (own data)"
    return DATASETS[dataset].title if dataset in DATASETS else {"kuairec": "KuaiRec"}.get(dataset, dataset)


def protocol(name: str) -> Protocol:
    """The protocol of that name, the published ones included; ``ValueError`` for an unknown one."""
    if name not in ALL_PROTOCOLS:
        raise ValueError(f"Expected a protocol out of {sorted(ALL_PROTOCOLS)}, got {name!r}.")
    return ALL_PROTOCOLS[name]


def metric_title(metric: str) -> str:
    """``hr@20`` -> ``HR@20``."""
    return metric.upper()


def definition(metric: str) -> str:
    """What the metric means, in one sentence."""
    name, _, k = metric.partition("@")
    if name == "hr":
        return f"HR@{k}: share of test rows whose next item is among the {k} best ranked."
    return f"NDCG@{k}: like HR@{k}, but a hit at rank r counts 1 / log2(r + 1)."


def rows(results: Sequence[Result], metric: str) -> list[Row]:
    """Rows of one metric: CARD, TDM, GlobalDiff, the other models by their best value, then the baselines.

    Raises ``ValueError`` unless all results are of one data set and one protocol.
    """
    pairs = sorted({(result.dataset, result.protocol) for result in results})
    if len(pairs) != 1:
        raise ValueError(f"One chart shows one data set under one protocol, got {pairs or 'no results'}.")
    chosen = [result for result in results if result.metric == metric]
    best: dict[str, float] = {}
    for result in chosen:
        best[result.model] = max(result.mean, best.get(result.model, 0.0))
    return [row_of(result) for result in sorted(chosen, key=lambda result: _order(result, best))]


def _order(result: Result, best: Mapping[str, float]) -> tuple[object, ...]:
    own, presets = list(MARKS), list(SOURCES)
    group = own.index(result.model) if result.model in own else len(own)
    if result.model in BASELINES:
        group = len(own) + 1 + BASELINES.index(result.model)
    preset = presets.index(result.preset) if result.preset in presets else len(presets)
    return group, -best[result.model], result.model, preset, -result.mean


def row_of(result: Result) -> Row:
    """How one result is named and marked."""
    baseline = result.model in BASELINES
    health = result.health or {}
    found = _failures(health) if health and not baseline else ()
    fill: Fill = "half"
    if result.source == "published":
        fill = "open"
    elif baseline or (result.preset == "default" and health and not found):
        fill = "solid"
    shape, colour = MARKS.get(result.model, ("capsule", "muted"))
    source = "baseline" if baseline and result.source == "measured" else SOURCES.get(result.preset, result.preset)
    return Row(
        result=result,
        title=model_title(result.model),
        source=f"{source} on {model_title(result.backbone)}" if result.backbone else source,
        shape=shape,
        colour=colour,
        fill=fill,
        failures=found,
        never_trained=health.get("never_trained_share"),
        distinct=health.get("distinct_items"),
        overlap=health.get("list_overlap"),
    )


def _failures(health: Mapping[str, float]) -> tuple[str, ...]:
    """The health gate on means over seeds; a figure that the gate needs and that is missing fails it."""
    try:
        return failures({**health, "distinct_items": round(health["distinct_items"])})
    except KeyError as missing:
        return (f"its health figure {missing} is not stated",)


def axis_ticks(shown: Sequence[Row]) -> list[float]:
    """Round ticks in per cent from 0 to above the largest mean + sd, at most eight of them."""
    return list(axes.zero_based([100 * (row.result.mean + (row.result.sd or 0)) for row in shown]).ticks)


def popularity(shown: Sequence[Row]) -> float | None:
    """The popularity baseline's mean as a fraction, where it was measured."""
    return next((row.result.mean for row in shown if row.result.model == "popularity"), None)


def table_csv(shown: Sequence[Row]) -> str:
    """One line a row, with everything the figure stands on; shares and metrics are fractions."""
    records = [_record(row) for row in shown]
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue()


def _record(row: Row) -> dict[str, object]:
    result = row.result
    return {
        "dataset": result.dataset,
        "protocol": result.protocol,
        "model": result.model,
        "preset": result.preset,
        "backbone": result.backbone,
        "variant": result.variant,
        "source": result.source,
        "metric": result.metric,
        "mean": result.mean,
        "sd": result.sd,
        "n": result.n,
        "seeds": " ".join(map(str, result.seeds)),
        "never_trained_share": row.never_trained,
        "distinct_items": row.distinct,
        "list_overlap": row.overlap,
        "rows": result.rows,
        "origin": result.origin,
        "date": result.date,
    }
