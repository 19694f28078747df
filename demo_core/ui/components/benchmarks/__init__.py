"""The table-chart of the Benchmarks page: one custom HTML component that draws, asks and exports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, component

FOLDER = Path(__file__).parent
SCRIPTS = ("marks", "chart", "texts", "dots", "sections", "address", "runs", "page", "events")
STYLES = ("style", "sections")


def benchmark_page(shelf: Shelf, answers: Mapping[str, Answer]) -> gr.HTML:
    """The page asks to ``look``, for a ``figure``, to ``compare`` and to ``download``."""
    return component(
        FOLDER,
        "benchmarks-page",
        shelf,
        lambda engine: {},
        answers,
        common=("runs",),
        scripts=SCRIPTS,
        common_styles=("controls",),
        styles=STYLES,
    )
