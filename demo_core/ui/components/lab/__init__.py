"""The Missing data component: one draw of lost or added items, and a curve over many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import joined

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "address", "export")
# In the order in which they need each other; they share one scope.
SCRIPTS = ("state", "line", "curve", "page")

Answer = Callable[[Any], dict[str, Any]]


def lab_page(facts: dict[str, Any], look: Answer, curve: Answer, pdf: Answer) -> gr.HTML:
    """``facts``: ``{"noun"}``; ``look`` answers for one draw, ``curve`` for one share of the curve.

    A function and not a subclass of ``gr.HTML``: Gradio writes a stub file beside every subclass at import.
    """
    return gr.HTML(
        value=facts,
        html_template=(FOLDER / "page.html").read_text(encoding="utf-8"),
        css_template=joined(FOLDER, ("base",), ("style",), ".css"),
        js_on_load=joined(FOLDER, COMMON, SCRIPTS, ".js"),
        server_functions=[look, curve, pdf],
        apply_default_css=False,
        elem_id="lab",
    )
