"""The loaded models of one data set, and what every kind of question needs of them.

What a page asks stands in a file of its own: ``explore_engine``, ``denoise_engine``, ``lab_engine``, ``bench_engine``.
What they compute is in ``ranking``, ``effects``, ``reasons``, ``routes``; ``denoising``; ``lab``; ``bench``, and
what they answer in ``answers`` and ``..._answers``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import torch

from demo_core.bundle_index import Entry, IndexFileError, read_index
from demo_core.checkpoint import Bundle
from demo_core.engine import bundles, captions
from demo_core.engine.answers import InputError, ModelList, ModelStatus, Route
from demo_core.engine.bundles import COMPARED, Loaded
from demo_core.engine.denoising import ItemMap, item_map
from demo_core.engine.lookup import Lookup
from demo_core.engine.questions import Question
from demo_core.engine.ranking import model_list
from demo_core.engine.routes import read_route, removal_by_distance, training_histogram
from demo_core.engine.serving import Serving
from demo_core.engine.titles import shown
from demo_core.hub import Fetched, HubError, in_cache

MOST_MODELS = 8


class BaseEngine(Lookup):
    """The bundles in ``checkpoints / dataset``; with none of them it runs and says what is missing.

    ``device``: ``None`` takes a GPU where there is one.
    """

    def __init__(
        self,
        checkpoints: Path,
        dataset: str = "movielens",
        device: torch.device | None = None,
        serving: Serving | None = None,
        added: Sequence[Fetched] = (),
    ) -> None:
        self._serving = serving or Serving()
        self._scorer = self._serving.scorer()
        self._fetching: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        folder, self._index_problem = checkpoints / dataset, None
        entries: tuple[Entry, ...] = ()
        try:
            entries = read_index(checkpoints)
        except IndexFileError as error:  # the folders are there all the same
            self._index_problem = str(error)
        loaded = bundles.load_bundles(folder, dataset, self._device, entries, added)
        if bundles.shared_catalogue(loaded) is None:
            loaded = self._with_first_cached(loaded, dataset)
        super().__init__(folder, dataset, bundles.shared_catalogue(loaded))
        self._loaded: dict[str, Loaded] = {}
        self._statuses: dict[str, ModelStatus] = {}
        self._maps: dict[str, ItemMap] = {}
        for one in loaded:
            self._take(one)

    def _take(self, one: Loaded) -> Loaded:
        """Puts a model in its place, or in that of what stood there. Readers see the old tables or the new ones."""
        ready = self._serving.lowered(one, self._examples, self._device)
        found = item_map(one)
        with self._lock:
            self._maps = self._maps if found is None else {**self._maps, one.name: found}
            self._statuses = {**self._statuses, one.name: bundles.status(one, self.dataset)}
            self._loaded = {**self._loaded, one.name: ready}
        return ready

    def _with_first_cached(self, loaded: Sequence[Loaded], dataset: str) -> tuple[Loaded, ...]:
        """Where all bundles wait on the Hub, those that its cache holds are loaded until one can be used: without any
        nobody knows the items.
        """
        found = list(loaded)
        for at, one in enumerate(found):
            if one.waiting and one.source is not None and in_cache(one.source, self._serving.hub):
                found[at] = bundles.fetch(one, dataset, self._device, self._serving.hub)
                if found[at].bundle is not None:
                    break
        return tuple(found)

    @property
    def device(self) -> str:
        """The device as the page shows it."""
        return f"CUDA: {torch.cuda.get_device_name(self._device)}" if self._device.type == "cuda" else "CPU"

    @property
    def window(self) -> int:
        """How many of the newest items CARD reads; without CARD, the longest window there is; 0 without any model."""
        lengths = {one.name: one.bundle.model.config.max_length for one in self._loaded.values() if one.bundle}
        return lengths.get("card", max(lengths.values(), default=0))

    @property
    def problem(self) -> str | None:
        if self._catalogue is not None:
            return None
        failed = next((one.error for one in self._loaded.values() if one.source and one.error), None)
        if failed is not None:
            return failed
        if not self.waiting:
            return super().problem
        one = self.waiting[0]
        return f"{one.title} is being fetched from {one.source}. Load the page again in a moment."

    def failed(self, one: Loaded, error: HubError) -> None:
        """Says of a bundle why it could not be fetched, as if it had been asked for."""
        self._take(bundles.not_fetched(one, error))

    @property
    def waiting(self) -> tuple[Loaded, ...]:
        """The models that are on the Hub, and were not asked for yet."""
        return tuple(one for one in self._loaded.values() if one.waiting)

    def has(self, name: str) -> bool:
        """Whether the model is here and can be used, without fetching it."""
        return self._bundle(name) is not None

    def models(self) -> tuple[ModelStatus, ...]:
        """Every model with a bundle, and those compared on the page even when they have none."""
        return tuple(self._statuses.values())

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
        one = self._loaded[name]
        return self._fetched(name) if one.waiting or one.to_train else one

    def _fetched(self, name: str) -> Loaded:
        """The model ``name`` from the Hub, or as trained meanwhile; whoever else asks for it waits for the same."""
        with self._lock:
            fetching = self._fetching.setdefault(name, threading.Lock())
        with fetching:
            one = self._loaded[name]
            if not one.waiting and not one.to_train:
                return one
            if self._catalogue is None:  # the shelf makes another engine of it
                raise InputError(str(self.problem))
            if one.to_train:
                found = bundles.trained_since(one, self._folder, self.dataset, self._device)
                if found is one:
                    return one
            else:
                found = bundles.fetch(one, self.dataset, self._device, self._serving.hub)
            return self._take(bundles.with_catalogue(found, self._catalogue, self.title))

    @property
    def excludes_history(self) -> bool:
        """Whether lists leave out what is in the history."""
        return bundles.excludes_history(self._loaded.values())

    @property
    def compared(self) -> tuple[str, ...]:
        """The models that a page shows when nobody has chosen: the three it is about, and others in the place of those
        that were never trained on somebody's own data.
        """
        there = [name for name in COMPARED if name in self._loaded]
        others = [name for name in reversed(self._loaded) if name not in there]
        return tuple((*there, *others)[: len(COMPARED)])

    def _bundle(self, name: str) -> Bundle | None:
        """None where the model is missing or cannot be used."""
        one = self._loaded.get(name)
        return one.bundle if one else None

    def _chosen(self, models: Sequence[str] | None) -> list[Loaded]:
        models = self.compared if models is None else models
        if not 1 <= len(models) <= MOST_MODELS:
            raise InputError(f"Expected 1 to {MOST_MODELS} models to compare, got {len(models)}.")
        return [self._known(name) for name in models]

    def _usable(self, name: str) -> Bundle:
        one = self._known(name)
        if one.bundle is None:
            raise InputError(str(one.error))
        return one.bundle

    def _list(self, one: Loaded, question: Question) -> ModelList:
        status = self._statuses[one.name]
        return model_list(one, status.preset, status.healthy, question, self._search.items, self._device, self._scorer)

    def _route(self, bundle: Bundle, question: Question) -> Route:
        histogram = training_histogram(self._statuses[bundle.name].health)
        removal = removal_by_distance(self._bundle("tdm"), question.read, self._device)
        return read_route(bundle, question, removal, self._search.items, histogram, self._device)

    def _caption(
        self, chosen: Sequence[Loaded], question: Question, seconds: float | None = None, noise: str | None = None
    ) -> tuple[str, ...]:
        """What stands under every figure; ``seconds`` where the time taken is part of it, ``noise`` where it is not the
        same one for everything.
        """
        return captions.provenance(self.title, self.device, chosen, seconds, question, self.num_items, self.noun, noise)
