"""The Benchmarks page in a real browser: links, choices, sections and what they draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, Route, expect

from demo_core.engine import Shelf
from demo_core.measure import RANKS
from demo_core.ranks import append_ranks
from demo_core.sequences import Rows
from demo_core.ui import create_app, launch
from scripts.serving import free_port
from tests.runs import experiment_runs, run, write_runs, zhihu_runs
from tests.ui.pages import DESKTOP, PHONE, Watched, held, wait_for_request

VIEW = "#benchmarks-page"
SLOW = 30_000  # the first drawing imports Altair


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    runs = zhihu_runs()
    write_runs(folder, [*runs, *experiment_runs()])
    rows = Rows.prefixes([[1, 2, 3, 4]] * 60)
    for one in runs:
        draw = torch.rand(len(rows), generator=torch.Generator().manual_seed(one.seed))
        append_ranks(folder / RANKS, one, torch.where(draw < (0.9 if one.model == "card" else 0.4), 1, 60), rows)
    return folder


@pytest.fixture(scope="module")
def address(checkpoints: Path) -> Iterator[str]:
    app = create_app(Shelf(checkpoints, "zhihu", torch.device("cpu")))
    try:
        yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    finally:
        app.close()


def opened(watched: Watched, address: str, rest: str = "", size: dict[str, int] = DESKTOP) -> Page:
    return watched.open(f"{address}?view=benchmarks{rest}", size, ready=f"{VIEW} .section")


def test_a_link_opens_the_view_with_its_choices(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&metric=ndcg@20&models=card,popularity")
    expect(page.get_by_role("tab", name="Benchmarks")).to_have_attribute("aria-selected", "true")
    expect(page.locator("button[data-name='ndcg@20']")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".models summary")).to_contain_text("2 of")
    assert set(page.locator(f"{VIEW} .wide .model").all_inner_texts()) == {"CARD", "", "Popularity"}


def test_choices_are_written_into_the_address_and_the_view_as_well(watched: Watched, address: str) -> None:
    page = watched.open(address, ready="#explore")
    page.get_by_role("tab", name="Benchmarks").click()
    expect(page.locator(f"{VIEW} .section").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?view=benchmarks$"))  # written a little after the tab is open
    page.get_by_role("button", name="NDCG@20", exact=True).click()
    expect(page.locator("button[data-name='ndcg@20']")).to_have_attribute("aria-pressed", "true")
    assert "metric=ndcg@20" in page.url
    assert "dataset" not in page.url, "only what was chosen"
    page.get_by_role("tab", name="Explore").click()
    expect(page.locator("#explore h1")).to_be_visible()
    expect(page).not_to_have_url(re.compile("view="))


def test_models_are_left_out_and_brought_back_from_the_keyboard(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.locator(".models summary").press("Enter")
    expect(page.get_by_role("checkbox", name="TDM")).to_have_css("appearance", "auto")  # else ticks are white on white
    page.get_by_role("checkbox", name="TDM").press("Space")
    expect(page.get_by_role("checkbox", name="TDM")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="TDM")).to_be_focused()
    expect(page.locator(f"{VIEW} .wide .model", has_text="TDM")).to_have_count(0)
    assert "models=card," in page.url and "tdm" not in page.url
    page.get_by_role("button", name="None", exact=True).click()
    expect(page.locator(f"{VIEW} .notice")).to_contain_text("None of the chosen models")
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.locator(f"{VIEW} .wide .model", has_text="TDM")).to_have_count(1)
    assert "models=" not in page.url


def test_every_section_is_drawn_and_says_what_it_is(watched: Watched, address: str, tmp_path: Path) -> None:
    page = opened(watched, address)
    expect(page.locator(f"{VIEW} .curves svg")).to_have_count(7, timeout=SLOW)
    sections, opened_ones = (page.locator(f"{VIEW} details.section{state}").count() for state in ("", "[open]"))
    assert sections == opened_ones == 11
    assert page.locator("[data-section=parts] svg[role=img]").first.get_attribute("aria-label") == (
        "the whole model, published, HR@20: 2.57 ± .05, n 5"
    )
    expect(page.locator(".curves[data-figure=deleted] [aria-roledescription=point] title")).to_have_count(5)
    expect(page.locator("[data-section=released] .tiles")).to_contain_text("100")
    page.screenshot(path=tmp_path / "sections.png", full_page=True)


def test_two_rows_are_compared_once_however_many_sections_open(watched: Watched, address: str) -> None:
    page = watched.open(address, ready="#explore")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    page.get_by_role("tab", name="Benchmarks").click()
    expect(page.locator(f"{VIEW} .curves svg")).to_have_count(7, timeout=SLOW)
    expect(page.locator(f"{VIEW} .difference-text")).not_to_have_text(re.compile(r"^(computing …)?$"), timeout=SLOW)
    assert len([question for question in asked if '"fn_name":"compare"' in question]) == 1


def test_on_a_phone_sections_are_headings_that_open(watched: Watched, address: str) -> None:
    page = opened(watched, address, size=PHONE)
    assert page.locator(f"{VIEW} details.section[open]").count() == 0
    assert page.locator(f"{VIEW} .curves svg").count() == 0, "nothing is drawn that nobody sees"
    page.locator("[data-section=missing] > summary").press("Enter")
    expect(page.locator("[data-section=missing] .curves svg")).to_have_count(2, timeout=SLOW)
    for name in ("released", "parts", "times", "health", "honesty", "difference"):
        page.locator(f"[data-section={name}] > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_open_sections_stay_open_when_something_else_is_chosen(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.locator("[data-section=times] > summary").click()
    page.get_by_role("button", name="NDCG@20", exact=True).click()
    page.wait_for_selector("button[data-name='ndcg@20'][aria-pressed=true]")
    expect(page.locator("[data-section=times]")).not_to_have_attribute("open", "")
    expect(page.locator("[data-section=health]")).to_have_attribute("open", "")


def test_a_jump_takes_the_focus_along(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.get_by_role("button", name="Is PER honest?").press("Enter")
    expect(page.locator("[data-section=honesty] > summary")).to_be_focused()
    expect(page.locator("[data-section=honesty]")).to_be_in_viewport()


def test_two_rows_are_compared_and_the_pair_stands_in_the_address(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    text = page.locator(".difference-text")
    expect(text).to_contain_text("CARD (default) is ahead: the whole interval is on its side of 0.", timeout=SLOW)
    page.locator("select[data-kind=second]").select_option("card:released")
    expect(text).to_contain_text("neither is shown to be ahead", timeout=SLOW)
    assert "second=card:released" in page.url
    again = opened(watched, address, "&second=card:released")
    expect(again.locator("select[data-kind=second]")).to_have_value("card:released")


def test_a_pair_chosen_while_another_metric_is_on_its_way_stays(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    second = page.locator("select[data-kind=second]")
    with held(page, saying='"fn_name":"look"') as waiting:
        page.get_by_role("button", name="NDCG@20", exact=True).click()
        wait_for_request(page, waiting)
        second.select_option("card:released")
    expect(page.locator("button[data-name='ndcg@20']")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"{VIEW} .difference-text")).to_contain_text("neither is shown", timeout=SLOW)
    expect(second).to_have_value("card:released")
    assert "second=card:released" in page.url and "metric=ndcg@20" in page.url


def refuse(route: Route) -> None:
    """As a server that is gone, where NDCG@20 is asked for."""
    if "ndcg@20" in (route.request.post_data or ""):
        route.abort()
    else:
        route.fallback()


def test_a_comparison_on_its_way_is_shown_though_another_metric_was_asked_for_in_vain(
    watched: Watched, address: str
) -> None:
    page = watched.open(address, ready="#explore", quiet=True)
    with held(page, saying='"fn_name":"compare"') as waiting:
        page.get_by_role("tab", name="Benchmarks").click()
        wait_for_request(page, waiting)
        page.route(re.compile("component_server"), refuse)
        page.get_by_role("button", name="NDCG@20", exact=True).click()
        expect(page.locator(f"{VIEW} .notice")).to_contain_text("The server gave no answer.")
    expect(page.locator(f"{VIEW} .difference-text")).to_contain_text("interval", timeout=SLOW)


def test_a_curve_is_downloaded_under_its_own_name(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV: HR@20 when items are missing").click()
    assert download.value.suggested_filename == "turnpoint-zhihu-prefix-full-hr20-deleted.csv"


def test_drawings_follow_the_theme_and_the_width(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    expect(page.locator(".curves[data-figure=deleted]")).to_have_attribute("data-look", "light wide", timeout=SLOW)
    page.evaluate("document.body.classList.add('dark')")
    expect(page.locator(".curves[data-figure=deleted]")).to_have_attribute("data-look", "dark wide", timeout=SLOW)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator(".curves[data-figure=deleted]")).to_have_attribute("data-look", "dark compact", timeout=SLOW)


def test_markup_in_a_variant_is_shown_as_text(watched: Watched, address: str, checkpoints: Path) -> None:
    write_runs(checkpoints, [run(variant="<img src=x onerror=alert(1)>"), run(variant="<b>x</b>=2")])
    page = opened(watched, address)
    expect(page.locator("[data-section=parts]")).to_contain_text("<img src x onerror alert(1)>")
    assert page.locator(f"{VIEW} img").count() == 0
