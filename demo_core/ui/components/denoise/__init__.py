"""The Denoise component: the sampling of the models, step by step, as it streams in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "vega", "export", "stream")
SCRIPTS = ("state", "play", "stage", "settling", "steps", "stage_vega", "settling_vega", "page")


def denoise_page(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts``: ``{"noun"}``; the page asks for ``pdf``. The rest comes from the public endpoint ``/denoise``."""
    return component(FOLDER, "denoise", shelf, facts, answers, common=COMMON, scripts=SCRIPTS)
