"""The Denoise page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo_core.engine import Engine
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel
from tests.ui.pages import PHONE, Watched, chips, link

SETTLED = re.compile(r"are settled at step \d+ of \d+\.|stands before the first step\.")


def opened(watched: Watched, address: str, films: list[int], rest: str = "", **how: object) -> Page:
    page = watched.open(
        link(address, films, f"&view=denoise{rest}"),
        ready=".denoise .settled b",
        **how,  # type: ignore[arg-type]
    )
    expect(page.locator(".denoise .verdict")).to_have_text(SETTLED)
    return page


def test_the_steps_are_those_of_the_engine(watched: Watched, address: str, films: list[int], engine: Engine) -> None:
    page = opened(watched, address, films, "&steps=4&seed=3")
    told = list(engine.denoise(films, steps=4, seed=3))
    stages = [one for one in told if isinstance(one, DenoisingModel)]
    frames = [one for one in told if isinstance(one, DenoisingFrame) and one.model == "card"]
    expect(page.locator(".denoise .name")).to_have_text([one.title for one in stages])
    expect(page.locator(".squares-cell")).to_have_count(3 * 5)
    titles = page.locator(".bump text.title").all_text_contents()
    shown = "".join(titles).replace(" ", "")
    for item in frames[-1].items:
        assert re.sub(r"(\s*\([^()]*\))+$", "", item.title).replace(" ", "") in shown
    variance = next(one.variance for one in stages if one.model == "card")
    expect(page.locator(".denoise")).to_contain_text(f"PCA, {round(100 * variance)} % of the variance")
    expect(page.locator(".stage circle")).to_have_count(300 + len(films) + 4)


def test_the_scrubber_goes_through_the_steps_by_keys_and_by_hand(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = opened(watched, address, films, "&steps=6")
    slider = page.get_by_role("slider", name="Step shown")
    expect(slider).to_have_attribute("aria-valuetext", "step 6 of 6")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    expect(page.locator(".stage .near")).to_have_text("start")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".stage .near")).to_have_text(re.compile(r"^near .* \.\d\d$"))
    expect(slider).to_be_focused()
    slider.locator("span").nth(4).click()
    expect(slider).to_have_attribute("aria-valuenow", "4")
    expect(page.locator(".squares-cell.ahead")).to_have_count(3 * 2)


def test_play_walks_to_the_end_and_pause_holds(watched: Watched, address: str, films: list[int]) -> None:
    page = opened(watched, address, films, "&steps=5")
    slider = page.get_by_role("slider", name="Step shown")
    slow, fast = (page.get_by_role("button", name=name) for name in ("½×", "2×"))
    slow.click()  # a step takes 700 ms: five leave time to look, and to reach the button before the end
    page.get_by_role("button", name="Play").click()
    expect(slider).not_to_have_attribute("aria-valuenow", "5")
    fast.click()
    expect(slider).to_have_attribute("aria-valuenow", "5")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    slow.click()
    page.keyboard.press("k")
    page.get_by_role("button", name="Pause").click()
    held = slider.get_attribute("aria-valuenow")
    page.wait_for_timeout(1000)
    assert slider.get_attribute("aria-valuenow") == held


def test_settings_ask_again_and_stand_in_the_link(watched: Watched, address: str, films: list[int]) -> None:
    page = opened(watched, address, films, "&steps=3")
    page.get_by_label("Guidance").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".range b").nth(1)).to_have_text("0.5")
    page.get_by_label("Guidance").blur()
    expect(page.locator(".denoise .remarks li")).to_have_count(2)
    page.wait_for_url(re.compile(r"steps=3.*guidance=0\.5|guidance=0\.5.*steps=3"))
    expect(page.locator(".denoise .verdict")).to_have_text(SETTLED)
    page.get_by_role("button", name="Other noise").click()
    expect(page.locator(".denoise .verdict")).to_have_text(SETTLED)
    assert re.search(r"seed=\d+", page.url)


def test_another_model_has_its_own_map(watched: Watched, address: str, films: list[int]) -> None:
    page = opened(watched, address, films, "&steps=3")
    expect(page.locator(".denoise .verdict")).to_contain_text("CARD")
    page.locator(".models button", has_text="GlobalDiff").click()
    expect(page.locator(".denoise .verdict")).to_contain_text("GlobalDiff")
    expect(page.locator(".denoise .reason")).to_contain_text("not noise")


def test_a_history_changed_on_explore_is_walked_when_the_view_is_opened_again(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = opened(watched, address, films, "&steps=3")
    expect(page.locator(".stage text.number")).to_have_count(len(films))
    page.get_by_role("tab", name="Explore").click()
    expect(chips(page)).to_have_count(len(films))
    page.locator(".chip .toggle").nth(0).click()
    expect(page.locator(".chip.off")).to_have_count(1)
    page.get_by_role("tab", name="Denoise").click()
    expect(page.locator(".stage text.number")).to_have_text(["2", "3", "4", "5", "6"])


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_nothing_scrolls_sideways_but_the_steps(
    watched: Watched, address: str, films: list[int], size: dict[str, int], tmp_path: Path
) -> None:
    page = opened(watched, address, films, "&steps=12", size=size, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.screenshot(path=tmp_path / "denoise.png", full_page=True)


def test_a_question_that_is_refused_says_why_and_can_be_asked_again(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, [*films, 99_999_999], "&view=denoise"), ready=".denoise .problem:visible")
    expect(page.locator(".denoise .problem")).to_contain_text("Try again")
