"""What the page and the API ask: search, recommend, explain and compare over the bundles of one data set.

Nothing changes after construction, so threads may share an engine. Answers are plain values (``answers.py``); bad input
raises :class:`InputError` with a message for the visitor, and a model that cannot be used says so in its own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from pathlib import Path

import torch

from demo_core.checkpoint import Bundle
from demo_core.engine import bundles, captions
from demo_core.engine.answers import (
    Comparison,
    DenoisingFrame,
    DenoisingModel,
    DenoisingNotes,
    Effects,
    InputError,
    ModelList,
    ModelStatus,
    Route,
)
from demo_core.engine.bundles import COMPARED, Loaded
from demo_core.engine.controls import remarks
from demo_core.engine.denoising import MOST_STEPS, MOST_STRENGTH, Walk, frames, no_stage, projection_of, stage, walk
from demo_core.engine.effects import effects_of
from demo_core.engine.lookup import Lookup
from demo_core.engine.questions import Question, check_number, check_whole
from demo_core.engine.ranking import model_list
from demo_core.engine.routes import read_route, removal_by_distance, training_histogram
from demo_core.engine.titles import shown
from demo_core.models.base import Controls

MOST_MODELS = 8


class Engine(Lookup):
    """Answers from the bundles in ``checkpoints / dataset``; with none of them it runs and says what is missing.

    ``device``: ``None`` takes a GPU where there is one.
    """

    def __init__(self, checkpoints: Path, dataset: str = "movielens", device: torch.device | None = None) -> None:
        self._device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        folder = checkpoints / dataset
        self._loaded = {one.name: one for one in bundles.load_bundles(folder, dataset, self._device)}
        self._statuses = {name: bundles.status(one, dataset) for name, one in self._loaded.items()}
        self._projections = {one.name: found for one in self._loaded.values() if (found := projection_of(one))}
        super().__init__(folder, dataset, bundles.shared_catalogue(tuple(self._loaded.values())))

    @property
    def device(self) -> str:
        """The device as the page shows it."""
        return f"CUDA: {torch.cuda.get_device_name(self._device)}" if self._device.type == "cuda" else "CPU"

    @property
    def window(self) -> int:
        """How many of the newest items CARD reads; without CARD, the longest window there is; 0 without any model."""
        lengths = {one.name: one.bundle.model.config.max_length for one in self._loaded.values() if one.bundle}
        return lengths.get("card", max(lengths.values(), default=0))

    def models(self) -> tuple[ModelStatus, ...]:
        """Every model with a bundle, and those compared on the page even when they have none."""
        return tuple(self._statuses.values())

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
        chosen = self._chosen(models)
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
            provenance=captions.provenance(
                self.title,
                self.device,
                chosen,
                sum(one.milliseconds for one in lists) / 1000,
                question,
                self.num_items,
                self.noun,
            ),
        )

    def denoise(
        self,
        history: Sequence[int],
        models: Sequence[str] = COMPARED,
        steps: int | None = None,
        guidance_strength: float | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
        off: Sequence[int] = (),
    ) -> Iterator[DenoisingModel | DenoisingFrame | DenoisingNotes]:
        """The sampling of several models from the same noise: first the models, then their frames step by step, then
        the notes. ``steps`` 1..50 and ``guidance_strength`` 0..6; None: as each model does it itself.
        """
        chosen, question = self._chosen(models), self._question(history, k, seed, threshold, truth, off)
        if steps is not None:
            check_whole("the number of steps", steps, 1, MOST_STEPS)
        check_number("the guidance strength", guidance_strength, 0.0, MOST_STRENGTH)
        return self._denoised(chosen, question, Controls(threshold, steps, guidance_strength))

    def _denoised(
        self, chosen: Sequence[Loaded], question: Question, controls: Controls
    ) -> Iterator[DenoisingModel | DenoisingFrame | DenoisingNotes]:
        walks = []
        for one in chosen:
            projection = self._projections.get(one.name)
            if projection is None:
                yield no_stage(one)
                continue
            walks.append(walk(one, question, controls, projection, self._device))
            yield stage(walks[-1], question, self._search.items)
        told = zip_longest(*(frames(walked, question, self._search.items) for walked in walks))
        yield from (frame for together in told for frame in together if frame is not None)

        def again(walked: Walk, changed: Controls) -> Walk:
            return walk(walked.one, question, changed, walked.projection, self._device)

        seconds = sum(walked.milliseconds for walked in walks) / 1000
        yield DenoisingNotes(
            tuple(remarks(walks, question, controls, again, self.noun)),
            captions.provenance(self.title, self.device, chosen, seconds, question, self.num_items, self.noun),
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

    def _chosen(self, models: Sequence[str]) -> list[Loaded]:
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
