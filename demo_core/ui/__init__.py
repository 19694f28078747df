"""The page: header and tabs. The only package that imports Gradio."""

from __future__ import annotations

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui import api, benchmarks, denoising, explore, family, header, missing, own, running, theme, views
from demo_core.ui.own import LARGEST_FILE, OwnData

MOST_WAITING = 64
"""Calls that may wait; one more is refused at once: "queue is full"."""


HOUR = 3600  # seconds; what was sent to the page is deleted after a day, at the latest
SESSIONS = 64
"""Visitors whose state Gradio keeps; every call over the API counts as one, and each holds a copy of the page's
configuration. There is no state to lose: it is in the address.
"""


def create_app(shelf: Shelf, own_data: OwnData | None = None) -> gr.Blocks:
    """All views and the public API over the data sets of a shelf; nothing listens yet (see :func:`launch`).

    Without ``own_data`` nobody can bring any.
    """
    views_of_page = {
        "explore": ("Explore", explore.build),
        "denoise": ("Denoise", denoising.build),
        "missing": ("Missing data", missing.build),
        "benchmarks": ("Benchmarks", benchmarks.build),
        "family": ("Family tree", family.build),
        "run": ("Run your own", running.build),
    }
    if own_data is not None:
        views_of_page["own"] = ("Your data", lambda shelf: own.build(shelf, own_data))
    with gr.Blocks(title="Turnpoint", analytics_enabled=False, delete_cache=(HOUR, 24 * HOUR)) as app:
        header.build(shelf)
        with gr.Tabs(elem_id="views", overflow_behavior="wrap"):
            for name, (title, build) in views_of_page.items():
                with gr.Tab(title, id=name) as tab:
                    build(shelf)
                tab.select(js=views.remember(name), api_visibility="private")
        app.load(js=views.OPEN_VIEW, api_visibility="private")
        api.register(shelf)
    app.queue(max_size=MOST_WAITING)
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
            mcp_server=True,
            max_file_size=LARGEST_FILE,
            state_session_capacity=SESSIONS,
        )
    except (OSError, OverflowError) as error:
        # A file that is missing has an errno; Gradio's "no empty port" has none, and a port past 65535 overflows.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        place = "the address" if port is None else f"port {port}"
        raise AddressError(f"Could not listen on {place}: it is taken or not allowed. Choose another port.") from error
    return address
