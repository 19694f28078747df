"""The Denoise page: one component; what it draws comes from the public endpoint."""

from __future__ import annotations

from demo_core.engine import Shelf
from demo_core.ui.components.denoise import denoise_page
from demo_core.ui.drawings import pdf_of


def build(shelf: Shelf) -> None:
    """Place the page in the current Gradio context."""
    denoise_page(shelf, lambda engine: {"noun": engine.noun}, {"pdf": pdf_of})
