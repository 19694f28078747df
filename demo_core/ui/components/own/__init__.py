"""The Your data component: a table is checked, models are trained on it, and what was brought before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "figure", "address")
STYLES = ("base", "controls")
SCRIPTS = ("state", "table", "lessons", "page")


def own_page(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.own.facts`; the page asks to ``check`` a file, to ``start``, for the
    ``progress``, to ``stop`` and to ``remove``.
    """
    return component(FOLDER, "own", shelf, facts, answers, common=COMMON, scripts=SCRIPTS, common_styles=STYLES)
