"""Lists, routes, and what each item does to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from demo_core.checkpoint import Bundle
from demo_core.engine import captions
from demo_core.engine.answers import Comparison, Effects, InputError, ModelList, Route, Why
from demo_core.engine.base_engine import BaseEngine
from demo_core.engine.bundles import Loaded
from demo_core.engine.effects import effects_of
from demo_core.engine.questions import Question
from demo_core.engine.reasons import reason_of


class ExploreEngine(BaseEngine):
    """What the Explore page asks."""

    def recommend(
        self, model: str, history: Sequence[int], k: int = 10, seed: int = 0, threshold: float | None = None
    ) -> ModelList:
        """The ``k`` (1..100) best items for a history of ids, oldest first; fewer when the rest is excluded."""
        return self._list(self._known(model), self._question(history, k, seed, threshold))

    def explain(self, history: Sequence[int], threshold: float | None = None, model: str = "card") -> Route:
        """How ``model`` reads the history: steps, evenness, route, weights, and TDM's chances to drop each item."""
        return self.reading(history, threshold, model)

    def reading(self, history: Sequence[int], threshold: float | None = None, model: str = "card") -> Route:
        """What :meth:`explain` says, found here even where other questions borrow a GPU."""
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
        models: Sequence[str] | None = None,
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
        card = self._bundle("card")
        route = None if card is None else self._route(card, question)
        return Comparison(
            route=route,
            lists=lists,
            effects=None if card is None else self._effects(card, question, route),
            shared=tuple(captions.shared(left, right) for left, right in pairwise(lists)),
            dropped=max(len(question.read) - self.window, 0),
            messages=tuple(self._messages(question, chosen, lists, route)),
            provenance=self._caption(chosen, question, sum(one.milliseconds for one in lists) / 1000),
        )

    def why(
        self,
        item: int,
        history: Sequence[int],
        models: Sequence[str] | None = None,
        seed: int = 0,
        threshold: float | None = None,
        off: Sequence[int] = (),
    ) -> Why:
        """What each model can say about an item in its list."""
        question, asked = self._question(history, 1, seed, threshold, None, off), self.item(item)
        told = (reason_of(one, question, item, self._search.items, self._device) for one in self._chosen(models))
        counts = self.counts
        rank = 1 + sum(count > counts[item - 1] for count in counts)
        return Why(asked, counts[item - 1], rank, tuple(one for one in told if one is not None))

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
        if self._index_problem:
            yield self._index_problem
        if self.problem:
            yield self.problem
        elif route is None:
            card = self._loaded.get("card")
            yield f"No route: {no_route(card)}"
        yield from captions.reading(question.read, self.window, chosen, self._search.items, self.noun)
        yield from captions.truth(question, chosen, lists, self._search.items)
        yield from captions.warnings(lists, route, self.noun)


def no_route(card: Loaded | None) -> str:
    """Why CARD reads nothing."""
    if card is None:
        return "CARD was not trained on this data set."
    return card.error or f"{card.title} comes from {card.source} when it is chosen for a list."
