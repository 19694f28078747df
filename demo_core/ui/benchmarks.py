"""The Benchmarks page: published and measured figures, one protocol at a time, with what the lists are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_core.engine import Shelf
from demo_core.results import Result
from demo_core.ui.components.benchmarks import benchmark_page
from demo_core.ui.components.benchmarks.difference import told
from demo_core.ui.components.benchmarks.files import Asked, drawings, file
from demo_core.ui.components.benchmarks.offer import Offer, comparable, row_name
from demo_core.ui.components.benchmarks.view import view
from demo_core.ui.components.shared import Answer

if TYPE_CHECKING:
    from demo_core.comparison import Difference


def build(shelf: Shelf) -> None:
    """Place the page in the current Gradio context. Results are read anew at every look, so new runs show at once."""
    answers = {"look": shown, "figure": figures, "compare": difference, "download": exported}
    benchmark_page(shelf, {name: _about(shelf, answer) for name, answer in answers.items()})


def _about(shelf: Shelf, answer: Callable[[Path, str, object], dict[str, Any]]) -> Answer:
    """The question is one about results; the data set is where a visitor starts."""
    return lambda engine, asked: answer(shelf.checkpoints, engine.dataset, asked)


def shown(checkpoints: Path, dataset: str, asked: object) -> dict[str, Any]:
    """The page's content for what was asked; ``dataset`` is where a visitor starts."""
    offer = Offer.read(checkpoints)
    return view(offer, offer.choose(asked, dataset))


def figures(checkpoints: Path, dataset: str, asked: object) -> dict[str, list[str]]:
    """Altair charts in SVG, ``{"drawings": [...]}``: the figure called ``asked["figure"]``, else the benchmark figure.

    ``asked["dark"]`` and ``asked["compact"]`` fit them to the page's theme and to a phone.
    """
    offer = Offer.read(checkpoints)
    return {"drawings": drawings(offer, offer.choose(asked, dataset), Asked.read(asked))}


def difference(checkpoints: Path, dataset: str, asked: object) -> dict[str, Any]:
    """The rows ``asked["first"]`` and ``asked["second"]`` compared: ``{"first", "second", "text", "block"}``.

    The names are those of the rows that were compared; ``{}`` where there are not two.
    """
    # The bootstrap's scipy.stats takes a second to import, which the start of the app can do without.
    from demo_core.experiments.difference import interval_between

    offer = Offer.read(checkpoints)
    choice = offer.choose(asked, dataset)
    if choice.first is None or choice.second is None:
        return {}
    rows = {row_name(row): row for row in comparable(offer.rows(choice))}
    first, second = rows[choice.first], rows[choice.second]
    interval = interval_between(checkpoints, first.result, second.result)
    losses = [] if interval is None else _losses(checkpoints, offer, first.result, second.result)
    return {"first": choice.first, "second": choice.second, **told(first, second, interval, losses)}


def _losses(checkpoints: Path, offer: Offer, first: Result, second: Result) -> list[tuple[float, Difference]]:
    """What deleted items cost the two, for every share at which both were measured."""
    from demo_core.experiments.difference import losses_between

    missing = [offer.deleted(result) for result in (first, second)]
    shares = sorted(missing[0].keys() & missing[1].keys())
    found = [
        (share, losses_between(checkpoints, (first, missing[0][share]), (second, missing[1][share])))
        for share in shares
    ]
    return [(share, interval) for share, interval in found if interval is not None]


def exported(checkpoints: Path, dataset: str, asked: object) -> dict[str, Any]:
    """The chosen figure as a file: ``{"name", "type", "base64"}``, or ``{"message"}`` where there is none."""
    offer = Offer.read(checkpoints)
    return file(offer, offer.choose(asked, dataset), Asked.read(asked))
