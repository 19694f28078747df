"""The Run your own page: one component, and what it has to know before it asks."""

from __future__ import annotations

from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.bench import LONG, METRICS, SLICES
from demo_core.ui.components.run import run_page
from demo_core.ui.drawings import pdf_of

MILLISECONDS = 12.0
"""What a person and a model take on two cores, for an estimate before anything was measured."""


def build(shelf: Shelf) -> None:
    """Place the page in the current Gradio context."""
    run_page(shelf, facts, {"pdf": pdf_of})


def facts(engine: Engine) -> dict[str, Any]:
    """Data set, models, slices as ``(name, title, people)``, metrics, and whether lists leave out the history."""
    noun = engine.noun
    titles = {
        "all": "All example people",
        "short": f"People with fewer than {LONG} {noun}s",
        "long": f"People with {LONG} {noun}s or more",
        "rare": f"People whose next {noun} is from the rarer half",
    }
    return {
        "noun": noun,
        "dataset": engine.dataset,
        "milliseconds": MILLISECONDS,
        "models": [
            {"name": one.name, "title": one.title, "compared": one.name in engine.compared}
            for one in engine.models()
            if one.error is None
        ],
        "slices": [(name, titles[name], _people(engine, name)) for name in SLICES],
        "metrics": list(METRICS),
        "excludes": engine.excludes_history,
    }


def _people(engine: Engine, slice: str) -> int:
    try:
        return len(engine.people(slice))
    except InputError:  # without a model there is nobody to ask about
        return 0
