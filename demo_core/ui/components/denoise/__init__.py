"""The Denoise component: the sampling of the models, step by step, as it streams in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import joined

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "address", "export", "stream")
# In the order in which they need each other; they share one scope.
SCRIPTS = ("state", "play", "stage", "settling", "steps", "page")


def denoise_page(facts: dict[str, Any], pdf: Callable[[Any], dict[str, str]]) -> gr.HTML:
    """``facts``: ``{"noun"}``; ``pdf`` makes one of an SVG. The rest comes from the public endpoint ``/denoise``.

    A function and not a subclass of ``gr.HTML``: Gradio writes a stub file beside every subclass at import.
    """
    return gr.HTML(
        value=facts,
        html_template=(FOLDER / "page.html").read_text(encoding="utf-8"),
        css_template=joined(FOLDER, ("base",), ("style",), ".css"),
        js_on_load=joined(FOLDER, COMMON, SCRIPTS, ".js"),
        server_functions=[pdf],
        apply_default_css=False,
        elem_id="denoise",
    )
