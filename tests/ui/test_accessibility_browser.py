"""Every view through axe, in both themes: nothing that is ours may be found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from demo_core.engine import Shelf
from demo_core.engine.workshop import Workshop
from demo_core.ui import OwnData, create_app, launch
from scripts.serving import free_port
from tests.ui.pages import Watched, link
from tests.walks import walks

READY = {
    "explore": ".list.shown .row",
    "denoise": ".denoise .settled b",
    "missing": ".lab .legend li:nth-child(3)",
    "benchmarks": "#benchmarks-page .wide",
    "family": "#family .node",
    "run": ".run .kept li",
    "own": '#own [data-part="found"] p',
}
TOUR = {"explore": "&tour=route", "denoise": "&tour=denoising", "run": "&run=popularity"}
PARTS = {
    "explore": "#explore",
    "denoise": "#denoise",
    "missing": "#lab",
    "benchmarks": "#benchmarks-page",
    "family": "#family",
    "run": "#run",
    "own": "#own",
}


@pytest.fixture(scope="module")
def address(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with every view; what is brought is checked here, and never trained."""
    workshop = Workshop(tmp_path_factory.mktemp("bundles"), (sys.executable, "-m", "scripts.own_data"), shelf.forget)
    app = create_app(shelf, OwnData(workshop, paths=True))
    yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    app.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return walks(tmp_path / "table.csv")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", READY)
def test_axe_finds_nothing_that_is_ours(
    watched: Watched, address: str, films: list[int], table: Path, view: str, dark: bool
) -> None:
    ready = "#own .boxes input" if view == "own" else READY[view]
    page = watched.open(link(address, films, f"&next=1128&view={view}{TOUR.get(view, '')}"), dark=dark, ready=ready)
    if view == "own":
        page.set_input_files('#own [data-part="file"]', table)
        # A process of its own reads the table, and has to start first.
        expect(page.locator(READY[view]).first).to_be_visible(timeout=60_000)
    expect(page.locator(PARTS[view])).to_be_visible()
    page.wait_for_timeout(500)  # a chart that slides has no settled colours
    found = Axe().run(page, context={"include": [[PARTS[view]], ["#top"]]})
    told = [
        f"{one['id']}: {one['help']} {[place['target'] for place in one['nodes']][:3]}"
        for one in found.response["violations"]
    ]
    assert told == []
