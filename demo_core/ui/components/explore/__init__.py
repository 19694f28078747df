"""The Explore component: one script draws chips, route, weights and lists from one JSON answer, in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.ui.components.shared import Answer, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "export")
SCRIPTS = (
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
    "why",
    "explore",
)
STYLES = ("page", "chips", "figure", "lists", "phone")


def explore_page(
    facts: dict[str, Any], search: Answer, look: Answer, parse: Answer, person: Answer, why: Answer, pdf: Answer
) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.explore.facts`; the six functions answer the page's questions."""
    asked = [search, look, parse, person, why, pdf]
    return component(FOLDER, "explore", facts, asked, common=COMMON, scripts=SCRIPTS, styles=STYLES)
