"""The Explore component: one script draws chips, route, weights and lists from one JSON answer, in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "pen", "figure", "address", "vega", "export")
SCRIPTS = (
    "state",
    "search",
    "chips",
    "drag",
    "paste",
    "route",
    "gauge",
    "handle",
    "weights",
    "without",
    "lists",
    "why",
    "route_vega",
    "switch_vega",
    "explore",
)
STYLES = ("page", "chips", "figure", "lists", "phone")


def explore_page(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.explore.facts`; the page asks for ``search``, ``look``, ``parse``,
    ``person``, ``why``, ``honesty`` and ``pdf``.
    """
    return component(FOLDER, "explore", shelf, facts, answers, common=COMMON, scripts=SCRIPTS, styles=STYLES)
