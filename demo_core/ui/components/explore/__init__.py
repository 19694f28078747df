"""The Explore component: one script draws chips, route, weights and lists from one JSON answer, in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent
# In the order in which the script needs them; they share one scope.
SCRIPTS = (
    "text",
    "dom",
    "pen",
    "state",
    "search",
    "chips",
    "paste",
    "route",
    "gauge",
    "handle",
    "weights",
    "without",
    "lists",
    "explore",
)
STYLES = ("page", "chips", "figure", "lists", "phone")

Answer = Callable[[Any], dict[str, Any]]


class ExplorePage(gr.HTML):
    """``facts`` are read once; everything else is asked for through the four server functions."""

    def __init__(self, facts: dict[str, Any], search: Answer, look: Answer, parse: Answer, person: Answer) -> None:
        super().__init__(
            value=facts,
            html_template=_text("page.html"),
            css_template="\n".join(_text(f"{name}.css") for name in STYLES),
            js_on_load="\n".join(_text(f"{name}.js") for name in SCRIPTS),
            server_functions=[search, look, parse, person],
            apply_default_css=False,
            elem_id="explore",
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}


@cache
def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
