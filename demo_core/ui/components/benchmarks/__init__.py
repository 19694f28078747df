"""The table-chart of the Benchmarks page: one custom HTML component that draws, asks and exports."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from demo_core.ui.components.shared import Answer, component

FOLDER = Path(__file__).parent
SCRIPTS = ("marks", "chart", "texts", "dots", "sections", "address", "runs", "page", "events")
STYLES = ("style", "sections")


def benchmark_page(look: Answer, figure: Answer, compare: Answer, download: Answer) -> gr.HTML:
    """The component; the four functions take what the browser sends and return plain values."""
    asked = [look, figure, compare, download]
    return component(
        FOLDER, "benchmarks-page", "", asked, common=("runs",), scripts=SCRIPTS, common_styles=(), styles=STYLES
    )
