"""Header, tour and presentation: what stands around all views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import joined

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "address")
# In the order in which they need each other; they share one scope.
SCRIPTS = ("steps", "header", "tour", "present", "keys")


def frame(facts: dict[str, Any]) -> gr.HTML:
    """``facts``: ``{"dataset", "device", "noun", "example"}``; the example is ``{"items", "next"}`` or None.

    Its styles are global (``assets/frame.css``): they reach into the views.
    """
    return gr.HTML(
        value=facts,
        html_template=(FOLDER / "page.html").read_text(encoding="utf-8"),
        js_on_load=joined(FOLDER, COMMON, SCRIPTS, ".js"),
        apply_default_css=False,
        elem_id="top",
    )
