"""What the Missing data page does with whatever a browser sends."""

import json
from pathlib import Path

import pytest
import torch

from demo_core.engine import Engine
from demo_core.ui import missing, running
from tests.ui.pages import CHECKPOINTS


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


@pytest.mark.parametrize(("dataset", "excludes"), [("movielens", True), ("zhihu", False)])
def test_the_page_knows_whether_lists_leave_out_the_history(dataset: str, excludes: bool) -> None:
    engine = Engine(CHECKPOINTS, dataset, torch.device("cpu"))
    assert missing.facts(engine)["excludes"] is running.facts(engine)["excludes"] is excludes


def test_what_is_switched_off_counts_as_never_seen(engine: Engine) -> None:
    answer = missing.draw(engine, {"items": [1, 3, 5, 7], "off": [2], "share": 0, "next": 12})
    assert answer["error"] is None
    assert [one["item"]["id"] for one in answer["items"]] == [1, 5, 7]
    json.dumps(answer)


@pytest.mark.parametrize(
    "asked", [None, "x", {"items": "1"}, {"items": [99]}, {"items": [1], "share": "much"}, {"kind": []}]
)
def test_bad_wishes_come_back_as_a_message(engine: Engine, asked: object) -> None:
    for answer in (missing.draw(engine, asked), missing.points(engine, asked)):
        assert answer["error"] is None or "xpected" in answer["error"]
    assert missing.draw(engine, {"items": [99]})["error"] is not None


def test_a_point_of_the_curve_is_plain(engine: Engine) -> None:
    answer = missing.points(engine, {"items": [1, 3, 5], "share": 0.5, "kind": "added", "next": 12})
    assert {point["model"] for point in answer["points"]} == {"tdm", "card", "globaldiff"}
    json.dumps(answer)
