"""The Missing data component: one draw of lost or added items, and a curve over many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "vega", "export")
SCRIPTS = ("state", "line", "curve", "line_vega", "curve_vega", "page")


def lab_page(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts``: ``{"noun", "excludes"}``; the page asks to ``look`` at one draw, for a share of the ``curve``, and for
    ``pdf``.
    """
    return component(FOLDER, "lab", shelf, facts, answers, common=COMMON, scripts=SCRIPTS)
