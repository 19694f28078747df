"""The Family tree component: a tree on a wide screen, a list of branches on a narrow one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "vega", "export")
SCRIPTS = ("state", "marks", "card", "lines", "places", "tree", "branches", "tree_vega", "page")


def family_page(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.family.facts`; the page asks to ``look``, and for ``pdf``."""
    return component(FOLDER, "family", shelf, facts, answers, common=COMMON, scripts=SCRIPTS)
