"""The released code, read twice: as its authors train and measure it, and under our protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo_core.benchmark_rows import MARKS, Row, row_of
from demo_core.results import Result
from demo_core.variants import AS_RELEASED, LOGGED


@dataclass(frozen=True)
class Story:
    """Figures of one model for one metric; ``None`` where one is not known.

    ``released``: settings, choice of the epoch and measuring as released. ``same_weights``: those weights under our
    protocol. ``logged``: what the authors' own training log says, by what chose the epoch. ``repaired``: our
    default. Any two may stand under different protocols: ``Result.protocol`` says which.
    """

    model: str
    published: Row | None
    logged: dict[str, Result]
    released: Row
    same_weights: Row | None
    repaired: Row | None
    popularity: Row | None


def stories(results: Sequence[Result], metric: str) -> list[Story]:
    """One story for every model (and backbone) measured as released. ``results``: one data set, variants too."""
    chosen = [result for result in results if result.metric == metric]
    told = [r for r in chosen if r.variant == AS_RELEASED and r.preset == "released"]
    own = list(MARKS)
    told.sort(key=lambda r: (own.index(r.model) if r.model in own else len(own), r.model, r.backbone or ""))
    return [_story(released, chosen) for released in told]


def _story(released: Result, results: Sequence[Result]) -> Story:
    family = [r for r in results if (r.model, r.backbone) == (released.model, released.backbone)]
    logged = {LOGGED[r.variant]: r for r in family if r.variant in LOGGED}
    plain = [r for r in family if r.variant is None]
    return Story(
        model=released.model,
        published=_one(plain, "published", released.protocol),
        logged=logged,
        released=row_of(released),
        same_weights=_one(plain, "released", released.protocol),
        repaired=_one(plain, "default", released.protocol),
        popularity=_one(
            [r for r in results if r.model == "popularity" and not r.variant], "default", released.protocol
        ),
    )


def _one(results: Sequence[Result], preset: str, protocol: str) -> Row | None:
    """The row of that preset, under the same protocol if there is one."""
    found = sorted((r for r in results if r.preset == preset), key=lambda r: (r.protocol != protocol, r.protocol))
    return row_of(found[0]) if found else None
