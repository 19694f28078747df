"""The Family tree page: every system at its idea, with its paper and how it was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.ui.components.benchmarks.offer import Offer
from demo_core.ui.components.family import family_page
from demo_core.ui.components.family.measured import Measured
from demo_core.ui.components.family.view import view
from demo_core.ui.drawings import pdf_of

Json = dict[str, Any]


def build(shelf: Shelf) -> None:
    """Place the page in the current Gradio context. Results are read when it is first looked at, and anew at every
    look.
    """
    family_page(
        shelf, facts, {"look": lambda engine, asked: look(shelf.checkpoints, engine.dataset, asked), "pdf": pdf_of}
    )


def facts(engine: Engine) -> Json:
    """``{"models", "live"}``: the models that can be chosen for a list on Explore, with weights or with the command
    that trains them, and whether any choice of them is answered.
    """
    return {"models": [one.name for one in engine.models() if one.error is None or one.to_train], "live": True}


def look(checkpoints: Path, dataset: str, asked: object) -> Json:
    """The tree, with what was measured on ``asked["dataset"]``; ``dataset`` is where a visitor starts."""
    wishes = asked if isinstance(asked, dict) else {}
    return view(Measured.of(Offer.read(checkpoints), wishes.get("dataset"), dataset))
