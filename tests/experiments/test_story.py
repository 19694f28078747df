from __future__ import annotations

from typing import Any

from demo_core.experiments.story import stories
from demo_core.results import Result, read_published, summarise
from demo_core.runs import Run
from tests.runs import run

UNTRAINED = {"never_trained_share": 1.0, "distinct_items": 31, "list_overlap": 0.91}


def of(dataset: str, runs: list[Run]) -> list[Result]:
    return [result for result in [*read_published(), *summarise(runs)] if result.dataset == dataset]


def test_without_a_run_as_released_there_is_no_story() -> None:
    assert stories(of("zhihu", [run("card", preset="released")]), "hr@20") == []


def test_every_figure_of_a_story_comes_from_the_results() -> None:
    runs = [
        run("tdm", 0.0188, preset="released", variant="as_released", health=UNTRAINED),
        run("tdm", 0.0176, preset="released", health=UNTRAINED),
        run("tdm", 0.0265),
        run("popularity", 0.0143),
    ]
    (story,) = stories(of("zhihu", runs), "hr@20")
    rows = (story.published, story.released, story.same_weights, story.repaired, story.popularity)
    assert [row and row.result.mean for row in rows] == [0.0233, 0.0188, 0.0176, 0.0265, 0.0143]
    assert story.released.never_trained == 1.0
    assert {name: result.mean for name, result in story.logged.items()} == {
        "epoch best on validation": 0.0177,
        "epoch best on test": 0.0265,
    }


def test_what_is_not_known_is_left_out() -> None:
    (story,) = stories(summarise([run("card", preset="released", variant="as_released")]), "hr@20")
    assert (story.published, story.same_weights, story.repaired, story.popularity) == (None, None, None, None)
    assert story.logged == {}


def test_a_figure_printed_under_another_protocol_keeps_its_protocol() -> None:
    where: dict[str, Any] = {"dataset": "ml-1m", "protocol": "leave-one-out-full", "backbone": "cbit"}
    runs = [run("globaldiff", 0.26, preset="released", variant="as_released", **where)]
    (story,) = stories(of("ml-1m", runs), "hr@20")
    assert story.published is not None
    assert (story.published.result.mean, story.published.result.protocol) == (0.2503, "released-window")
    assert story.published.result.backbone == "cbit"
