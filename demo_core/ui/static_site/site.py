"""Everything of a site, computed and written by one call."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.example_people import Example, ExamplesError, read_examples
from demo_core.measure import current_commit
from demo_core.ui.explore import honesty
from demo_core.ui.static_site.catalogue import catalogue
from demo_core.ui.static_site.figures import METRICS, Choices, recorded_dataset, recorded_family
from demo_core.ui.static_site.folder import check_free, write_folder
from demo_core.ui.static_site.histories import Kept, kept_histories, maps, recorded
from demo_core.ui.static_site.packing import data_script
from demo_core.ui.static_site.page import components, markup, script, values
from demo_core.ui.static_site.readme import readme

PEOPLE = 100
"""Example people of a site; with so many it stays well below 12 MB."""
HOME = Path(__file__).parents[3]
EVERY = 20  # histories between two words on how far it is
Json = dict[str, Any]
Say = Callable[[str], None]


class SiteError(ValueError):
    """There is nothing to make a site of; the message says what to do."""


@dataclass(frozen=True)
class _About:
    """What a site says of itself: what it ``holds``, how many of which ``people``, and how its answers were made."""

    holds: str
    people: str
    source: str
    noun: str

    @classmethod
    def of(cls, engine: Engine, histories: Sequence[Kept], there: int) -> _About:
        ready, people = (sum(one.kind == kind for one in histories) for kind in ("ready", "person"))
        parts = [_counted(ready, "ready history", "ready histories")] if ready else []
        parts += [f"{people} of {there} example people"] if people else []
        source = f"Computed on {datetime.now(UTC).date().isoformat()}, {engine.device}, commit {current_commit()}."
        holds = " and ".join(parts) or "the empty history alone"
        return cls(holds, f"Example people ({people} of {there})", source, engine.noun)

    @property
    def words(self) -> str:
        return f"A copy without a server: {self.holds}. What is grey needs the app, which computes live."

    @property
    def more(self) -> str:
        return f"Every history is there whole, and with each {self.noun} that is read switched off."


def write_site(
    checkpoints: Path,
    dataset: str,
    folder: Path,
    people: int = PEOPLE,
    thorough: Collection[str] = METRICS,
    say: Say = lambda words: None,
) -> int:
    """Writes the site of a data set to ``folder`` and returns its size in bytes.

    ``people``: at most so many example people; ``thorough``: metrics with Altair charts and intervals; ``say`` hears
    how far it is. Raises :class:`FolderError` before anything is computed where ``folder`` holds something else, and
    :class:`SiteError` without a model or with a negative number of people.
    """
    check_free(folder)
    if people < 0:
        raise SiteError(f"Expected 0 or more people, got {people}.")
    shelf = Shelf(checkpoints, dataset)
    engine = shelf.first
    if engine.problem is not None:
        raise SiteError(engine.problem)
    for name in engine.compared:  # what is on the Hub is fetched now: the site has no second try
        error = engine.recommend(name, []).error
        if error is not None and any(one.name == name and one.source for one in engine.models()):
            raise SiteError(error)
    examples = _examples(engine, checkpoints, say)
    histories = kept_histories(engine, examples, people)
    about = _About.of(engine, histories, len(examples))
    licences = {path.name: path.read_bytes() for path in sorted((checkpoints / dataset).glob("LICENSE*"))}
    files = {name: content.encode() for name, content in _page(shelf, histories, about, checkpoints, thorough).items()}
    files |= {name: content.encode() for name, content in _histories(engine, histories, say)}
    files |= {name: content.encode() for name, content in _benchmarks(engine, checkpoints, thorough, say)}
    files["data/family.js"] = data_script("family", recorded_family(engine.dataset, checkpoints)).encode()
    files |= {"LICENSE": (HOME / "LICENSE").read_bytes(), **licences}
    files["README.md"] = readme(engine.title, f"{about.words} {about.more}", about.source, list(licences)).encode()
    write_folder(folder, files)
    return sum(map(len, files.values()))


def _examples(engine: Engine, checkpoints: Path, say: Say) -> Sequence[Example]:
    try:
        return read_examples(checkpoints / engine.dataset / "examples.json", engine.num_items)
    except ExamplesError as error:
        say(str(error))
        return ()


def _page(
    shelf: Shelf, histories: Sequence[Kept], about: _About, checkpoints: Path, thorough: Collection[str]
) -> dict[str, str]:
    """The page, and what it has to know before anything is asked."""
    engine = shelf.first
    parts = components(shelf)
    licences = sorted(path.name for path in (checkpoints / engine.dataset).glob("LICENSE*"))
    terms = ", ".join(f'<a href="{html.escape(name)}">{html.escape(name)}</a>' for name in licences)
    foot = [
        html.escape(about.more),
        html.escape(about.source),
        f"Data: {html.escape(engine.title)}{f' ({terms})' if terms else ''}",
    ]
    foot.append('Code: <a href="LICENSE">Apache License 2.0</a>')
    site: Json = {
        "dataset": engine.dataset,
        "title": engine.title,
        "noun": engine.noun,
        "window": engine.window,
        "holds": about.holds,
        "about": about.words,
        "people": about.people,
        "facts": values(parts, engine.compared),
        "histories": [{"name": one.name, "kind": one.kind, "items": one.items, "next": one.next} for one in histories],
        "around": maps(engine),
        "honesty": honesty(engine, checkpoints),
        "benchmarks": Choices.read(checkpoints).told(engine.dataset, thorough),
    }
    return {
        "index.html": markup(parts, foot),
        "page.js": script(parts),
        "data/catalogue.js": data_script("catalogue", catalogue(engine, checkpoints)),
        "data/site.js": data_script("site", site),
    }


def _histories(engine: Engine, histories: Sequence[Kept], say: Say) -> list[tuple[str, str]]:
    written = []
    for at, one in enumerate(histories):
        if at % EVERY == 0:
            say(f"Histories: {at} of {len(histories)} …")
        name = f"histories/{at}"
        written.append((f"data/{name}.js", data_script(name, recorded(engine, one))))
    return written


def _benchmarks(engine: Engine, checkpoints: Path, thorough: Collection[str], say: Say) -> list[tuple[str, str]]:
    """Files are numbered: the names of data sets come from files of results, and may be anything."""
    written = []
    for at, dataset in enumerate(Choices.read(checkpoints).metrics):
        say(f"Benchmarks: {dataset} …")
        told = recorded_dataset(checkpoints, engine.dataset, dataset, thorough)
        for kind, value in zip(("benchmarks", "drawings"), told, strict=True):
            written.append((f"data/{kind}/{at}.js", data_script(f"{kind}/{at}", value)))
    return written


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
