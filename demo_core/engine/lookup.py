"""What is known of items and people, whatever the models say: search, pasted lists, example histories."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from demo_core.datasets import DATASETS
from demo_core.engine.answers import InputError, Item, Parsed, Person, SearchAnswer
from demo_core.engine.questions import LARGEST_SEED, check_whole
from demo_core.engine.search import TitleSearch
from demo_core.engine.titles import shown
from demo_core.example_people import Example, ExamplesError, pick, read_examples
from demo_core.own_data import About
from demo_core.sequences import Catalogue


class Lookup(ABC):
    """Abstract. One ``catalogue``, None where no bundle could be loaded from ``folder``, and its example people."""

    def __init__(self, folder: Path, dataset: str, catalogue: Catalogue | None) -> None:
        self.dataset = dataset
        about = About.read(folder)
        self.title = DATASETS[dataset].title if dataset in DATASETS else about.title if about else dataset
        self._folder = folder
        self._catalogue = catalogue
        self._search = TitleSearch(catalogue or Catalogue((), (), (), ()))
        self._examples: tuple[Example, ...] = ()
        self._no_examples: str | None = None
        try:
            self._examples = read_examples(folder / "examples.json", self.num_items)
        except ExamplesError as error:
            self._no_examples = str(error)

    @property
    @abstractmethod
    def window(self) -> int:
        """How many of the newest items are read."""

    @property
    def noun(self) -> str:
        """What one item is called."""
        return self._search.noun

    @property
    def num_items(self) -> int:
        return len(self._search.items)

    @property
    def counts(self) -> tuple[int, ...]:
        """How often each item is a training target, in the order of the ids."""
        return () if self._catalogue is None else self._catalogue.counts

    @property
    def problem(self) -> str | None:
        """Why nothing can be answered: no bundle is usable."""
        if self._catalogue is not None:
            return None
        return (
            f"No model of {self.title} could be loaded from checkpoints/{self._folder.name}. "
            f"Train one: python -m scripts.train card --dataset {self.dataset}"
        )

    def _require_items(self) -> None:
        if self.problem:
            raise InputError(self.problem)

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
        example = pick(self._examples, seed)
        items = tuple(self._search.item(id) for id in example.history)
        return Person(items, self._search.item(example.next), max(len(items) - self.window, 0))
