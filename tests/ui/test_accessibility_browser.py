"""Every view through axe, in both themes: nothing that is ours may be found."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.ui.pages import Watched, link

READY = {
    "explore": ".list.shown .row",
    "denoise": ".denoise .settled b",
    "missing": ".lab .legend li:nth-child(3)",
    "benchmarks": "#benchmarks-page .wide",
    "run": ".run .kept li",
}
TOUR = {"explore": "&tour=route", "denoise": "&tour=denoising", "run": "&run=popularity"}
PARTS = {
    "explore": "#explore",
    "denoise": "#denoise",
    "missing": "#lab",
    "benchmarks": "#benchmarks-page",
    "run": "#run",
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", READY)
def test_axe_finds_nothing_that_is_ours(
    watched: Watched, address: str, films: list[int], view: str, dark: bool
) -> None:
    page = watched.open(
        link(address, films, f"&next=1128&view={view}{TOUR.get(view, '')}"), dark=dark, ready=READY[view]
    )
    expect(page.locator(PARTS[view])).to_be_visible()
    page.wait_for_timeout(500)  # a chart that slides has no settled colours
    found = Axe().run(page, context={"include": [[PARTS[view]], ["#top"]]})
    told = [
        f"{one['id']}: {one['help']} {[place['target'] for place in one['nodes']][:3]}"
        for one in found.response["violations"]
    ]
    assert told == []
