"""The header: which data set is looked at, which others there are, and the history that tour and talk begin with."""

from __future__ import annotations

import dataclasses
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.ui.components.frame import frame


def build(shelf: Shelf) -> None:
    """Place the header in the current Gradio context."""
    frame(shelf, facts, {"datasets": lambda engine, asked: datasets(shelf, engine)})


def facts(engine: Engine) -> dict[str, Any]:
    """Data set, device, and an example: a history with weights to show if there is one."""
    turning = (one for one in engine.ready if one.outcome == "turning")
    chosen = next(turning, engine.ready[0] if engine.ready else None)
    example = None if chosen is None else {"items": list(chosen.items), "next": chosen.next}
    return {"dataset": engine.title, "device": engine.device, "noun": engine.noun, "example": example}


def datasets(shelf: Shelf, engine: Engine) -> dict[str, Any]:
    """``{"chosen", "datasets"}``, as they are on disk now."""
    return {"chosen": engine.dataset, "datasets": [dataclasses.asdict(one) for one in shelf.datasets()]}
