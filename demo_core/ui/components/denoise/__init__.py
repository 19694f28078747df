"""The Denoise component: the sampling of the models, step by step, as it streams in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import Answer, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "export", "stream")
SCRIPTS = ("state", "play", "stage", "settling", "steps", "page")


def denoise_page(facts: dict[str, Any], pdf: Answer) -> gr.HTML:
    """``facts``: ``{"noun"}``; ``pdf`` makes one of an SVG. The rest comes from the public endpoint ``/denoise``."""
    return component(FOLDER, "denoise", facts, [pdf], common=COMMON, scripts=SCRIPTS)
