"""The Run your own component: a small benchmark over example people, as it streams in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import Answer, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "export", "stream", "runs")
SCRIPTS = ("state", "chart", "page")


def run_page(facts: dict[str, Any], pdf: Answer) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.running.facts`; ``pdf`` makes one of an SVG. The rest comes from the
    public endpoint ``/run_benchmark``.
    """
    return component(FOLDER, "run", facts, [pdf], common=COMMON, scripts=SCRIPTS)
