"""The header: which data set is looked at, which others there are, and the history that tour and talk begin with."""

from __future__ import annotations

import dataclasses
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError
from demo_core.ui.components.frame import frame
from demo_core.ui.components.shared import Answer


def build(shelf: Shelf) -> None:
    """Place the header in the current Gradio context."""
    answers: dict[str, Answer] = {
        "datasets": lambda engine, asked: datasets(shelf, engine),
        "bundles": lambda engine, asked: bundles(shelf, engine),
        "add_bundle": lambda engine, asked: add_bundle(shelf, asked),
    }
    frame(shelf, lambda engine: facts(engine) | {"hub": shelf.additions.open or from_hub(shelf, engine) != []}, answers)


def facts(engine: Engine) -> dict[str, Any]:
    """Data set, device, and an example: a history with weights to show if there is one."""
    turning = (one for one in engine.ready if one.outcome == "turning")
    chosen = next(turning, engine.ready[0] if engine.ready else None)
    example = None if chosen is None else {"items": list(chosen.items), "next": chosen.next}
    return {"dataset": engine.title, "device": engine.device, "noun": engine.noun, "example": example}


def bundles(shelf: Shelf, engine: Engine) -> dict[str, Any]:
    """``{"open", "bundles"}``: whether others may be named, and every bundle from the Hub: ``title``, ``source``,
    ``state`` ("ready", "waiting", "fetching" or "failed") and a ``message`` where it failed.
    """
    return {"open": shelf.additions.open, "bundles": from_hub(shelf, engine)}


def from_hub(shelf: Shelf, engine: Engine) -> list[dict[str, Any]]:
    """Those that the index names for this data set, then those that were added, whatever theirs is."""
    named = [
        {
            "name": one.name,
            "title": one.title,
            "source": one.source,
            "state": "waiting" if one.waiting else "failed" if one.error else "ready",
            "message": one.error,
        }
        for one in engine.models()
        if one.source is not None
    ]
    known = {one["source"] for one in named}
    added = [one for one in shelf.additions.told() if one.source not in known]
    return [
        *named,
        *(
            {"name": one.source, "title": None, "source": one.source, "state": one.state, "message": one.message}
            for one in added
        ),
    ]


def add_bundle(shelf: Shelf, text: object) -> dict[str, Any]:
    """``{"error"}``: why a text names no bundle, or None where it is being fetched now."""
    if not shelf.additions.open:
        return {"error": "Bundles cannot be added here. Start an app of your own, or name them in TURNPOINT_BUNDLES."}
    try:
        shelf.additions.add(text if isinstance(text, str) else "")
    except InputError as error:
        return {"error": str(error)}
    return {"error": None}


def datasets(shelf: Shelf, engine: Engine) -> dict[str, Any]:
    """``{"chosen", "datasets"}``, as they are on disk now."""
    return {"chosen": engine.dataset, "datasets": [dataclasses.asdict(one) for one in shelf.datasets()]}
