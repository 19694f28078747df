"""The app over the committed MovieLens bundles, and a real browser to look at it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from demo_core.engine import Engine, Shelf
from demo_core.ui import create_app, launch
from scripts.browser import chromium
from scripts.serving import free_port
from tests.ui.pages import CHECKPOINTS, SLOWER, Watched

expect.set_options(timeout=SLOWER * 5_000)  # most of what is waited for, models have to compute first


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(CHECKPOINTS, "movielens")


@pytest.fixture(scope="module")
def engine(shelf: Shelf) -> Engine:
    return shelf.first


@pytest.fixture(scope="module")
def address(shelf: Shelf) -> Iterator[str]:
    app = create_app(shelf)
    yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    app.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser)
    yield watched
    watched.check()


@pytest.fixture
def quiet() -> None:
    """Skips where so much else runs that times would say nothing about the app."""
    cores = os.cpu_count() or 1
    if os.getloadavg()[0] > SLOWER * cores:
        pytest.skip(f"more than {SLOWER * cores} processes at once on {cores} cores: no times can be measured")


@pytest.fixture
def films(engine: Engine) -> list[int]:
    """Six films of a real person, and with them six different steps."""
    return [item.id for item in engine.real_person(3).items[-6:]]
