"""What the pages' components have in common: how one is made, and the scripts and styles put before its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent

Answer = Callable[[Any], dict[str, Any]]
"""What the browser may ask for. Its argument comes from outside and may be anything."""


def component(
    folder: Path,
    elem_id: str,
    facts: Any,
    functions: Sequence[Answer],
    *,
    common: tuple[str, ...],
    scripts: tuple[str, ...],
    common_styles: tuple[str, ...] = ("base",),
    styles: tuple[str, ...] = ("style",),
) -> gr.HTML:
    """The component of ``folder``: its ``page.html``, then scripts and styles, those ``common`` to several first.

    Each list stands in the order in which its files need each other. ``facts`` are read once; everything else is asked
    for through ``functions``.

    A function and not a subclass of ``gr.HTML``: Gradio writes a stub file beside every subclass at import.
    """
    return gr.HTML(
        value=facts,
        html_template=_text(folder, "page.html"),
        css_template=_joined(folder, common_styles, styles, ".css"),
        js_on_load=_joined(folder, common, scripts, ".js"),
        server_functions=list(functions),
        apply_default_css=False,
        elem_id=elem_id,
    )


def _joined(folder: Path, common: tuple[str, ...], own: tuple[str, ...], ending: str) -> str:
    """The files ``common`` of the shared folder, then those of ``folder``, as one text: they share one scope."""
    return "\n".join(
        [*(_text(FOLDER, name + ending) for name in common), *(_text(folder, name + ending) for name in own)]
    )


@cache
def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")
