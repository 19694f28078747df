"""Header, tour and presentation: what stands around all views."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.components.shared import Answer, Facts, component

FOLDER = Path(__file__).parent
COMMON = ("text", "dom", "address")
SCRIPTS = ("steps", "header", "hub", "tour", "present", "keys")


def frame(shelf: Shelf, facts: Facts, answers: Mapping[str, Answer]) -> gr.HTML:
    """``facts`` are those of :func:`demo_core.ui.header.facts`; the header asks for the ``datasets`` and
    the ``bundles`` of the Hub.

    Its styles are global (``assets/frame.css``): they reach into the views.
    """
    return component(FOLDER, "top", shelf, facts, answers, common=COMMON, scripts=SCRIPTS, common_styles=(), styles=())
