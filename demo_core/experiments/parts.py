"""Ablations: a model with a part left out or replaced, measured and printed side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_core.benchmark_rows import MARKS, SOURCES, Row, model_title, row_of
from demo_core.results import Result
from demo_core.variants import PARTS, SLIT_VOTES, is_part, parse, title

WHOLE = "the whole model"
RIVALS = {"globaldiff": ("knn_average", "item_knn", "slit")}
"""Simple methods that an ablation has to be read beside."""


@dataclass(frozen=True)
class Part:
    """One line: what was left out or replaced, and the figure."""

    name: str
    row: Row


@dataclass(frozen=True)
class Ablation:
    """One model under one protocol; ``parts`` begin with the whole model."""

    model: str
    protocol: str
    parts: tuple[Part, ...]


def ablations(results: Sequence[Result], metric: str) -> list[Ablation]:
    """Every model and protocol that has a variant without a part; two protocols are two ablations.

    ``results`` are those of one data set, with and without variants.
    """
    chosen = [result for result in results if result.metric == metric]
    pairs = {(r.model, r.protocol) for r in chosen if r.variant is not None and is_part(r.variant)}
    own = list(MARKS)
    order = sorted(pairs, key=lambda pair: (own.index(pair[0]) if pair[0] in own else len(own), *pair))
    return [_ablation(model, protocol, [r for r in chosen if r.protocol == protocol]) for model, protocol in order]


def _ablation(model: str, protocol: str, results: Sequence[Result]) -> Ablation:
    own = [result for result in results if result.model == model]
    changed = sorted((r for r in own if r.variant is not None and is_part(r.variant)), key=_order)
    families = {(result.preset, result.backbone) for result in changed}
    whole = [r for r in own if r.variant is None and (r.preset, r.backbone) in families]
    backbones = {(preset, backbone) for preset, backbone in families if backbone}
    alone = [r for r in results if r.variant is None and (r.preset, r.model) in backbones]
    presets = {preset for preset, _ in families}
    rivals = [
        result
        for result in results
        if result.variant in (None, SLIT_VOTES) and result.model in RIVALS.get(model, ()) and result.preset in presets
    ]
    parts = [
        *(Part(WHOLE, row_of(result)) for result in sorted(whole, key=_order)),
        *(Part(f"{model_title(result.model)} alone", row_of(result)) for result in alone),
        *(Part(title(result.variant or ""), row_of(result)) for result in changed),
        *(Part(_rival(result), row_of(result)) for result in rivals),
    ]
    return Ablation(model, protocol, tuple(parts))


def _rival(result: Result) -> str:
    of = "" if result.variant is None else f", {title(result.variant)}"
    return model_title(result.model) + of


def _order(result: Result) -> tuple[object, ...]:
    presets, known = list(SOURCES), list(PARTS)
    name, value = parse(result.variant) if result.variant else ("", None)
    return (
        known.index(name) if name in known else len(known),
        name,
        value if value is not None else 0.0,
        presets.index(result.preset) if result.preset in presets else len(presets),
        result.backbone or "",
    )
