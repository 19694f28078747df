"""The Missing data page: one component, and what it asks the engine. Values from the browser may be anything."""

from __future__ import annotations

import dataclasses
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.questions import LONGEST_HISTORY
from demo_core.ui.components.lab import lab_page
from demo_core.ui.drawings import pdf_of

Json = dict[str, Any]


def build(shelf: Shelf) -> None:
    """Place the page in the current Gradio context."""
    lab_page(shelf, facts, {"look": draw, "curve": points, "pdf": pdf_of})


def facts(engine: Engine) -> Json:
    """What an item is called, and whether lists leave out what is in the history."""
    return {"noun": engine.noun, "excludes": engine.excludes_history}


def draw(engine: Engine, asked: object) -> Json:
    """One draw for ``{"items", "off", "next", "threshold", "seed", "kind", "share", "draw"}``, or ``{"error"}``."""
    wishes = asked if isinstance(asked, dict) else {}
    try:
        answer = engine.lab(
            _left(wishes),
            wishes.get("kind", "lost"),
            wishes.get("share", 0.3),
            wishes.get("draw", 0),
            seed=wishes.get("seed", 0),
            threshold=wishes.get("threshold"),
            truth=wishes.get("next"),
        )
    except InputError as error:
        return {"error": str(error)}
    return dataclasses.asdict(answer) | {"error": None}


def points(engine: Engine, asked: object) -> Json:
    """One share of the curve for the same and ``"people"``: ``{"points"}``, or ``{"error"}``."""
    wishes = asked if isinstance(asked, dict) else {}
    try:
        found = engine.lab_curve(
            _left(wishes),
            wishes.get("kind", "lost"),
            wishes.get("share", 0.0),
            wishes.get("people") is True,
            seed=wishes.get("seed", 0),
            threshold=wishes.get("threshold"),
            truth=wishes.get("next"),
        )
    except InputError as error:
        return {"error": str(error)}
    return {"points": [dataclasses.asdict(point) for point in found], "error": None}


def _left(wishes: dict[str, Any]) -> list[Any]:
    """The history without what is switched off: it counts as never seen here."""
    items, off = wishes.get("items", []), wishes.get("off", [])
    if not isinstance(items, list) or not isinstance(off, list):
        raise InputError("Expected a list of ids as the history.")
    if len(items) > LONGEST_HISTORY or len(off) > len(items):
        raise InputError(f"Expected at most {LONGEST_HISTORY} ids, and no more of them switched off than there are.")
    gone = {position for position in off if isinstance(position, int)}
    return [id for position, id in enumerate(items, start=1) if position not in gone]
