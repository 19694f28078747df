"""Many visitors at once, and visitors who leave."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from demo_core.engine import Shelf
from demo_core.ui import create_app, launch
from demo_core.ui.api import CALLS_AT_ONCE
from scripts.load import CALLS, Outcome, ask, crowd, leave, main, process
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


def test_calls_that_nobody_answers_end_the_command_with_an_error_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(sys, "argv", ["load", address, "--clients", "2", "--calls", "1"])
    with pytest.raises(SystemExit, match=f"app at {address} .* 2 of 2 calls were lost, the first by 'URLError"):
        main()


def test_a_process_that_does_not_run_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ArgumentTypeError, match="a process that runs on this machine, got '999999999'"):
        process("999999999")
    assert process(str(os.getpid())) == os.getpid()
