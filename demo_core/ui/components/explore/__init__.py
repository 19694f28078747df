"""The Explore component: one script draws chips, route, weights and lists from one JSON answer, in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import joined

FOLDER = Path(__file__).parent
# In the order in which the script needs them; they share one scope.
COMMON = ("text", "dom", "pen", "address", "export")
SCRIPTS = (
    "state",
    "search",
    "chips",
    "paste",
    "route",
    "gauge",
    "handle",
    "weights",
    "without",
    "lists",
    "why",
    "explore",
)
STYLES = ("page", "chips", "figure", "lists", "phone")

Answer = Callable[[Any], dict[str, Any]]


def explore_page(
    facts: dict[str, Any], search: Answer, look: Answer, parse: Answer, person: Answer, why: Answer, pdf: Answer
) -> gr.HTML:
    """``facts`` are read once; everything else is asked for through the six server functions.

    A function and not a subclass of ``gr.HTML``: Gradio writes a stub file beside every subclass at import.
    """
    return gr.HTML(
        value=facts,
        html_template=(FOLDER / "page.html").read_text(encoding="utf-8"),
        css_template=joined(FOLDER, ("base",), STYLES, ".css"),
        js_on_load=joined(FOLDER, COMMON, SCRIPTS, ".js"),
        server_functions=[search, look, parse, person, why, pdf],
        apply_default_css=False,
        elem_id="explore",
    )
