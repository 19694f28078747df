"""The page of a site: the app's own components, put into one file of markup and styles and one of scripts."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.engine import Shelf
from demo_core.ui import explore, family, header, theme, views
from demo_core.ui.components.benchmarks import benchmark_page
from demo_core.ui.components.denoise import denoise_page
from demo_core.ui.components.explore import explore_page
from demo_core.ui.components.family import family_page
from demo_core.ui.components.frame import frame
from demo_core.ui.components.shared import FOLDER as SHARED

WEB = Path(__file__).parent / "web"
FONTS = Path(gr.__file__).parent / "templates/frontend/static/fonts/IBMPlexSans"
WEIGHTS = {"Regular": 400, "Bold": 700}
RUNTIME = ("data", "search", "answers", "figures", "family", "tabs", "copy", "start")
TABS = {"explore": "Explore", "denoise": "Denoise", "benchmarks": "Benchmarks", "family": "Family tree"}
TEMPLATE = re.compile(r"\$\{|\{\{")


def components(shelf: Shelf) -> dict[str, gr.HTML]:
    """Header and views as the app makes them, by their id; nobody answers what they ask."""
    made = (
        frame(shelf, header.facts, {}),
        explore_page(shelf, explore.facts, {}),
        denoise_page(shelf, lambda engine: {"noun": engine.noun}, {}),
        benchmark_page(shelf, {}),
        family_page(shelf, family.facts, {}),
    )
    return {str(one.elem_id): one for one in made}


def markup(parts: dict[str, gr.HTML], foot: Sequence[str]) -> str:
    """``index.html``: everything that is seen, with its styles. ``foot``: lines of markup for the end of the page."""
    header_part, *view_parts = parts
    panels = [
        f'<div class="tabitem" role="tabpanel" id="panel-{name}" aria-labelledby="tab-{name}"{" hidden" * (at > 0)}>'
        f"{_element(view, parts[view])}</div>"
        for at, (name, view) in enumerate(zip(TABS, view_parts, strict=True))
    ]
    tabs = [
        f'<button type="button" role="tab" id="tab-{name}" data-tab-id="{name}" aria-controls="panel-{name}">'
        f"{html.escape(title)}</button>"
        for name, title in TABS.items()
    ]
    filled = {
        "ICON": _data_url("image/svg+xml", theme.FAVICON.read_bytes()),
        "STYLES": "\n".join([*_fonts(), _text("site.css"), theme.css(), *map(_scoped, parts, parts.values())]),
        "HEADER": _element(header_part, parts[header_part]),
        "TABS": "".join(tabs),
        "PANELS": "\n".join(panels),
        "FOOT": " ".join(f"<span>{line}</span>" for line in foot),
    }
    return re.sub(r"<!-- ([A-Z]+) -->", lambda found: filled[found[1]], _text("index.html"))


def script(parts: dict[str, gr.HTML]) -> str:
    """``page.js``: what stands in for the server and for Gradio, then the components' own scripts, unchanged but for
    the stream, which comes from what was computed before.
    """
    remember = ", ".join(f"{json.dumps(name)}: {views.remember(name)}" for name in TABS)
    runtime = "\n".join(_text(f"{name}.js") for name in RUNTIME)
    own = [
        f"turnpoint.component({json.dumps(name)}, function (element, props, server) {{\n{_with_own_stream(one)}\n}});"
        for name, one in parts.items()
    ]
    head = f"window.turnpoint = {{ remember: {{ {remember} }}, openView: {views.OPEN_VIEW} }};"
    return "\n".join([head, f"(() => {{\n{runtime}\n}})();", *own, "turnpoint.start();", ""])


def values(parts: dict[str, gr.HTML], compared: Sequence[str]) -> dict[str, Any]:
    """What each component knows at the start. Only ``compared`` models have lists here, and no others can be chosen; no
    device answers, and nothing changes any more.
    """
    found = {name: {**one.value, "changing": False} for name, one in parts.items()}
    found["explore"]["models"] = [one for one in found["explore"]["models"] if one["name"] in compared]
    found["family"] |= {"models": [], "live": False}
    found["top"]["device"] = "copy without a server"
    return found


def _with_own_stream(one: gr.HTML) -> str:
    stream = (SHARED / "stream.js").read_text(encoding="utf-8")
    return str(one.js_on_load).replace(stream, _text("stream.js"))


def _element(name: str, one: gr.HTML) -> str:
    if TEMPLATE.search(f"{one.html_template}{one.css_template}"):
        raise ValueError(f"Expected {name} to be plain markup and styles; templates are not filled in here.")
    return f'<div id="{name}"><div class="tp-element">{one.html_template}</div></div>'


def _scoped(name: str, one: gr.HTML) -> str:
    """As Gradio keeps a component's rules to itself."""
    return f"#{name} {{ {one.css_template} }}" if one.css_template else ""


def _fonts() -> list[str]:
    """The page's type as Gradio brings it; without it, that of the machine."""
    files = {weight: FONTS / f"IBMPlexSans-{name}.woff2" for name, weight in WEIGHTS.items()}
    return [
        f'@font-face {{ font-family: "IBM Plex Sans"; font-weight: {weight}; font-display: block; '
        f'src: url({_data_url("font/woff2", path.read_bytes())}) format("woff2"); }}'
        for weight, path in files.items()
        if path.is_file()
    ]


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")
