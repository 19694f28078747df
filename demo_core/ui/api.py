"""The public endpoints: what programs may ask over HTTP. Their docstrings and type hints are the published schema.

Everything goes in and out as plain JSON over ids and titles, so that no schema grows with the catalogue. Titles are
returned as they are; whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import gradio as gr

from demo_core.engine import Engine
from demo_core.engine.answers import InputError, Parsed
from demo_core.engine.bundles import COMPARED
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel, DenoisingNotes
from demo_core.engine.titles import shown

KINDS = {DenoisingModel: "model", DenoisingFrame: "frame", DenoisingNotes: "notes"}

# Models share the machine's cores: more calls at once would only make each of them slower.
CALLS_AT_ONCE = 2


def register(engine: Engine) -> None:
    """Adds the endpoints to the ``gr.Blocks`` that is being built."""
    endpoints = Endpoints(engine)
    functions: tuple[Callable[..., Any], ...] = (
        endpoints.search_items,
        endpoints.recommend,
        endpoints.explain,
        endpoints.compare,
        endpoints.drop_one,
        endpoints.denoise,
        endpoints.models,
    )
    for function in functions:
        gr.api(function, api_name=function.__name__, concurrency_id="api", concurrency_limit=CALLS_AT_ONCE)


class Endpoints:
    """One method an endpoint. Bad input raises ``gr.Error`` with the engine's message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search_items(self, query: str, k: int = 8) -> dict[str, Any]:
        """
        Find items by title, also misspelt, by the beginning of a title, or by id ("17" or "#17").
        Parameters:
            query: a title as far as it is known, at most 200 characters
            k: the most suggestions wanted, 1 to 50
        Returns:
            query, suggestions (each an item and near_miss: only spelt alike), and a message when there are none
        """
        with _messages_for_clients():
            return asdict(self._engine.search(_text("query", query), k))

    def recommend(
        self, model: str, items: list[int | str], k: int = 10, seed: int = 0, threshold: float | None = None
    ) -> dict[str, Any]:
        """
        The best next items for a history, by one model.
        Parameters:
            model: a name from /models
            items: the history, oldest first: ids, or titles with or without the year
            k: length of the list, 1 to 100
            seed: seed of the noise; the same seed gives the same list
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
        Returns:
            the list with ranks and scores, or error; messages say how ambiguous titles were read
        """
        with _messages_for_clients():
            read = self._read(items)
            answer = self._engine.recommend(model, _ids(read), k, seed, threshold)
            return {**asdict(answer), "messages": read.messages}

    def explain(self, items: list[int | str], threshold: float | None = None, model: str = "card") -> dict[str, Any]:
        """
        How CARD reads a history: the steps between items, their evenness, the route, and what each item weighs.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            threshold: evenness from 0 to 1 above which a history is turning; null: as trained
            model: a model that chooses a route
        Returns:
            the route with one station an item; messages say how ambiguous titles were read
        """
        with _messages_for_clients():
            read = self._read(items)
            return {**asdict(self._engine.explain(_ids(read), threshold, model)), "messages": read.messages}

    def compare(
        self,
        items: list[int | str],
        models: list[str] | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        next_item: int | str | None = None,
        off: list[int] | None = None,
    ) -> dict[str, Any]:
        """
        The route and the lists of several models for one history, with the same noise for all.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            models: names from /models, at most 8; null: tdm, card and globaldiff
            k: length of the lists, 1 to 100
            seed: seed of the noise; the same seed gives the same lists
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
            next_item: the item really chosen next, id or title: its rank is given for every model
            off: positions in items, from 1, that the models are not to read
        Returns:
            route, lists, what CARD's list is without each item, how many items neighbouring lists share, how many
            older items were not read, messages, and provenance: data set, protocol, models, seeds, commits, device and
            time
        """
        with _messages_for_clients():
            read = self._read(items)
            truth = self._read([] if next_item is None else [next_item])
            names = list(COMPARED) if models is None else _list("models", models)
            following = truth.items[0].id if truth.items else None
            positions = [] if off is None else _list("off", off)
            answer = asdict(self._engine.compare(_ids(read), names, k, seed, threshold, following, positions))
            return {**answer, "messages": (*read.messages, *truth.messages, *answer["messages"])}

    def drop_one(
        self,
        items: list[int | str],
        model: str = "card",
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        next_item: int | str | None = None,
    ) -> dict[str, Any]:
        """
        What a model's list is without each item of a history in turn.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            model: a name from /models
            k: length of the list, 1 to 100
            seed: seed of the noise; the same seed gives the same list
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
            next_item: the item really chosen next, id or title: its rank is given without each item
        Returns:
            for each item that is read, which of the k stay, the rank of the next item, and the change of the whole
            answer in nats (KL divergence); agreement is Spearman's rho of weights and changes, null for too few
        """
        with _messages_for_clients():
            read, following = self._read(items), self._read([] if next_item is None else [next_item])
            truth = following.items[0].id if following.items else None
            answer = asdict(self._engine.drop_one(_ids(read), model, k, seed, threshold, truth))
            return {**answer, "messages": (*read.messages, *following.messages)}

    def denoise(
        self,
        items: list[int | str],
        models: list[str] | None = None,
        steps: int | None = None,
        guidance_strength: float | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        next_item: int | str | None = None,
        off: list[int] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """
        How diffusion models arrive at their lists, streamed step by step, from the same noise.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            models: names from /models, at most 8; null: tdm, card and globaldiff
            steps: denoising steps, 1 to 50; a model with fewer takes all it has; null: as each model does it itself
            guidance_strength: 0 to 6, for models with guidance; null: as each model does it itself
            k: length of the lists, 1 to 100
            seed: seed of the noise
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
            next_item: the item really chosen next, id or title: its rank is given at every step
            off: positions in items, from 1, that the models are not to read
        Returns:
            one object at a time, named by its kind: a model with the places of its items and of the history in two
            dimensions, a frame for every step of every model, and notes at the end
        """
        with _messages_for_clients():
            read, following = self._read(items), self._read([] if next_item is None else [next_item])
            told = self._engine.denoise(
                _ids(read),
                COMPARED if models is None else _list("models", models),
                steps,
                guidance_strength,
                k,
                seed,
                threshold,
                following.items[0].id if following.items else None,
                [] if off is None else _list("off", off),
            )
            for one in told:
                yield {"kind": KINDS[type(one)], **asdict(one)}

    def models(self) -> list[dict[str, Any]]:
        """
        The models, whether they passed the health gate, and their measured runs.
        Returns:
            for each model its name, title, preset, data set, health figures, what is wrong with it, error, and runs
        """
        return [asdict(status) for status in self._engine.models()]

    def _read(self, items: list[int | str]) -> Parsed:
        # Without any model an empty history still gets an answer that says what is missing.
        return self._engine.read(items) if _list("items", items) else Parsed((), ())


@contextmanager
def _messages_for_clients() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _ids(read: Parsed) -> list[int]:
    return [item.id for item in read.items]


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"Expected {name} to be a text, got {shown(repr(value))}.")
    return value


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"Expected {name} to be a list, got {shown(repr(value))}.")
    return value
