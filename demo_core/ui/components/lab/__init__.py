"""The Missing data component: one draw of lost or added items, and a curve over many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import Answer, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "export")
SCRIPTS = ("state", "line", "curve", "page")


def lab_page(facts: dict[str, Any], look: Answer, curve: Answer, pdf: Answer) -> gr.HTML:
    """``facts``: ``{"noun"}``; ``look`` answers for one draw, ``curve`` for one share of the curve."""
    return component(FOLDER, "lab", facts, [look, curve, pdf], common=COMMON, scripts=SCRIPTS)
