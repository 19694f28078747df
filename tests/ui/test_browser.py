"""The page in a real browser, over the committed MovieLens bundles."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from demo_core import checkpoint
from demo_core.engine import Engine
from demo_core.ui import create_app, launch

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
MODELS = ("tdm", "card", "globaldiff")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("Chromium is missing; the browser tests need it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(CHECKPOINTS, "movielens")


@pytest.fixture(scope="module")
def address(engine: Engine) -> Iterator[str]:
    app = create_app(engine, CHECKPOINTS)
    yield launch(app, host="127.0.0.1", block=False)
    app.close()


class Watched:
    """Pages that note requests to other hosts, console errors, uncaught errors and dialogs; ``check`` fails on any."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.pages, self.trouble = browser, list[Page](), list[str]()

    def open(self, url: str, size: dict[str, int] = DESKTOP, dark: bool = False, quiet: bool = False) -> Page:
        page = self.browser.new_page(viewport=size, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
        page.on("request", lambda request: self._request(request.url))
        page.on("dialog", lambda dialog: self._note(f"dialog: {dialog.message}"))
        page.on("pageerror", lambda error: self._note(f"uncaught: {error}"))
        if not quiet:
            page.on("console", lambda message: self._console(message.type, message.text))
        self.pages.append(page)
        page.goto(url)
        expect(page.locator(".list.shown .row, .explore .problem:visible").first).to_be_visible(timeout=30_000)
        return page

    def check(self) -> None:
        for page in self.pages:
            page.close()
        assert self.trouble == []

    def _note(self, text: str) -> None:
        self.trouble.append(text)

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost"):
            self._note(f"request to another host: {url}")

    def _console(self, kind: str, text: str) -> None:
        if kind == "error":
            self._note(f"console: {text}")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    watched = Watched(browser)
    yield watched
    watched.check()


@pytest.fixture
def films(engine: Engine) -> list[int]:
    """Six films of a real person, and with them six different steps."""
    return [item.id for item in engine.real_person(3).items[-6:]]


def link(address: str, ids: list[int], rest: str = "") -> str:
    return f"{address}?items={','.join(map(str, ids))}{rest}"


def chips(page: Page) -> Locator:
    return page.locator(".chip:not(.next) .name")


def choose(page: Page, title: str) -> None:
    before = chips(page).count()
    page.get_by_role("combobox").type(title)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_count(before + 1)


def titles(page: Page, model: str) -> list[str]:
    return page.locator(f'.list[data-model="{model}"] .row b').all_inner_texts()


def test_a_history_is_built_by_typing_and_gives_lists_and_weights(
    watched: Watched, address: str, tmp_path: Path
) -> None:
    page = watched.open(address)
    for title in ("toy story", "the matrix", "alien", "blade runner", "spirited away"):
        choose(page, title)
    names = chips(page).all_inner_texts()
    assert names[1:4] == ["The Matrix", "Alien", "Blade Runner"]
    expect(page.get_by_role("combobox")).to_be_focused()
    for model in MODELS:
        assert len(titles(page, model)) == 10
        assert not set(titles(page, model)) & {"The Matrix", "Alien", "Blade Runner"}, "films seen are not offered"
    weights = page.locator(".weight .number").all_inner_texts()
    assert len(weights) == 5
    assert all(re.fullmatch(r"×[012](\.\d\d)?|no future yet", text) for text in weights)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", re.compile(r"^\.\d{3}$"))
    expect(page.locator(".live")).to_contain_text("Spirited Away added.")
    assert page.screenshot(path=tmp_path / "light.png", full_page=True)


def test_dark_follows_the_system_and_the_link(watched: Watched, address: str, films: list[int], tmp_path: Path) -> None:
    for url, dark in ((link(address, films), True), (link(address, films, "&__theme=dark"), False)):
        page = watched.open(url, dark=dark)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(11, 17, 32)"
        page.screenshot(path=tmp_path / f"dark-{dark}.png", full_page=True)


def test_an_empty_history_asks_for_a_film_and_offers_ready_ones(watched: Watched, address: str) -> None:
    page = watched.open(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Type a film you like, or take a random person.")
    ready = page.locator(".ready a")
    expect(ready).to_have_count(3)
    ready.nth(1).click()
    expect(page.locator(".chip.next")).to_have_count(1)
    assert "items=" in page.url and "next=" in page.url
    page.get_by_role("button", name="Clear").click()
    expect(ready.first).to_be_visible()
    assert "items=" not in page.url


@pytest.mark.parametrize(
    ("number", "verdict"), [(1, "One film has no steps."), (2, "Two films always give the same evenness.")]
)
def test_one_and_two_films_say_why_there_is_no_route(
    watched: Watched, address: str, films: list[int], number: int, verdict: str
) -> None:
    page = watched.open(link(address, films[:number]))
    expect(page.get_by_role("heading", level=1)).to_have_text(verdict)
    expect(page.get_by_role("slider")).to_have_count(0)
    assert len(titles(page, "card")) == 10


def test_removing_a_film_keeps_the_focus_and_changes_the_link(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films))
    before = chips(page).all_inner_texts()
    page.locator(".chip .remove").nth(2).click()
    expect(chips(page)).to_have_text(before[:2] + before[3:])
    chips(page).nth(0).focus()
    page.keyboard.press("Delete")
    expect(chips(page)).to_have_text(before[1:2] + before[3:])
    expect(chips(page).nth(0)).to_be_focused()
    assert f"items={films[1]},{films[3]},{films[4]},{films[5]}" in page.url


def test_films_are_reordered_by_keys_and_by_dragging(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films))
    before = chips(page).all_inner_texts()
    chips(page).nth(0).focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(chips(page)).to_have_text([before[1], before[0], *before[2:]])
    expect(chips(page).nth(1)).to_be_focused()
    page.keyboard.press("Alt+ArrowLeft")
    expect(chips(page)).to_have_text(before)
    page.wait_for_timeout(300)  # the slide to the new place lasts 220 ms
    first, last = chips(page).nth(0).bounding_box(), chips(page).nth(5).bounding_box()
    assert first and last
    page.mouse.move(first["x"] + 10, first["y"] + 5)
    page.mouse.down()
    page.mouse.move(last["x"] + 60, last["y"] + 5, steps=6)
    page.mouse.up()
    expect(chips(page)).to_have_text([*before[1:], before[0]])


def test_moving_the_threshold_flips_the_exit_and_enter_moves_it_back(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    slider, heading = page.get_by_role("slider"), page.get_by_role("heading", level=1)
    trained = slider.get_attribute("aria-valuetext")
    assert trained
    slider.focus()
    page.keyboard.press("End")
    expect(heading).to_have_text(re.compile("^Stable"))
    expect(page.locator(".moved")).to_contain_text(f"Moved from {trained}: the model was trained at {trained}.")
    expect(page.locator(".row-title")).to_contain_text("Not used on this route")
    assert "threshold=1.000" in page.url
    page.keyboard.press("ArrowDown")
    expect(slider).to_have_attribute("aria-valuetext", ".999")
    expect(slider).to_be_focused()
    page.keyboard.press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", trained)
    expect(page.locator(".moved")).to_be_hidden()
    assert "threshold" not in page.url


def test_a_link_brings_the_state_back(watched: Watched, address: str, films: list[int], engine: Engine) -> None:
    truth = next(id for id in range(1, engine.num_items) if id not in films)
    page = watched.open(link(address, films, f"&next={truth}&threshold=.999&seed=4"))
    assert chips(page).count() == 6
    expect(page.locator(".chip.next")).to_contain_text("hidden from the models")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", ".999")
    expect(page.locator(".foot .star")).to_have_count(3)
    expect(page.locator(".provenance").last).to_contain_text("seed 4")


def test_an_unknown_film_in_a_link_is_marked_and_can_be_removed(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, [films[0], 99_999_999, films[1]]))
    expect(page.locator(".chip.unknown")).to_contain_text("Not in this catalogue")
    expect(page.locator(".problem:visible")).to_contain_text("got 99999999")
    page.locator(".chip.unknown .remove").click()
    expect(page.locator(".problem:visible")).to_have_count(0)
    assert len(titles(page, "card")) == 10


def test_more_films_than_the_window_are_folded_and_duplicates_are_named(
    watched: Watched, address: str, engine: Engine
) -> None:
    page = watched.open(link(address, [*range(1, engine.window + 3), 2 + engine.window]))
    expect(page.locator(".older summary")).to_have_text("3 earlier films")
    assert chips(page).count() == engine.window
    expect(page.locator(".chip").last).to_contain_text("2nd time")


def test_a_misspelt_title_is_offered_as_a_question(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("combobox").type("matrxi")
    expect(page.get_by_role("option").first).to_contain_text("Did you mean “The Matrix”?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)


def test_html_that_is_typed_or_pasted_stays_text(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("combobox").fill(HOSTILE)
    expect(page.locator(".search-note, .suggestions").locator("visible=true").first).to_be_visible()
    page.get_by_role("button", name="Paste").click()
    page.locator("textarea").fill(f"{HOSTILE}\nAlien")
    page.get_by_role("button", name="Read").click()
    expect(page.locator(".problems li").first).to_contain_text("<img")
    expect(chips(page)).to_have_text(["Alien"])
    assert page.locator(".explore img").count() == 0


def test_html_in_titles_stays_text(watched: Watched, engine: Engine, tmp_path: Path) -> None:
    for name in MODELS:
        bundle = checkpoint.load(CHECKPOINTS / "movielens" / name)
        hostile = dataclasses.replace(bundle.catalogue, titles=(f"{HOSTILE} ",) * bundle.catalogue.num_items)
        checkpoint.save(dataclasses.replace(bundle, catalogue=hostile), tmp_path / "movielens" / name)
    shutil.copy(CHECKPOINTS / "movielens" / "examples.json", tmp_path / "movielens")
    app = create_app(Engine(tmp_path, "movielens"), tmp_path)
    try:
        page = watched.open(link(launch(app, host="127.0.0.1", block=False), [1, 2, 3], "&next=4"))
        assert HOSTILE in titles(page, "card")[0]
        page.get_by_role("combobox").type("img")
        expect(page.get_by_role("option").first).to_contain_text("<img")
        assert page.locator(".explore img").count() == 0
    finally:
        app.close()


def test_a_missing_model_says_so_in_its_place_and_the_others_work(watched: Watched, tmp_path: Path) -> None:
    shutil.copytree(CHECKPOINTS / "movielens", tmp_path / "movielens")
    (tmp_path / "movielens" / "card" / "model.safetensors").write_bytes(b"broken")
    app = create_app(Engine(tmp_path, "movielens"), tmp_path)
    try:
        page = watched.open(link(launch(app, host="127.0.0.1", block=False), [1, 2, 3]))
        expect(page.locator('.list[data-model="card"] .problem')).to_contain_text("CARD could not be loaded")
        assert len(titles(page, "tdm")) == len(titles(page, "globaldiff")) == 10
    finally:
        app.close()


def test_a_lost_connection_keeps_the_history_and_offers_another_try(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films), quiet=True)
    page.route("**/component_server/**", lambda route: route.abort())
    page.locator(".chip .remove").first.click()
    expect(page.locator(".explore > .panel > .problem")).to_contain_text("Your history is kept; try again.")
    page.unroute("**/component_server/**")
    page.get_by_role("button", name="Try again").click()
    expect(chips(page)).to_have_count(5)


def test_quick_changes_end_in_the_newest_state(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films))
    kept = chips(page).all_inner_texts()[3:]
    page.evaluate("[...document.querySelectorAll('.chip .remove')].slice(0, 3).forEach((button) => button.click())")
    expect(chips(page)).to_have_text(kept)
    assert f"items={','.join(map(str, films[3:]))}" in page.url


def test_lists_are_walked_by_keys_and_mark_the_same_film_everywhere(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    row = page.locator('.list[data-model="tdm"] .row').nth(1)
    page.locator('.list[data-model="tdm"] .row').first.focus()
    page.keyboard.press("ArrowDown")
    expect(row).to_be_focused()
    item = row.get_attribute("data-item")
    marked = page.locator(".row.hot")
    expect(marked).to_have_count(page.locator(f'.row[data-item="{item}"]').count())


def test_the_slash_key_goes_to_the_search_and_the_table_tells_the_route(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.get_by_text("Show as table").first.click()
    expect(page.locator(".as-table tbody tr")).to_have_count(6)


def test_a_real_person_brings_the_film_really_watched_next(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("button", name="Real person").click()
    expect(page.locator(".chip.next")).to_have_count(1)
    page.get_by_role("button", name="Random person").click()
    expect(page.locator(".chip.next")).to_have_count(0)
    assert chips(page).count() > 0


def test_a_phone_shows_everything_without_scrolling_sideways(
    watched: Watched, address: str, films: list[int], tmp_path: Path
) -> None:
    page = watched.open(link(address, films), size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    expect(page.locator(".list:visible")).to_have_count(1)
    page.locator(".switch button", has_text="TDM").click()
    expect(page.locator('.list[data-model="tdm"]')).to_be_visible()
    expect(page.get_by_role("slider")).to_be_visible()
    page.screenshot(path=tmp_path / "phone.png", full_page=True)


def test_benchmarks_opens_beside_explore_without_an_error(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("tab", name="Benchmarks").click()
    expect(page.get_by_role("combobox", name="Search a film")).to_be_hidden()
    page.get_by_role("tab", name="Explore").click()
    expect(page.get_by_role("combobox", name="Search a film")).to_be_visible()
