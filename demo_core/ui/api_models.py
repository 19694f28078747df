"""Endpoints that ask the models. Their docstrings and type hints are the published schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import Parsed
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel, DenoisingNotes
from demo_core.ui.api_inputs import a_list, ids_of, messages_for_clients

KINDS = {DenoisingModel: "model", DenoisingFrame: "frame", DenoisingNotes: "notes"}


class ModelEndpoints:
    """One method an endpoint. Bad input raises ``gr.Error`` with the engine's message."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def recommend(
        self,
        model: str,
        items: list[int | str],
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        dataset: str | None = None,
    ) -> dict[str, Any]:
        """
        The best next items for a history, by one model.
        Parameters:
            model: a name from /models
            items: the history, oldest first: ids, or titles with or without the year
            k: length of the list, 1 to 100
            seed: seed of the noise; the same seed gives the same list
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
            dataset: a name from /datasets; null: the first
        Returns:
            the list with ranks and scores, or error; messages say how ambiguous titles were read
        """
        with messages_for_clients():
            engine = self._shelf.engine(dataset)
            read = _read(engine, items)
            answer = engine.recommend(model, ids_of(read), k, seed, threshold)
            return {**asdict(answer), "messages": read.messages}

    def explain(
        self, items: list[int | str], threshold: float | None = None, model: str = "card", dataset: str | None = None
    ) -> dict[str, Any]:
        """
        How CARD reads a history: the steps between items, their evenness, the route, and what each item weighs.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            threshold: evenness from 0 to 1 above which a history is turning; null: as trained
            model: a model that chooses a route
            dataset: a name from /datasets; null: the first
        Returns:
            the route with one station an item; messages say how ambiguous titles were read
        """
        with messages_for_clients():
            engine = self._shelf.engine(dataset)
            read = _read(engine, items)
            return {**asdict(engine.explain(ids_of(read), threshold, model)), "messages": read.messages}

    def compare(
        self,
        items: list[int | str],
        models: list[str] | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        next_item: int | str | None = None,
        off: list[int] | None = None,
        dataset: str | None = None,
    ) -> dict[str, Any]:
        """
        The route and the lists of several models for one history, with the same noise for all.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            models: names from /models, at most 8; null: tdm, card and globaldiff, or what was trained in their place
            k: length of the lists, 1 to 100
            seed: seed of the noise; the same seed gives the same lists
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
            next_item: the item really chosen next, id or title: its rank is given for every model
            off: positions in items, from 1, that the models are not to read
            dataset: a name from /datasets; null: the first
        Returns:
            route, lists, what CARD's list is without each item, how many items neighbouring lists share, how many
            older items were not read, messages, and provenance: data set, protocol, models, seeds, commits, device and
            time
        """
        with messages_for_clients():
            engine = self._shelf.engine(dataset)
            read = _read(engine, items)
            truth = _read(engine, [] if next_item is None else [next_item])
            names = None if models is None else a_list("models", models)
            following = truth.items[0].id if truth.items else None
            positions = [] if off is None else a_list("off", off)
            answer = asdict(engine.compare(ids_of(read), names, k, seed, threshold, following, positions))
            return {**answer, "messages": (*read.messages, *truth.messages, *answer["messages"])}

    def drop_one(
        self,
        items: list[int | str],
        model: str = "card",
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        next_item: int | str | None = None,
        dataset: str | None = None,
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
            dataset: a name from /datasets; null: the first
        Returns:
            for each item that is read, which of the k stay, the rank of the next item, and the change of the whole
            answer in nats (KL divergence); agreement is Spearman's rho of weights and changes, null for too few
        """
        with messages_for_clients():
            engine = self._shelf.engine(dataset)
            read, following = _read(engine, items), _read(engine, [] if next_item is None else [next_item])
            truth = following.items[0].id if following.items else None
            answer = asdict(engine.drop_one(ids_of(read), model, k, seed, threshold, truth))
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
        dataset: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """
        How diffusion models arrive at their lists, streamed step by step, from the same noise.
        Parameters:
            items: the history, oldest first: ids, or titles with or without the year
            models: names from /models, at most 8; null: tdm, card and globaldiff, or what was trained in their place
            steps: denoising steps, 1 to 50; a model with fewer takes all it has; null: as each model does it itself
            guidance_strength: 0 to 6, for models with guidance; null: as each model does it itself
            k: length of the lists, 1 to 100
            seed: seed of the noise
            threshold: evenness from 0 to 1 above which CARD calls a history turning; null: as trained
            next_item: the item really chosen next, id or title: its rank is given at every step
            off: positions in items, from 1, that the models are not to read
            dataset: a name from /datasets; null: the first
        Returns:
            one object at a time, named by its kind: a model with the places of its items and of the history in two
            dimensions, a frame for every step of every model, and notes at the end
        """
        with messages_for_clients():
            engine = self._shelf.engine(dataset)
            read, following = _read(engine, items), _read(engine, [] if next_item is None else [next_item])
            told = engine.denoise(
                ids_of(read),
                None if models is None else a_list("models", models),
                steps,
                guidance_strength,
                k,
                seed,
                threshold,
                following.items[0].id if following.items else None,
                [] if off is None else a_list("off", off),
            )
            for one in told:
                yield {"kind": KINDS[type(one)], **asdict(one)}

    def run_benchmark(
        self,
        models: list[str] | None = None,
        slice: str = "all",
        metric: str = "hr@10",
        lost: float = 0.0,
        seed: int = 0,
        dataset: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """
        A small benchmark over the example people, streamed while it runs.
        Parameters:
            models: names from /models, at most 8; null: tdm, card and globaldiff, or what was trained in their place
            slice: all, short (histories of fewer than 20 items), long, or rare (next items from the rarer half)
            metric: hr@10, hr@20, hr@50, ndcg@10, ndcg@20 or ndcg@50
            lost: share of every history that goes missing at random, 0 to 0.6
            seed: seed of the noise and of what goes missing
            dataset: a name from /datasets; null: the first
        Returns:
            every ten people, the means so far (fractions) with their standard errors, and at the end over all of them
        """
        with messages_for_clients():
            engine = self._shelf.engine(dataset)
            names = None if models is None else a_list("models", models)
            for progress in engine.run_benchmark(names, slice, metric, lost, seed):
                yield asdict(progress)


def _read(engine: Engine, items: list[int | str]) -> Parsed:
    # Without any model an empty history still gets an answer that says what is missing.
    return engine.read(items) if a_list("items", items) else Parsed((), ())
