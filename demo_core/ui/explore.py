"""The Explore page: one component, and what it asks the engine. Values from the browser may be anything."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError, Person
from demo_core.experiments.honesty import agreement
from demo_core.ui.components.benchmarks.offer import Offer
from demo_core.ui.components.explore import explore_page
from demo_core.ui.drawings import pdf_of

LONGEST_TEXT = 20_000
LONGEST_QUERY = 200
MOST_CHIPS = 5000
LARGEST_ID = 2**53 - 1
"""A browser knows no larger whole number, and JSON's own writer gives up at 64 bits."""

Json = dict[str, Any]


def build(shelf: Shelf) -> None:
    """Place the page in the current Gradio context."""
    answers = {"search": suggestions, "look": view, "parse": parsed, "person": someone, "why": reasons, "pdf": pdf_of}
    answers["honesty"] = lambda engine, asked: honesty(engine, shelf.checkpoints)
    explore_page(shelf, facts, answers)


def facts(engine: Engine) -> Json:
    """What the page knows before its first question."""
    return {
        "noun": engine.noun,
        "models": [
            {"name": one.name, "title": one.title, "to_train": one.to_train}
            for one in engine.models()
            if one.error is None or one.to_train
        ],
        "problem": engine.problem,
        "ready": [dataclasses.asdict(history) for history in engine.ready],
    }


def honesty(engine: Engine, checkpoints: Path) -> Json:
    """How CARD's weights agree with what leaving items out does over many people: ``{"rho", "people", "seeds"}``, or
    ``{}`` where that was not measured. All that was measured is read for it, which the start of the app can do without.
    """
    found = agreement(Offer.read(checkpoints).variants, engine.dataset)
    return {} if found is None else {"rho": found.mean, "people": found.rows, "seeds": found.n}


def suggestions(engine: Engine, query: object) -> Json:
    """Suggestions for a title as far as it is typed: ``{"query", "suggestions", "message"}``."""
    text = _clean(query[:LONGEST_QUERY]) if isinstance(query, str) else ""
    return dataclasses.asdict(engine.search(text))


def parsed(engine: Engine, text: object) -> Json:
    """A pasted list: ``{"items", "messages"}``."""
    if not isinstance(text, str):
        return {"items": [], "messages": [f"Expected a text, got {type(text).__name__}."]}
    note = [f"Only the first {LONGEST_TEXT:,} characters were read."] if len(text) > LONGEST_TEXT else []
    answer = dataclasses.asdict(engine.parse(_clean(text[:LONGEST_TEXT])))
    return answer | {"messages": [*answer["messages"], *note]}


def someone(engine: Engine, asked: object) -> Json:
    """``{"kind": "random" | "real", "seed"}`` -> ``{"items", "next", "older"}`` or ``{"error"}``."""
    wishes = asked if isinstance(asked, dict) else {}
    kind, seed = wishes.get("kind"), wishes.get("seed")
    try:
        if kind == "random":
            chosen: Person = engine.random_person(seed)  # type: ignore[arg-type]  # the engine checks it
        elif kind == "real":
            chosen = engine.real_person(seed)  # type: ignore[arg-type]
        else:
            return {"error": f"Expected a person of kind random or real, got {str(kind)[:40]!r}."}
    except InputError as error:
        return {"error": str(error)}
    return dataclasses.asdict(chosen)


def view(engine: Engine, state: object) -> Json:
    """State ``{"items": ids, "off": positions, "next": id | null, "threshold": number | null, "seed", "models": names |
    null}`` -> what the page draws; positions count from 1.

    ``{"items", "next", "comparison", "error"}``: an item has ``"off"``, an id outside the catalogue comes back with
    ``"unknown": true``, and ``error`` then stands in the place of the comparison.
    """
    wishes = state if isinstance(state, dict) else {}
    ids, truth, off = wishes.get("items", []), wishes.get("next"), wishes.get("off", [])
    if not isinstance(ids, list) or not isinstance(off, list):
        return {"items": [], "next": None, "comparison": None, "error": "Expected a list of ids as the history."}
    threshold, seed = wishes.get("threshold"), wishes.get("seed", 0)
    gone = {position for position in off[:MOST_CHIPS] if isinstance(position, int)}
    chips = [_chip(engine, id) | {"off": at in gone} for at, id in enumerate(ids[:MOST_CHIPS], start=1)]
    answer: Json = {"items": chips, "next": None}
    if truth is not None:
        answer["next"] = _chip(engine, truth)
    try:
        models = _models(wishes)
        comparison = engine.compare(ids, models, seed=seed, threshold=threshold, truth=truth, off=off)
    except InputError as error:
        return answer | {"comparison": None, "error": str(error)}
    return answer | {"comparison": dataclasses.asdict(comparison), "error": None}


def reasons(engine: Engine, asked: object) -> Json:
    """Why an item stands in the lists, for a state with ``"item"``: ``{"why", "error"}``."""
    wishes = asked if isinstance(asked, dict) else {}
    ids, off = wishes.get("items", []), wishes.get("off", [])
    if not isinstance(ids, list) or not isinstance(off, list):
        return {"why": None, "error": "Expected a list of ids as the history."}
    threshold, seed = wishes.get("threshold"), wishes.get("seed", 0)
    try:
        found = engine.why(wishes.get("item"), ids, _models(wishes), seed, threshold, off)  # type: ignore[arg-type]
    except InputError as error:
        return {"why": None, "error": str(error)}
    return {"why": dataclasses.asdict(found), "error": None}


def _clean(text: str) -> str:
    """The text without halves of characters, which cannot be written."""
    return text.encode("utf-8", "replace").decode()


def _models(wishes: dict[str, Any]) -> list[Any] | None:
    names = wishes.get("models")
    return names if isinstance(names, list) else None


def _chip(engine: Engine, id: object) -> Json:
    try:
        return dataclasses.asdict(engine.item(id))  # type: ignore[arg-type]  # the engine checks it
    except InputError:
        return {"id": id if isinstance(id, int) and abs(id) <= LARGEST_ID else _clean(str(id)[:40]), "unknown": True}
