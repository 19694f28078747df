"""The page: header and tabs. The only package that imports Gradio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.engine import Engine
from demo_core.ui import api, benchmarks, explore, missing, running, theme, views
from demo_core.ui.components.denoise import denoise_page
from demo_core.ui.components.explore.ready import Ready, ready_histories
from demo_core.ui.components.frame import frame
from demo_core.ui.drawings import pdf

MOST_WAITING = 64
"""Calls that may wait; one more is refused at once: "queue is full"."""


SESSIONS = 64
"""Visitors whose state Gradio keeps; every call over the API counts as one, and each holds a copy of the page's
configuration. There is no state to lose: it is in the address.
"""


def create_app(engine: Engine, checkpoints: Path) -> gr.Blocks:
    """All views and the public API over one engine; nothing listens yet (see :func:`launch`)."""
    ready = ready_histories(engine)
    with gr.Blocks(title="Turnpoint", analytics_enabled=False) as app:
        frame(header_facts(engine, ready))
        with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
            with gr.Tab("Explore", id="explore") as first:
                explore.build(engine, checkpoints, ready)
            with gr.Tab("Denoise", id="denoise") as second:
                denoise_page({"noun": engine.noun}, pdf)
            with gr.Tab("Missing data", id="missing") as third:
                missing.build(engine)
            with gr.Tab("Benchmarks", id="benchmarks") as fourth:
                benchmarks.build(engine, checkpoints)
            with gr.Tab("Run your own", id="run") as fifth:
                running.build(engine)
        for tab in (first, second, third, fourth, fifth):
            tab.select(js=views.remember(str(tab.id)), api_visibility="private")
        app.load(js=views.OPEN_VIEW, api_visibility="private")
        api.register(engine, checkpoints)
    app.queue(max_size=MOST_WAITING)
    return app


def header_facts(engine: Engine, ready: Sequence[Ready]) -> dict[str, Any]:
    """What the header knows: data set, device, and the history that tour and talk begin with: one with weights to show
    if there is one.
    """
    turning = (one for one in ready if one.outcome == "turning")
    chosen = next(turning, ready[0] if ready else None)
    example = None if chosen is None else {"items": list(chosen.items), "next": chosen.next}
    return {"dataset": engine.title, "device": engine.device, "noun": engine.noun, "example": example}


class AddressError(OSError):
    """Nothing can listen on the address asked for; the message says what to do."""


def launch(app: gr.Blocks, host: str | None = None, port: int | None = None, block: bool = True) -> str:
    """Serve ``app`` and give its address; ``None`` leaves host and port to Gradio's environment variables.

    ``block=False`` comes back at once, for tests. Raises :class:`AddressError` where the port is taken.
    """
    try:
        _, address, _ = app.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=not block,
            quiet=not block,
            ssr_mode=False,
            theme=theme.gradio_theme(),
            css=theme.css(),
            favicon_path=str(theme.FAVICON),
            footer_links=["api"],
            mcp_server=True,
            state_session_capacity=SESSIONS,
        )
    except (OSError, OverflowError) as error:
        # A file that is missing has an errno; Gradio's "no empty port" has none, and a port past 65535 overflows.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        place = "the address" if port is None else f"port {port}"
        raise AddressError(f"Could not listen on {place}: it is taken or not allowed. Choose another port.") from error
    return address
