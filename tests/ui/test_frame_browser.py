"""Header, tour and presentation in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.pages import STAGE, Watched, chips, link

STATIONS = ".explore .line text.number"
STEPS = ("History", "Route", "Weights", "Lists", "Denoising", "Family")


def fitted(page: Page, selector: str) -> None:
    """Waits until it is wholly on the screen, and nothing beside it."""
    page.wait_for_function(
        """(selector) => {
            const { top, left, bottom, height } = document.querySelector(selector).getBoundingClientRect();
            const wide = document.documentElement.scrollWidth;
            return height > 0 && top >= 0 && left >= 0 && bottom <= innerHeight + 1 && wide <= innerWidth;
        }""",
        arg=selector,
    )


def test_the_link_that_is_copied_is_the_address(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films, "&threshold=.999"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_a_talk_goes_through_its_steps_by_keys(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films, "&next=1128&present=1"), size=STAGE, ready=STATIONS)
    steps = page.get_by_role("navigation", name="Steps of the presentation")
    expect(steps.get_by_role("link")).to_have_text(list(STEPS))
    parts = (
        ".explore .line",
        ".explore .gauge-title",
        ".cell .squares",
        ".list .row",
        ".denoise .bump",
        ".family .tree",
    )
    for title, part in zip(STEPS, parts, strict=True):
        expect(steps.locator("[aria-current=step]")).to_have_text(title)
        expect(page.locator(part).first).to_be_visible(timeout=15_000)
        page.wait_for_timeout(900)  # what comes late must not push it out again
        fitted(page, part)
        page.keyboard.press("ArrowRight")
    assert "step=family" in page.url
    page.keyboard.press("ArrowLeft")
    expect(steps.locator("[aria-current=step]")).to_have_text("Denoising")
    page.keyboard.press("d")
    assert page.evaluate("document.body.classList.contains('dark')")
    page.keyboard.press("Escape")
    expect(steps).to_be_hidden()
    expect(page.get_by_role("tab", name="Explore")).to_be_visible()
    assert "present" not in page.url


def test_digits_belong_to_the_films_in_a_talk_too(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films, "&present=1&step=route"), size=STAGE, ready=STATIONS)
    page.keyboard.press("3")
    expect(page.locator(".chip.off")).to_have_count(1)
    assert "off=3" in page.url and "step=route" in page.url


def test_a_talk_without_a_history_takes_the_example(watched: Watched, address: str) -> None:
    page = watched.open(f"{address}?present=1", size=STAGE, ready=STATIONS)
    expect(chips(page).first).to_be_visible()
    assert "items=" in page.url


@pytest.mark.parametrize("step", [step.lower() for step in STEPS])
def test_every_step_of_the_tour_is_a_link(watched: Watched, address: str, step: str) -> None:
    page = watched.open(f"{address}?tour={step}", ready=".tp-tour h2")
    expect(page.get_by_role("heading", level=2).first).to_have_text(re.compile(rf"^\d of 6: {step.capitalize()}$"))
    expect(page.locator(".tp-pointed")).to_have_count(1)


def test_the_tour_goes_on_by_its_links_and_ends(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("link", name="Tour", exact=True).click()
    panel = page.get_by_role("complementary", name="Guided tour")
    expect(panel).to_be_visible()
    expect(chips(page).first).to_be_visible()
    panel.get_by_role("link", name="Denoising").click()
    expect(page.get_by_role("tab", name="Denoise")).to_have_attribute("aria-selected", "true")
    panel.get_by_role("link", name="End the tour").click()
    expect(panel).to_be_hidden()
    assert "tour" not in page.url


def test_a_question_mark_opens_the_map_of_the_keys_but_not_while_typing(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    keys = page.get_by_role("dialog", name="Keys")
    page.get_by_role("combobox", name="Search").press("?")
    expect(keys).to_be_hidden()
    chips(page).first.focus()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("undo, redo")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
