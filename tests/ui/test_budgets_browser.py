"""The budgets in the suite, where other things run beside it: what depends on the machine's speed may take three times
its budget. ``python -m scripts.page_speed`` holds the same measurements against the budgets themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from scripts import budgets
from scripts.budgets import Figure
from scripts.load import grown
from scripts.page_speed import visited
from scripts.page_times import PROBE, Visit, open_other_views, took, visit
from scripts.serving import EMPTY, Served, seconds_to_listen, served
from tests.ui.pages import SLOWER

pytestmark = pytest.mark.alone

RATIO_FACTOR = 2  # of two starts, one after the other: what else the machine does may meet one of them
MEMORY_FACTOR = 1.5  # a torch that is built for GPUs holds more
VISITS = 3


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    with served() as app:
        yield app


@pytest.mark.usefixtures("quiet")
def test_the_app_starts_in_time_and_hardly_later_than_an_empty_page(app: Served) -> None:
    assert app.seconds <= SLOWER * budgets.START.most
    assert app.seconds / seconds_to_listen(EMPTY) <= RATIO_FACTOR * budgets.START_RATIO.most


def test_calls_leave_nothing_behind_in_the_memory(app: Served) -> None:
    before, after = grown(app.address, app.pid, requests=200)
    assert after <= MEMORY_FACTOR * budgets.MEMORY.most
    assert after / before <= budgets.GROWTH.most


@pytest.fixture(scope="module")
def outside() -> list[str]:
    return []


@pytest.fixture(scope="module")
def visits(app: Served, browser: Browser, outside: list[str]) -> list[Visit]:
    return [visit(browser, app.address, number, outside) for number in range(VISITS)]


def quickest(visits: list[Visit]) -> list[Figure]:
    """Each figure in the visit where it was best: other work of the machine slows some visits, the page all of them."""
    figures = zip(*(visited([one]) for one in visits), strict=True)
    return [min(alike, key=lambda figure: figure.median) for alike in figures]


@pytest.mark.usefixtures("quiet")
def test_a_visitor_waits_for_nothing_much_longer_than_allowed(visits: list[Visit]) -> None:
    assert [one.line() for one in quickest(visits) if one.median > SLOWER * one.budget.most] == []


@pytest.mark.usefixtures("quiet")
def test_the_denoising_is_seen_step_by_step_while_it_streams_in(visits: list[Visit]) -> None:
    assert min(max(one.frames) for one in visits) <= SLOWER * budgets.FRAME.most


def test_a_walk_through_every_view_asks_no_other_host(
    app: Served, browser: Browser, visits: list[Visit], outside: list[str]
) -> None:
    open_other_views(browser, app.address, outside)
    assert visits and outside == []


def test_a_wait_is_counted_from_the_event_to_the_picture_with_its_answer(browser: Browser) -> None:
    page = browser.new_page()
    page.add_init_script(path=PROBE)
    page.goto("data:text/html,<button>Go</button><ul></ul>")
    page.evaluate("""() => document.querySelector("button").addEventListener("click", () => setTimeout(() => {
        document.querySelector("ul").append(document.createElement("b"));
        setTimeout(() => document.querySelector("ul").append(document.createElement("li")), 200);
    }, 200))""")
    waited = took(page, "click", "ul", "li", page.get_by_role("button").click)
    page.close()
    assert 400 <= waited < 400 + 1000
