"""The Your data page: one component, and what it asks the workshop. Values from the browser may be anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.titles import shown
from demo_core.engine.workshop import Workshop
from demo_core.engine.workshop_answers import Order
from demo_core.models import MODELS
from demo_core.own_data import EFFORTS, FEWEST, SMALL_SET
from demo_core.ui.components.own import own_page

Json = dict[str, Any]
LARGEST_FILE = 200_000_000  # bytes


@dataclass(frozen=True)
class OwnData:
    """Where visitors' data are trained on. ``paths``: they may name a file of this machine instead of sending one,
    and so read what it holds: not for a page that others can reach.
    """

    workshop: Workshop
    paths: bool = False


def build(shelf: Shelf, own: OwnData) -> None:
    """Place the page in the current Gradio context."""
    answers = {"check": check, "start": start, "progress": progress, "stop": stop, "remove": remove}
    own_page(shelf, lambda engine: facts(own), {name: _asking(own, answer) for name, answer in answers.items()})


def _asking(own: OwnData, answer: Callable[[OwnData, Any], Json]) -> Callable[[Engine, Any], Json]:
    """The answer is the same whichever data set is looked at; what is refused becomes ``{"error"}``."""

    def asked(engine: Engine, question: Any) -> Json:
        try:
            return answer(own, question)
        except InputError as error:
            return {"error": str(error)}

    return asked


def facts(own: OwnData) -> Json:
    """What can be chosen, and who sees what is brought."""
    return {
        "models": [{"name": name, "title": MODELS[name].title} for name in SMALL_SET],
        "efforts": [{"name": name, "title": effort.title} for name, effort in EFFORTS.items()],
        "fewest": [FEWEST[0], FEWEST[-1]],
        "largest": LARGEST_FILE,
        "paths": own.paths,
        "reason": "A small set of models is trained on your table, on the machine that this page runs on. Whoever "
        "opens the page can look at the models, stop the training and remove the data set.",
    }


def check(own: OwnData, asked: object) -> Json:
    """``{"file", "fewest", "noun"}`` -> ``{"found"}``: what is in the file."""
    wishes = asked if isinstance(asked, dict) else {}
    noun = str(wishes.get("noun", "item")).strip().lower()
    return {"found": own.workshop.check(file_of(own, wishes.get("file")), wishes.get("fewest", 5), noun)}


def start(own: OwnData, asked: object) -> Json:
    """An order with ``"file"`` as for :func:`check` -> the progress."""
    wishes = asked if isinstance(asked, dict) else {}
    known = {field.name for field in fields(Order)} - {"file", "models"}
    models = wishes.get("models", SMALL_SET)
    if not isinstance(models, list | tuple):
        raise InputError(f"Expected a list of models, got {shown(repr(models))}.")
    settings = {name: wishes[name] for name in known & set(wishes)}
    file = file_of(own, wishes.get("file"))
    own.workshop.start(Order(file, models=tuple(models), **{"title": "", **settings}), is_sent(file))
    return progress(own, None)


def progress(own: OwnData, asked: object) -> Json:
    """``{"progress", "own"}``: how far the training is, and the data sets that were brought."""
    return {"progress": asdict(own.workshop.progress()), "own": [asdict(about) for about in own.workshop.own()]}


def stop(own: OwnData, asked: object) -> Json:
    """Breaks the training off -> the progress."""
    own.workshop.stop()
    return progress(own, None)


def remove(own: OwnData, asked: object) -> Json:
    """Deletes the own data set of that name -> the progress."""
    own.workshop.remove(asked)
    return progress(own, None)


def file_of(own: OwnData, asked: object) -> Path:
    """``{"path"}`` -> the file: one that was sent to this page, or where that is allowed any."""
    wishes = asked if isinstance(asked, dict) else {}
    path = wishes.get("path")
    if not isinstance(path, str) or not path or "\0" in path:
        raise InputError("Expected a file; choose one first.")
    try:
        file = Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"Expected a file, got the path {shown(path)}.") from error
    if not is_sent(file) and not own.paths:
        raise InputError("Expected a file that was sent to this page.")
    return file


def is_sent(file: Path) -> bool:
    """Whether a file lies where Gradio keeps what was sent."""
    return file.is_relative_to(Path(get_upload_folder()).resolve())
