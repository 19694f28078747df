"""Drawings from a process of their own."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo_core.rendering import DrawingError, Renderer

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="9" height="9"/></svg>'


def spec(title: str) -> str:
    values = [{"x": 1, "y": 2}, {"x": 2, "y": 3}]
    encoding = {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}
    return json.dumps({"title": title, "data": {"values": values}, "mark": "point", "encoding": encoding})


@pytest.fixture
def drawing() -> Iterator[Renderer]:
    renderer = Renderer()
    yield renderer
    renderer.close()


def test_every_form_is_drawn(drawing: Renderer) -> None:
    assert "Größe & Ärger" not in drawing.draw("svg", spec("Größe & Ärger")).decode(), "it is escaped"
    assert "Größe &amp; Ärger" in drawing.draw("svg", spec("Größe & Ärger")).decode()
    assert drawing.draw("png", spec("a")).startswith(b"\x89PNG")
    assert drawing.draw("pdf", SVG).startswith(b"%PDF-")


def test_what_cannot_be_read_is_an_error_and_the_next_one_is_drawn(drawing: Renderer) -> None:
    for wrong in ("{", '{"mark": 3}', "[]"):
        with pytest.raises(DrawingError):
            drawing.draw("svg", wrong)
    with pytest.raises(DrawingError):
        drawing.draw("pdf", "<svg")
    assert drawing.is_running()
    assert b"<svg" in drawing.draw("svg", spec("after\nall"))


def test_threads_get_their_own_drawings(drawing: Renderer) -> None:
    titles = [f"Title number {n}" for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda title: drawing.draw("svg", spec(title)).decode(), titles))
    assert [title in text for title, text in zip(titles, found, strict=True)] == [True] * 6


def test_the_process_ends_when_nobody_asks_and_comes_back(drawing: Renderer) -> None:
    short = Renderer(idle=0.1)
    assert not short.is_running()
    short.draw("pdf", SVG)
    deadline = time.monotonic() + 30
    while short.is_running() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not short.is_running()
    assert short.draw("pdf", SVG).startswith(b"%PDF-")
    short.close()


def test_a_process_that_was_killed_is_started_anew(drawing: Renderer) -> None:
    drawing.draw("pdf", SVG)
    assert drawing._process is not None
    os.kill(drawing._process.pid, signal.SIGKILL)
    assert drawing.draw("pdf", SVG).startswith(b"%PDF-")
