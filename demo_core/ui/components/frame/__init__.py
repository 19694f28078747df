"""Header, tour and presentation: what stands around all views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "address")
SCRIPTS = ("steps", "header", "tour", "present", "keys")


def frame(facts: dict[str, Any]) -> gr.HTML:
    """``facts``: ``{"dataset", "device", "noun", "example"}``; the example is ``{"items", "next"}`` or None.

    Its styles are global (``assets/frame.css``): they reach into the views.
    """
    return component(FOLDER, "top", facts, [], common=COMMON, scripts=SCRIPTS, common_styles=(), styles=())
