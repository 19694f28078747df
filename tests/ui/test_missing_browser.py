"""The Missing data page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo_core.engine import Engine
from tests.ui.pages import ANSWERS, PHONE, Watched, chips, held, link, wait_for_request


def opened(watched: Watched, address: str, films: list[int], rest: str = "", **how: object) -> Page:
    page = watched.open(link(address, films, f"&view=missing{rest}"), ready=".lab .left .squares", **how)  # type: ignore[arg-type]
    expect(page.locator(".lab .legend li")).to_have_count(3)
    return page


def test_the_draw_is_that_of_the_engine(watched: Watched, address: str, films: list[int], engine: Engine) -> None:
    truth = next(id for id in range(1, engine.num_items) if id not in films)
    told = engine.lab(films, "lost", 0.4, draw=2, truth=truth)
    page = opened(watched, address, films, f"&lost=40&draw=2&next={truth}")
    lost = [str(one.position) for one in told.items if one.lost]
    expect(page.locator(".lab .films .lost b")).to_have_text(lost)
    for row, one in enumerate(told.lists):
        squares = page.locator(".lab .left").nth(row)
        expect(squares.locator("i.full")).to_have_count(sum(one.kept))
        expect(squares).to_contain_text(f"{sum(one.kept)} of 10 stay")
        assert one.before and one.after
        expect(squares.locator(".rank")).to_contain_text("→")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Without {len(lost)} of 6 films")


def test_the_slider_loses_more_and_the_link_keeps_it(watched: Watched, address: str, films: list[int]) -> None:
    page = opened(watched, address, films, "&lost=0")
    expect(page.locator(".lab .films .lost")).to_have_count(0)
    slider = page.get_by_role("slider", name=re.compile("Films lost"))
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator(".range b").last).to_have_text("60 %")
    expect(page.locator(".lab .films .lost").first).to_be_visible()
    assert "lost=60" in page.url
    before = page.locator(".lab .films .lost").all_inner_texts()
    page.get_by_role("button", name="Draw again").click()
    expect(page.get_by_label("Draw", exact=True)).to_have_value("1")
    expect(page.locator(".lab .films .lost")).not_to_have_text(before)


def test_films_can_be_added_in_place_of_lost_ones(watched: Watched, address: str, films: list[int]) -> None:
    page = opened(watched, address, films, "&lost=50")
    page.get_by_role("button", name="Films added").click()
    expect(page.locator(".lab .films .foreign").first).to_be_visible()
    expect(page.locator(".lab .films .lost")).to_have_count(0)
    expect(page.locator(".lab .films li")).not_to_have_count(6)
    assert "added=50" in page.url and "lost=" not in page.url


def test_the_curve_has_every_share_and_the_table_tells_it(watched: Watched, address: str, films: list[int]) -> None:
    page = opened(watched, address, films)
    page.get_by_text("Show as table").last.click()
    expect(page.locator(".lab tbody tr")).to_have_count(7 * 3, timeout=60_000)
    first = page.locator(".lab tbody tr").first
    expect(first).to_contain_text("10.00")
    page.get_by_role("button", name="a sample of people").click()
    expect(page.locator(".lab .eyebrow", has_text="Over many draws")).to_contain_text("over example people")
    page.get_by_role("button", name="★ in the list").click()
    expect(page.locator(".lab .chart")).to_contain_text("100 %")
    assert "people=yes" in page.url


def test_the_figures_of_another_history_go_before_those_of_this_one_come(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = opened(watched, address, films)
    verdict = page.locator(".lab .verdict")
    expect(verdict).to_contain_text("of 6 films")
    page.get_by_role("tab", name="Explore").click()
    page.locator(".chip .remove").first.click()
    expect(chips(page)).to_have_count(len(films) - 1)
    with held(page) as waiting:
        page.get_by_role("tab", name="Missing data").click()
        wait_for_request(page, waiting)
        expect(verdict).to_have_text("One moment …")
        expect(page.locator(".lab .left .squares")).to_have_count(0)
    expect(verdict).to_contain_text("of 5 films")
    expect(page.locator(".lab .legend li")).to_have_count(3)


def test_a_question_without_an_answer_is_not_waited_for_and_is_asked_again(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films), quiet=True)
    page.route(ANSWERS, lambda route: route.abort())
    page.get_by_role("tab", name="Missing data").click()
    expect(page.locator(".lab .problem")).to_contain_text("No answer came.")
    expect(page.locator(".lab .verdict")).to_have_text("Nothing to show.")
    page.unroute(ANSWERS)
    page.get_by_role("tab", name="Explore").click()
    expect(chips(page).first).to_be_visible()
    with held(page) as waiting:
        page.get_by_role("tab", name="Missing data").click()
        wait_for_request(page, waiting)
        expect(page.locator(".lab .verdict")).to_have_text("One moment …")
    expect(page.locator(".lab .verdict")).to_contain_text("of 6 films")
    expect(page.locator(".lab .problem")).to_be_hidden()


def test_an_empty_history_says_where_to_begin(watched: Watched, address: str) -> None:
    page = watched.open(f"{address}?view=missing", ready=".lab .verdict")
    expect(page.locator(".lab .verdict")).to_contain_text("Choose films on Explore")


@pytest.mark.parametrize("view", ["denoise", "missing", "benchmarks"])
def test_every_view_can_be_opened_on_a_phone(watched: Watched, address: str, films: list[int], view: str) -> None:
    page = watched.open(link(address, films, f"&view={view}"), size=PHONE, ready="[role=tab][aria-selected=true]")
    expect(page.locator(f"[role=tab][data-tab-id={view}]")).to_have_attribute("aria-selected", "true")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("tab", name="Explore").click()
    expect(chips(page)).to_have_count(len(films), timeout=30_000)  # the page's first answer


def test_dark_and_narrow_nothing_is_cut_off(watched: Watched, address: str, films: list[int], tmp_path: Path) -> None:
    page = opened(watched, address, films, "&added=40", size=PHONE, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.screenshot(path=tmp_path / "missing.png", full_page=True)
