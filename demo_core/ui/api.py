"""The public endpoints: what programs may ask over HTTP, and language models over MCP.

Everything goes in and out as plain JSON over ids and titles, so that no schema grows with the catalogue. Titles are
returned as they are; whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui.api_facts import FactEndpoints
from demo_core.ui.api_models import ModelEndpoints
from demo_core.ui.api_parts import in_whole_parts

# Models share the machine's cores: more calls at once would only make each of them slower.
CALLS_AT_ONCE = 2
# Unless they share batches: then the more of them wait, the larger is the next batch.
CALLS_TOGETHER = 32


def register(shelf: Shelf) -> None:
    """Adds the endpoints to the ``gr.Blocks`` that is being built."""
    facts, models = FactEndpoints(shelf), ModelEndpoints(shelf)
    at_once = CALLS_TOGETHER if shelf.serving.together else CALLS_AT_ONCE
    functions: tuple[Callable[..., Any], ...] = (
        facts.search_items,
        models.recommend,
        models.explain,
        models.compare,
        models.drop_one,
        models.denoise,
        models.run_benchmark,
        facts.datasets,
        facts.models,
        facts.benchmarks,
    )
    for function in functions:
        gr.api(in_whole_parts(function), api_name=function.__name__, concurrency_id="api", concurrency_limit=at_once)
