"""A drawing from the browser as a PDF. What comes may be anything: only plain shapes and text are converted."""

from __future__ import annotations

import base64
import re

from demo_core.engine import Engine
from demo_core.rendering import DrawingError, renderer

LARGEST = 1_000_000  # characters
# Nothing that could ask for a file or another host, and nothing that runs.
FORBIDDEN = re.compile(r"<\s*(image|script|foreignObject|use|style|a)\b|\bhref\s*=|url\s*\(|@import|<!", re.IGNORECASE)


def pdf_of(engine: Engine, svg: object) -> dict[str, str]:
    """:func:`pdf` for the page: a drawing is the same whatever the data set."""
    return pdf(svg)


def pdf(svg: object) -> dict[str, str]:
    """SVG text -> ``{"base64"}``, or ``{"error"}``."""
    if not isinstance(svg, str) or not svg.lstrip().startswith("<svg"):
        return {"error": "Expected a drawing as SVG."}
    if len(svg) > LARGEST:
        return {"error": f"Expected a drawing of at most {LARGEST:,} characters, got {len(svg):,}."}
    if FORBIDDEN.search(svg):
        return {"error": "Expected shapes and text alone: no images, links, styles or scripts."}
    try:
        return {"base64": base64.b64encode(renderer().draw("pdf", svg)).decode()}
    except DrawingError as error:
        return {"error": f"The drawing could not be read: {error}"}
