"""A slow machine in a real browser: what is pressed or typed before the page's scripts are there is not lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.ui.pages import Watched, chips, held, wait_for_request

SETTLED = re.compile("settled at step|before the first step")

# What a view does once it is seen, it does a second later; `seenLate` then says so.
SEEN_LATE = """
const Own = IntersectionObserver;
window.IntersectionObserver = class extends Own {
  constructor(act, how) {
    super((entries, own) => setTimeout(() => {
      act(entries, own);
      window.seenLate = true;
    }, 1000), how);
  }
};
"""

# A tab pressed in the moment in which it appears.
EARLY_TAB = """
addEventListener("DOMContentLoaded", () => {
  const watch = new MutationObserver(() => {
    const tab = document.querySelector('#views [role="tab"][data-tab-id="denoise"]');
    if (!tab) return;
    watch.disconnect();
    tab.click();
    window.pressed = true;
  });
  watch.observe(document.documentElement, { childList: true, subtree: true, attributes: true });
});
"""


@contextmanager
def before_the_facts(watched: Watched, address: str, rest: str = "") -> Iterator[Page]:
    """A page about another data set, of which header and view know nothing until the end."""
    page = watched.open(address)
    with held(page, saying='"fn_name":"facts_of"') as waiting:
        page.goto(f"{address}?data=zhihu{rest}")
        wait_for_request(page, waiting, 2)
        yield page


def test_a_button_pressed_before_the_data_set_is_known_acts_once_it_is(watched: Watched, address: str) -> None:
    with before_the_facts(watched, address, "&view=run") as page:
        page.get_by_role("button", name="Start").click(click_count=2)
    expect(page.locator(".run .verdict")).to_contain_text(" people: ", timeout=60_000)
    expect(page.locator(".run .kept li")).to_have_count(1, timeout=60_000)
    assert "data=zhihu" in page.url and "run=" in page.url


def test_the_tour_begun_before_the_data_set_is_known_stays_with_the_history(watched: Watched, address: str) -> None:
    with before_the_facts(watched, address, "&items=1,2,3,4") as page:
        page.get_by_role("link", name="Tour", exact=True).click()
    expect(page.get_by_role("complementary", name="Guided tour")).to_be_visible()
    assert "data=zhihu&items=1,2,3,4" in page.url


def test_letters_typed_before_the_data_set_is_known_are_searched_once_it_is(watched: Watched, address: str) -> None:
    with before_the_facts(watched, address) as page:
        page.locator(".explore .search").type("1")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()


def test_what_is_entered_before_the_data_set_is_known_joins_the_history_once_it_is(
    watched: Watched, address: str
) -> None:
    with before_the_facts(watched, address) as page:
        page.locator(".explore .search").type("17")
        page.keyboard.press("Enter")
    expect(chips(page)).to_have_count(1)
    expect(page).to_have_url(re.compile("items=17"))


def test_a_number_typed_before_the_data_set_is_known_stays(watched: Watched, address: str) -> None:
    with before_the_facts(watched, address, "&view=run") as page:
        page.get_by_label("Seed").fill("5")
        page.get_by_role("button", name="Start").click()
    expect(page.locator(".run .kept li")).to_contain_text("seed 5", timeout=60_000)
    expect(page).to_have_url(re.compile("runseed=5"))


def test_a_slider_moved_before_the_data_set_is_known_stays(watched: Watched, address: str) -> None:
    with before_the_facts(watched, address, "&view=missing&items=1,2,3,4") as page:
        page.locator('.lab [data-part="share"]').press("End")
    expect(page.locator('.lab [data-part="share-value"]')).to_have_text("60 %")
    expect(page).to_have_url(re.compile("lost=60"))


def test_guidance_chosen_before_the_data_set_is_known_is_what_is_walked_with(watched: Watched, address: str) -> None:
    with before_the_facts(watched, address, "&view=denoise&steps=2&items=1,2,3,4") as page:
        page.locator('.denoise [data-part="guidance-input"]').press("End")
    expect(page.locator(".denoise .verdict")).to_have_text(SETTLED, timeout=30_000)
    expect(page.locator('.denoise [data-part="guidance-value"]')).to_have_text("6")
    expect(page).to_have_url(re.compile("guidance=6"))


def test_what_is_ticked_before_the_view_is_seen_stays_ticked(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.add_init_script(SEEN_LATE)
    page.goto(f"{address}?view=run&runslice=short")
    box = page.get_by_role("checkbox", name="TDM")
    box.uncheck()
    page.wait_for_function("window.seenLate")
    expect(box).not_to_be_checked()
    expect(page.locator('.run [data-part="slice"]')).to_have_value("short")


def test_a_tab_pressed_as_soon_as_it_appears_stays_open_whatever_the_address_named(
    watched: Watched, address: str
) -> None:
    page = watched.open(address)
    page.add_init_script(EARLY_TAB)
    page.goto(f"{address}?view=run")
    page.wait_for_function("window.pressed")
    expect(page.locator(".denoise .verdict")).to_be_visible()
    expect(page).to_have_url(re.compile("view=denoise"))
    expect(page.get_by_role("tab", name="Denoise")).to_have_attribute("aria-selected", "true")
