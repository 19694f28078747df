"""What the page and the API ask: search, recommend, explain and compare over the bundles of one data set.

Nothing changes after construction, so threads may share an engine. Answers are plain values (``answers.py``); bad input
raises :class:`InputError` with a message for the visitor, and a model that cannot be used says so in its own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import torch

from demo_core.checkpoint import Bundle
from demo_core.datasets import DATASETS
from demo_core.engine import bundles, captions, people
from demo_core.engine.answers import (
    Comparison,
    Effects,
    InputError,
    Item,
    ModelList,
    ModelStatus,
    Parsed,
    Person,
    Route,
    SearchAnswer,
)
from demo_core.engine.bundles import COMPARED, Loaded
from demo_core.engine.effects import effects_of
from demo_core.engine.questions import LARGEST_SEED, Question, check_whole
from demo_core.engine.ranking import model_list
from demo_core.engine.routes import read_route, removal_by_distance, training_histogram
from demo_core.engine.search import TitleSearch
from demo_core.engine.titles import shown
from demo_core.sequences import Catalogue

MOST_MODELS = 8


class Engine:
    """Answers from the bundles in ``checkpoints / dataset``; with none of them it runs and says what is missing.

    ``device``: ``None`` takes a GPU where there is one.
    """

    def __init__(self, checkpoints: Path, dataset: str = "movielens", device: torch.device | None = None) -> None:
        self.dataset = dataset
        self.title = DATASETS[dataset].title if dataset in DATASETS else dataset
        self._device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._folder = checkpoints / dataset
        self._loaded = {one.name: one for one in bundles.load_bundles(self._folder, dataset, self._device)}
        self._statuses = {name: bundles.status(one, dataset) for name, one in self._loaded.items()}
        self._catalogue = bundles.shared_catalogue(tuple(self._loaded.values()))
        self._search = TitleSearch(self._catalogue or Catalogue((), (), (), ()))
        self._examples: tuple[people.Example, ...] = ()
        self._no_examples: str | None = None
        try:
            self._examples = people.read_examples(self._folder / "examples.json", self.num_items)
        except people.ExamplesError as error:
            self._no_examples = str(error)

    @property
    def device(self) -> str:
        """The device as the page shows it."""
        return f"CUDA: {torch.cuda.get_device_name(self._device)}" if self._device.type == "cuda" else "CPU"

    @property
    def noun(self) -> str:
        """What one item is called."""
        return self._search.noun

    @property
    def num_items(self) -> int:
        return len(self._search.items)

    @property
    def problem(self) -> str | None:
        """Why nothing can be answered: no bundle is usable."""
        if self._catalogue is not None:
            return None
        return (
            f"No model of {self.title} could be loaded from {self._folder}. "
            f"Train one: python -m scripts.train card --dataset {self.dataset}"
        )

    @property
    def window(self) -> int:
        """How many of the newest items CARD reads; without CARD, the longest window there is; 0 without any model."""
        lengths = {one.name: one.bundle.model.config.max_length for one in self._loaded.values() if one.bundle}
        return lengths.get("card", max(lengths.values(), default=0))

    def _require_items(self) -> None:
        if self.problem:
            raise InputError(self.problem)

    def models(self) -> tuple[ModelStatus, ...]:
        """Every model with a bundle, and those compared on the page even when they have none."""
        return tuple(self._statuses.values())

    def item(self, id: int) -> Item:
        """The item with this id, 1..M; anything else raises :class:`InputError`."""
        self._require_items()
        return self._search.item(id)

    def search(self, query: str, k: int = 8) -> SearchAnswer:
        """At most ``k`` (1..50) suggestions for a title as far as it is typed, or for ``17`` or ``#17``."""
        check_whole("k", k, 1, 50)
        if self.problem:
            return SearchAnswer(query, (), self.problem)
        return self._search.suggest(query, k)

    def parse(self, text: str) -> Parsed:
        """A pasted list of titles or ids; see :meth:`TitleSearch.parse`."""
        return Parsed((), (self.problem,)) if self.problem else self._search.parse(text)

    def read(self, entries: Sequence[int | str]) -> Parsed:
        """Ids (whole numbers) or titles -> items; the first entry that is neither raises :class:`InputError`."""
        self._require_items()
        items, notes = [], []
        for entry in entries:
            if not isinstance(entry, str):
                items.append(self._search.item(entry))
                continue
            found, note = self._search.resolve(entry)
            if found is None:
                raise InputError(note or f"No {self.noun} “{shown(entry)}”.")
            items.append(found)
            notes += [note] if note else []
        return Parsed(tuple(items), tuple(notes))

    def random_person(self, seed: int) -> Person:
        """The history of one example person, the same for the same seed."""
        return replace(self.real_person(seed), next=None)

    def real_person(self, seed: int) -> Person:
        """The same with the item that the person really chose next, which no model has seen."""
        self._require_items()
        check_whole("the seed", seed, 0, LARGEST_SEED)
        if not self._examples:
            raise InputError(self._no_examples or "There are no example people.")
        example = people.choose(self._examples, seed)
        items = tuple(self._search.item(id) for id in example.history)
        return Person(items, self._search.item(example.next), max(len(items) - self.window, 0))

    def recommend(
        self, model: str, history: Sequence[int], k: int = 10, seed: int = 0, threshold: float | None = None
    ) -> ModelList:
        """The ``k`` (1..100) best items for a history of ids, oldest first; fewer when the rest is excluded."""
        return self._list(self._known(model), self._question(history, k, seed, threshold))

    def explain(self, history: Sequence[int], threshold: float | None = None, model: str = "card") -> Route:
        """How ``model`` reads the history: steps, evenness, route, weights, and TDM's chances to drop each item."""
        return self._route(self._usable(model), self._question(history, threshold=threshold))

    def drop_one(
        self,
        history: Sequence[int],
        model: str = "card",
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
    ) -> Effects:
        """What the list of ``model`` is without each of the items it reads."""
        bundle, question = self._usable(model), self._question(history, k, seed, threshold, truth)
        return self._effects(bundle, question, self._route_if_any(bundle, question))

    def compare(
        self,
        history: Sequence[int],
        models: Sequence[str] = COMPARED,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
        off: Sequence[int] = (),
    ) -> Comparison:
        """Route and lists for one history. ``truth`` is the item really chosen next, whose ranks are wanted; ``off``
        are positions (from 1) of items that the models are not to read.
        """
        if not 1 <= len(models) <= MOST_MODELS:
            raise InputError(f"Expected 1 to {MOST_MODELS} models to compare, got {len(models)}.")
        chosen = [self._known(name) for name in models]
        question = self._question(history, k, seed, threshold, truth, off)
        lists = tuple(self._list(one, question) for one in chosen)
        card = self._loaded["card"].bundle
        route = None if card is None else self._route(card, question)
        return Comparison(
            route=route,
            lists=lists,
            effects=None if card is None else self._effects(card, question, route),
            shared=tuple(captions.shared(left, right) for left, right in pairwise(lists)),
            dropped=max(len(question.read) - self.window, 0),
            messages=tuple(self._messages(question, chosen, lists, route)),
            provenance=captions.provenance(self.title, self.device, chosen, lists, question, self.num_items, self.noun),
        )

    def _question(
        self,
        history: Sequence[int],
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
        off: Sequence[int] = (),
    ) -> Question:
        if self._catalogue is None and (history or truth is not None):
            raise InputError(str(self.problem))
        return Question(tuple(history), k, seed, threshold, truth, tuple(off)).checked(self.num_items, self.noun)

    def _known(self, name: str) -> Loaded:
        if not isinstance(name, str) or name not in self._loaded:
            raise InputError(f"Expected one of the models {', '.join(self._loaded)}, got {shown(repr(name))}.")
        return self._loaded[name]

    def _usable(self, name: str) -> Bundle:
        one = self._known(name)
        if one.bundle is None:
            raise InputError(str(one.error))
        return one.bundle

    def _list(self, one: Loaded, question: Question) -> ModelList:
        status = self._statuses[one.name]
        return model_list(one, status.preset, status.healthy, question, self._search.items, self._device)

    def _route(self, bundle: Bundle, question: Question) -> Route:
        histogram = training_histogram(self._statuses[bundle.name].health)
        removal = removal_by_distance(self._loaded["tdm"].bundle, question.read, self._device)
        return read_route(bundle, question, removal, self._search.items, histogram, self._device)

    def _route_if_any(self, bundle: Bundle, question: Question) -> Route | None:
        try:
            return self._route(bundle, question)
        except InputError:  # the model chooses no route, so that it has no weights
            return None

    def _effects(self, bundle: Bundle, question: Question, route: Route | None) -> Effects:
        stations = () if route is None else route.stations
        return effects_of(bundle, question, self._search.items, stations, self._device)

    def _messages(
        self, question: Question, chosen: Sequence[Loaded], lists: Sequence[ModelList], route: Route | None
    ) -> Iterator[str]:
        """What there is to say beside the figures, the most urgent first."""
        if self.problem:
            yield self.problem
        elif route is None:
            yield f"No route: {self._loaded['card'].error}"
        yield from captions.reading(question.read, self.window, chosen, self._search.items, self.noun)
        yield from captions.truth(question, chosen, lists, self._search.items)
        yield from captions.warnings(lists, route, self.noun)
