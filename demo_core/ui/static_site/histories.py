"""The histories of a site, and everything that its page may be asked about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from demo_core.engine import Engine
from demo_core.example_people import Example
from demo_core.ui.api_models import KINDS
from demo_core.ui.explore import reasons, view

Json = dict[str, Any]
Kind = Literal["empty", "ready", "person"]

STEPS = 10
"""Denoising steps, as many as the page begins with."""
ROUTED = ("turning", "stable")


@dataclass(frozen=True)
class Kept:
    """A history that the site knows: ``items`` ids, oldest first, and ``next``, the id that really followed."""

    name: str
    kind: Kind
    items: tuple[int, ...]
    next: int | None


def kept_histories(engine: Engine, examples: Sequence[Example], people: int) -> list[Kept]:
    """The empty history, the ready ones, and as many of the example people as are wanted and there are; none twice."""
    found = [Kept("", "empty", (), None)]
    found += [Kept(one.name, "ready", one.items, one.next) for one in engine.ready]
    known = {one.items for one in found}
    others = {one.history: one for one in examples if one.history not in known}
    for at, one in enumerate(list(others.values())[:people], start=1):
        found.append(Kept(f"Person {at}", "person", one.history, one.next))
    return found


def recorded(engine: Engine, kept: Kept) -> Json:
    """All answers about one history. ``looks`` and ``walks`` by what is switched off: ``""`` for nothing, else a
    position from 1; ``other``, on the other side of the threshold, or None; ``why`` by the id of a listed item.
    """
    length = len(kept.items)
    switched = range(max(length - engine.window, 0) + 1, length + 1)
    looks = {"": _look(engine, kept)} | {str(at): _look(engine, kept, off=(at,)) for at in switched}
    walks = {"": _walk(engine, kept)} | {str(at): _walk(engine, kept, off=(at,)) for at in switched}
    whole = looks[""]["comparison"]
    listed = sorted({row["item"]["id"] for one in whole["lists"] for row in one["items"]})
    return {
        "looks": looks,
        "walks": walks,
        "other": _other_side(engine, kept, whole["route"]),
        "why": {str(id): reasons(engine, {"items": list(kept.items), "item": id})["why"] for id in listed},
    }


def _look(engine: Engine, kept: Kept, off: tuple[int, ...] = (), threshold: float | None = None) -> Json:
    """The comparison, and ``quiet``: its messages when nobody asks for the item that followed."""
    state: Json = {"items": list(kept.items), "off": list(off), "threshold": threshold}
    comparison = view(engine, state | {"next": kept.next})["comparison"]
    without = comparison if kept.next is None else view(engine, state)["comparison"]
    return {"comparison": comparison, "quiet": without["messages"]}


def _walk(engine: Engine, kept: Kept, off: tuple[int, ...] = (), threshold: float | None = None) -> list[Json]:
    """What the page is told of the sampling, in its order; where the items lie is the same for all: :func:`maps`."""
    told = engine.denoise(kept.items, steps=STEPS, threshold=threshold, truth=kept.next, off=off)
    parts = [{"kind": KINDS[type(one)], **asdict(one)} for one in told]
    return [part | {"around": ()} if part["kind"] == "model" else part for part in parts]


def maps(engine: Engine) -> Json:
    """For each model, where its commonest items lie."""
    told = (asdict(one) for one in engine.denoise((), steps=1))
    return {part["model"]: part["around"] for part in told if "around" in part}


def _other_side(engine: Engine, kept: Kept, route: Json | None) -> Json | None:
    """What the handle changes: everything as it is with a threshold on the other side of the history's evenness."""
    if route is None or route["outcome"] not in ROUTED:
        return None
    threshold = beyond(route["evenness"], route["outcome"] == "turning")
    look = _look(engine, kept, threshold=threshold)
    if (
        look["comparison"]["route"]["outcome"] not in ROUTED
        or look["comparison"]["route"]["outcome"] == route["outcome"]
    ):
        return None
    return look | {"walk": _walk(engine, kept, threshold=threshold)}


def beyond(evenness: float, turning: bool) -> float:
    """The nearest threshold, in the handle's steps of .001, that makes a turning history stable or a stable one
    turning. Within 0..1.
    """
    steps = 1000 * evenness
    return min(math.ceil(steps), 1000) / 1000 if turning else max(math.ceil(steps) - 1, 0) / 1000
