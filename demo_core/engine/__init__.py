"""What the page and the API ask, without Gradio and without plots: search, recommend, explain, compare."""

from demo_core.engine.engine import Engine
from demo_core.engine.serving import Serving
from demo_core.engine.shelf import Shelf

__all__ = ["Engine", "Serving", "Shelf"]
