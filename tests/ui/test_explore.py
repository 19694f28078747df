"""What the Explore page asks the engine: everything from the browser is checked, nothing raises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from demo_core.engine.answers import (
    Comparison,
    InputError,
    Item,
    ModelStatus,
    Parsed,
    Person,
    Route,
    SearchAnswer,
    Station,
    Suggestion,
)
from demo_core.engine.ready import Ready, ready_histories
from demo_core.runs import append_run
from demo_core.ui import explore, theme
from tests.runs import run

NUM_ITEMS = 20


def film(id: int) -> Item:
    return Item(id, f"Film {id}", 1990 + id, ("Drama",), 2, True)


class FakeEngine:
    """Answers with what it was asked; evenness falls with the first id of a history."""

    @property
    def ready(self) -> tuple[Ready, ...]:
        return ready_histories(self)  # type: ignore[arg-type]

    dataset = "movielens"
    noun = "film"
    problem = None
    window = 10

    def has(self, name: str) -> bool:
        return name == "card"

    def item(self, id: Any) -> Item:
        if isinstance(id, bool) or not isinstance(id, int) or not 1 <= id <= NUM_ITEMS:
            raise InputError(f"Expected film ids from 1 to {NUM_ITEMS}, got {id!r}.")
        return film(id)

    def models(self) -> tuple[ModelStatus, ...]:
        return tuple(
            ModelStatus(name, name.upper(), None, "movielens", None, {}, (), error, ())
            for name, error in (("card", None), ("tdm", "TDM could not be loaded."))
        )

    def search(self, query: str, k: int = 8) -> SearchAnswer:
        return SearchAnswer(query, (Suggestion(film(1), len(query) > 3),), None)

    def parse(self, text: str) -> Parsed:
        return Parsed((film(len(text) % NUM_ITEMS + 1),), ())

    def real_person(self, seed: Any) -> Person:
        if not isinstance(seed, int):
            raise InputError("Expected the seed to be a whole number.")
        first = seed % 6 + 1
        return Person(tuple(film(first + step) for step in range(6)), film(NUM_ITEMS), 0)

    def random_person(self, seed: Any) -> Person:
        return replace(self.real_person(seed), next=None)

    def explain(self, history: tuple[int, ...]) -> Route:
        cosines = [None, *[history[0] / 10] * (len(history) - 1)]
        stations = tuple(
            Station(film(id), place, cosine, 0.2, False, None, None, True, None, False)
            for place, (id, cosine) in enumerate(zip(history, cosines, strict=True), start=1)
        )
        evenness = 1 - history[0] / 100
        return Route(
            stations, 5, 1.0, evenness, (0.2, 1.0), 0.955, 0.955, None, None, "turning", "Turning.", "Because."
        )

    reading = explain

    def compare(self, history: Any, models: Any, *, seed: Any, threshold: Any, truth: Any, off: Any) -> Comparison:
        for id in [*history, *([] if truth is None else [truth])]:
            self.item(id)
        if not isinstance(seed, int) or isinstance(threshold, str):
            raise InputError("Expected numbers.")
        return Comparison(None, (), None, (), 0, (f"seed {seed}, threshold {threshold}, truth {truth}",), ())


@pytest.fixture
def engine() -> Any:
    return FakeEngine()


def test_a_state_is_answered_with_its_films_and_the_comparison(engine: Any) -> None:
    answer = explore.view(engine, {"items": [3, 5], "next": 7, "threshold": 0.9, "seed": 4})
    assert [item["title"] for item in answer["items"]] == ["Film 3", "Film 5"]
    assert answer["next"]["id"] == 7
    assert answer["error"] is None
    assert answer["comparison"]["messages"] == ("seed 4, threshold 0.9, truth 7",)
    json.dumps(answer)


def test_an_unknown_film_keeps_the_history_and_says_why(engine: Any) -> None:
    answer = explore.view(engine, {"items": [3, 999, "x"], "next": None, "threshold": None, "seed": 0})
    assert [item.get("unknown", False) for item in answer["items"]] == [False, True, True]
    assert answer["comparison"] is None
    assert "from 1 to 20, got 999" in answer["error"]


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        "items",
        {"items": "1,2"},
        {"items": {"1": 2}},
        {"items": [None, {}, [1], True, 1.5]},
        {"items": [1], "seed": "x"},
        {"items": [1], "threshold": "high", "seed": 0},
        {"items": [1], "next": [2], "seed": 0},
    ],
)
def test_anything_from_the_browser_gets_an_answer_as_json(engine: Any, state: Any) -> None:
    answer = explore.view(engine, state)
    assert set(answer) == {"items", "next", "comparison", "error"}
    assert answer["error"] is not None or answer["comparison"] is not None
    json.dumps(answer)


def test_a_query_that_is_no_text_is_an_empty_search(engine: Any) -> None:
    assert explore.suggestions(engine, {"a": 1})["suggestions"][0]["near_miss"] is False


def test_a_near_miss_is_marked(engine: Any) -> None:
    assert explore.suggestions(engine, "Filn")["suggestions"][0]["near_miss"] is True


def test_a_pasted_text_beyond_the_limit_says_so(engine: Any) -> None:
    answer = explore.parsed(engine, "x" * (explore.LONGEST_TEXT + 5))
    assert answer["items"][0]["id"] == explore.LONGEST_TEXT % NUM_ITEMS + 1
    assert answer["messages"] == ["Only the first 20,000 characters were read."]


def test_pasting_something_else_than_text_is_refused(engine: Any) -> None:
    assert explore.parsed(engine, [1])["messages"] == ["Expected a text, got list."]


def test_only_a_real_person_has_a_next_film(engine: Any) -> None:
    assert explore.someone(engine, {"kind": "real", "seed": 1})["next"]["id"] == NUM_ITEMS
    assert explore.someone(engine, {"kind": "random", "seed": 1})["next"] is None


@pytest.mark.parametrize("asked", [None, {}, {"kind": "nobody", "seed": 1}, {"kind": "real", "seed": "x"}])
def test_a_person_that_cannot_be_had_is_a_message(engine: Any, asked: Any) -> None:
    assert explore.someone(engine, asked)["error"].startswith("Expected")


def test_the_ready_histories_are_three_different_shapes(engine: Any) -> None:
    flat, cliff, wandering = ready_histories(engine)
    assert flat.cosines[0] > wandering.cosines[0]
    assert len({flat.items, cliff.items, wandering.items}) == 3
    assert cliff.items[0] == 6, "the least even of all"
    assert flat.next == NUM_ITEMS


def test_without_example_people_there_are_no_ready_histories(engine: Any, tmp_path: Path) -> None:
    def nobody(seed: int) -> Person:
        raise InputError("There are no example people.")

    engine.real_person = nobody
    assert explore.facts(engine)["ready"] == []


def test_the_page_knows_how_weights_agree_over_many_people_where_that_was_measured(engine: Any, tmp_path: Path) -> None:
    engine.real_person = lambda seed: Person((), None, 0)
    assert explore.honesty(engine, tmp_path) == {}
    for seed, rho in ((0, 0.1), (1, 0.3)):
        one = run("card", dataset="movielens", variant="per_honesty", seed=seed, rows=700)
        append_run(tmp_path / "measured.jsonl", replace(one, metrics={"spearman_weight_kl": rho}))
    known = explore.honesty(engine, tmp_path)
    assert known == {"rho": pytest.approx(0.2), "people": 700, "seeds": 2}


def test_both_themes_define_the_same_tokens() -> None:
    assert set(theme.LIGHT) == set(theme.DARK)
    assert theme.css().count("--truth-ink:") == 2


@pytest.mark.parametrize("strange", [10**20, -(10**30), "\ud800", {"a": 1}, [1], None, True, 1.5])
def test_whatever_stands_for_an_id_can_be_written_as_json(engine: Any, strange: object) -> None:
    answer = explore.view(engine, {"items": [3, strange], "off": [{}, 2], "next": None})
    orjson.dumps(answer["items"])
    assert answer["items"][1].get("unknown") is True


def test_half_a_character_in_a_search_can_be_written_too(engine: Any) -> None:
    orjson.dumps(explore.suggestions(engine, "ma\ud800trix"))
