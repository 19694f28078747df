"""The table-chart of the Benchmarks page: one custom HTML component that draws, asks and exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent
# In the order in which they need each other; they share one scope.
SCRIPTS = (
    "marks.js",
    "chart.js",
    "texts.js",
    "dots.js",
    "sections.js",
    "address.js",
    "runs.js",
    "page.js",
    "events.js",
)
STYLES = ("style.css", "sections.css")


def benchmark_page(
    look: Callable[[Any], dict[str, Any]],
    figure: Callable[[Any], dict[str, Any]],
    compare: Callable[[Any], dict[str, Any]],
    download: Callable[[Any], dict[str, Any]],
) -> gr.HTML:
    """The component; the four functions take what the browser sends (untrusted) and return plain values.

    A function and not a subclass of ``gr.HTML``: Gradio writes a stub file beside every subclass at import.
    """
    return gr.HTML(
        value="",
        html_template=_read("template.html"),
        css_template="\n".join(_read(name) for name in STYLES),
        js_on_load="\n".join(_read(name) for name in SCRIPTS),
        apply_default_css=False,
        elem_id="benchmarks-page",
        server_functions=[look, figure, compare, download],
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
