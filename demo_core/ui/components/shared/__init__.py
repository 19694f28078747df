"""What the pages' components have in common: how one is made, and the scripts and styles put before its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError

FOLDER = Path(__file__).parent

Json = dict[str, Any]
Facts = Callable[[Engine], Json]
"""What a component has to know of a data set before it asks anything."""
Answer = Callable[[Engine, Any], Json]
"""What the browser may ask of a data set. The second argument comes from outside and may be anything."""


def component(
    folder: Path,
    elem_id: str,
    shelf: Shelf,
    facts: Facts,
    answers: Mapping[str, Answer],
    *,
    common: tuple[str, ...],
    scripts: tuple[str, ...],
    common_styles: tuple[str, ...] = ("base",),
    styles: tuple[str, ...] = ("style",),
) -> gr.HTML:
    """The component of ``folder``: its ``page.html``, then scripts and styles, those ``common`` to several first.

    Each list stands in the order in which its files need each other. The scripts run once, with the ``facts`` of the
    data set that the address names; ``ask(name, question)`` asks one of the ``answers`` about it.

    A function and not a subclass of ``gr.HTML``: Gradio writes a stub file beside every subclass at import.
    """
    scripts_of_page = _joined(folder, common, scripts, ".js")
    return gr.HTML(
        value={**facts(shelf.first), "first": shelf.first.dataset, "changing": shelf.changing},
        html_template=_text(folder, "page.html"),
        css_template=_joined(folder, common_styles, styles, ".css"),
        js_on_load=_text(FOLDER, "start.js").replace("// THE PAGE'S OWN SCRIPTS", scripts_of_page),
        server_functions=[_facts_of(shelf, facts), *(_asked(shelf, name, answer) for name, answer in answers.items())],
        apply_default_css=False,
        elem_id=elem_id,
    )


def _facts_of(shelf: Shelf, facts: Facts) -> Callable[[Any], Json | None]:
    """None for a data set that is not there."""

    def facts_of(dataset: Any) -> Json | None:
        try:
            return facts(shelf.engine(dataset))
        except InputError:
            return None

    return facts_of


def _asked(shelf: Shelf, name: str, answer: Answer) -> Callable[[Any], Json]:
    """The function that the browser calls: ``{"dataset", "question"}`` -> the answer for that data set."""

    def asked(sent: Any) -> Json:
        about = sent if isinstance(sent, dict) else {}
        try:
            engine = shelf.engine(about.get("dataset"))
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return answer(engine, about.get("question"))

    asked.__name__ = name
    return asked


def _joined(folder: Path, common: tuple[str, ...], own: tuple[str, ...], ending: str) -> str:
    """The files ``common`` of the shared folder, then those of ``folder``, as one text: they share one scope."""
    return "\n".join(
        [*(_text(FOLDER, name + ending) for name in common), *(_text(folder, name + ending) for name in own)]
    )


@cache
def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")
