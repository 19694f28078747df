"""The page: header and tabs. The only package that imports Gradio."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from demo_core.engine import Engine
from demo_core.ui import api, benchmarks, explore, missing, theme, views
from demo_core.ui.components.denoise import denoise_page


def create_app(engine: Engine, checkpoints: Path) -> gr.Blocks:
    """All views and the public API over one engine; nothing listens yet (see :func:`launch`)."""
    with gr.Blocks(title="Turnpoint", analytics_enabled=False) as app:
        gr.HTML(theme.header(engine.title, engine.device), apply_default_css=False, elem_id="top")
        with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
            with gr.Tab("Explore", id="explore") as first:
                explore.build(engine, checkpoints)
            with gr.Tab("Denoise", id="denoise") as second:
                denoise_page({"noun": engine.noun})
            with gr.Tab("Missing data", id="missing") as third:
                missing.build(engine)
            with gr.Tab("Benchmarks", id="benchmarks") as fourth:
                benchmarks.build(engine, checkpoints)
        for tab in (first, second, third, fourth):
            tab.select(js=views.remember(str(tab.id)), api_visibility="private")
        app.load(js=views.OPEN_VIEW, api_visibility="private")
        api.register(engine)
    return app


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
        )
    except (OSError, OverflowError) as error:
        # A file that is missing has an errno; Gradio's "no empty port" has none, and a port past 65535 overflows.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        place = "the address" if port is None else f"port {port}"
        raise AddressError(f"Could not listen on {place}: it is taken or not allowed. Choose another port.") from error
    return address
