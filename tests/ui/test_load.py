"""Many visitors at once, and visitors who leave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from demo_core.engine import Shelf
from demo_core.ui import create_app, launch
from demo_core.ui.api import CALLS_AT_ONCE
from scripts.load import CALLS, Outcome, ask, crowd, leave
from scripts.page_speed import crowded
from scripts.serving import free_port
from tests.ui.pages import SLOWER

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def address(film_checkpoints: Path) -> Iterator[str]:
    app = create_app(Shelf(film_checkpoints, "movielens", torch.device("cpu")))
    yield launch(app, host="127.0.0.1", port=free_port(), block=False).rstrip("/")
    app.close()


@pytest.fixture(scope="module")
def told(address: str) -> list[Outcome]:
    return crowd(address, clients=20, calls=5)


def test_twenty_visitors_with_five_calls_each_lose_none(told: list[Outcome]) -> None:
    assert len(told) == 100
    assert [one for one in told if one.kind == "lost"] == []
    assert all(one.seconds < 60 for one in told)


@pytest.mark.usefixtures("quiet")
def test_the_twenty_wait_no_longer_than_allowed(told: list[Outcome]) -> None:
    assert [one.line() for one in crowded(told) if one.worst > SLOWER * one.budget.most] == []


def test_visitors_who_leave_in_the_middle_of_a_stream_free_their_places(address: str) -> None:
    leave(address, 2 * CALLS_AT_ONCE)
    started = time.perf_counter()
    assert ask(address, *CALLS[0]).kind == "answered"
    assert time.perf_counter() - started < 30
