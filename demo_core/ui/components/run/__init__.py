"""The Run your own component: a small benchmark over example people, as it streams in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "vega", "export", "stream", "runs")
STYLES = ("base", "controls")
SCRIPTS = ("state", "chart", "chart_vega", "page")


def run_page(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.running.facts`; the page asks for ``pdf``. The rest comes from the
    public endpoint ``/run_benchmark``.
    """
    return component(FOLDER, "run", shelf, facts, answers, common=COMMON, scripts=SCRIPTS, common_styles=STYLES)
