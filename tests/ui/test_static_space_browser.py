"""A static site in a real browser, opened from the disk."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from demo_core.engine import Engine
from demo_core.ui.static_site import write_site
from tests.ui.pages import DESKTOP, MODELS, PHONE, Watched, chips, held, titles, wait_for_request
from tests.ui.static_sites import HOSTILE, prepared

READY = {
    "explore": ".list.shown .row",
    "denoise": ".denoise .settled b",
    "benchmarks": "#benchmarks-page .wide",
    "family": "#family .node, #family .branches details",
}
STAGE = {"width": 1920, "height": 1080}
CATALOGUE = "**/data/catalogue.js"
STRANGE = "This was not computed for this copy."


class FromDisk(Watched):
    """Pages of a folder: every request that leaves it is noted."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        super().__init__(browser)
        self.folder = folder

    def show(self, rest: str = "", size: dict[str, int] = DESKTOP, dark: bool = False, ready: str = "") -> Page:
        return self.open(f"{(self.folder / 'index.html').as_uri()}{rest}", size, dark, ready=ready or READY["explore"])

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        own = parts.scheme == "file" and Path(unquote(parts.path)).is_relative_to(self.folder)
        if not own and parts.scheme not in ("data", "blob"):
            self._note(f"request beyond the folder: {url}")


@pytest.fixture(scope="module")
def checkpoints(film_checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(film_checkpoints, tmp_path_factory.mktemp("static") / "checkpoints")


@pytest.fixture(scope="module")
def folder(checkpoints: Path) -> Path:
    site = checkpoints.parent / "a site & more"  # whatever a folder is called
    write_site(checkpoints, "movielens", site, people=6, thorough=("hr@50",))
    return site


@pytest.fixture(scope="module")
def engine(checkpoints: Path) -> Engine:
    return Engine(checkpoints, "movielens")


@pytest.fixture
def disk(browser: Browser, folder: Path) -> Iterator[FromDisk]:
    disk = FromDisk(browser, folder)
    yield disk
    disk.check()


def choice(page: Page) -> Locator:
    return page.get_by_role("combobox", name="History", exact=True)


def choose_history(page: Page, name: str) -> None:
    option = choice(page).locator("option", has_text=re.compile(f"^{name}:"))
    before = page.url
    choice(page).select_option(option.get_attribute("value"))
    expect(page).not_to_have_url(before)
    expect(page.locator(".chip").first).to_be_attached()


def listed(engine: Engine, page: Page, model: str) -> list[str]:
    """What the engine says now of what the address holds."""
    query = dict(part.split("=") for part in urlsplit(page.url).query.split("&"))
    off = [int(position) for position in query.get("off", "").split(",") if position]
    items = [int(id) for id in query["items"].split(",")]
    answer = engine.compare(items, [model], off=off, truth=int(query["next"]))
    return [row.item.title for row in answer.lists[0].items]


def short(titles: list[str]) -> list[str]:
    """As rows show them: without the star, and without alternatives in brackets."""
    return [re.sub(r"(\s*\([^()]*\))+$", "", title.removeprefix("★ ")) for title in titles]


def same_list(engine: Engine, page: Page, model: str) -> None:
    """Waits until the page shows what the engine says; the answers of a history are loaded when it is chosen."""
    end = time.monotonic() + 20
    while short(titles(page, model)) != short(listed(engine, page, model)):
        assert time.monotonic() < end, (short(titles(page, model)), short(listed(engine, page, model)))
        page.wait_for_timeout(20)


def test_the_first_view_offers_histories_and_what_everybody_is_shown(disk: FromDisk) -> None:
    page = disk.show()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take a ready history, or a random person.")
    expect(page.locator(".ready a")).to_have_count(3)
    for model in MODELS:
        assert len(titles(page, model)) == 10
    expect(page.locator(".tp-copy")).to_contain_text(
        "A copy without a server: 3 ready histories and 6 of 8 example people."
    )


def test_a_tab_opened_before_the_data_are_there_stays_open(disk: FromDisk) -> None:
    page = disk.show()
    with held(page, CATALOGUE) as waiting:
        page.goto(page.url, wait_until="commit")
        wait_for_request(page, waiting)
        page.get_by_role("tab", name="Family tree").click()
    expect(page.locator("#family .node").first).to_be_visible()
    expect(page.get_by_role("tab", name="Family tree")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("view=family"))


def test_a_field_takes_no_letters_before_the_data_are_there(disk: FromDisk) -> None:
    page = disk.show()
    box = page.locator("#explore .search")
    with held(page, CATALOGUE) as waiting:
        page.goto(page.url, wait_until="commit")
        wait_for_request(page, waiting)
        box.focus()
        page.keyboard.type("a")
    expect(page.locator(READY["explore"]).first).to_be_visible()
    expect(box).to_have_value("")
    box.type("a")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()


def test_another_history_brings_other_lists_which_are_those_of_the_engine(disk: FromDisk, engine: Engine) -> None:
    page = disk.show()
    page.locator(".ready a").first.click()
    expect(page.locator(".chip.next")).to_be_visible()
    before = {model: titles(page, model) for model in MODELS}
    assert short(before["card"]) == short(listed(engine, page, "card"))
    expect(choice(page)).not_to_have_value("")
    choose_history(page, "Person 2")
    expect(page.locator('.list[data-model="card"] .row b').first).to_be_visible()
    for model in MODELS:
        same_list(engine, page, model)
    assert {model: titles(page, model) for model in MODELS} != before
    provenance = page.locator('#explore [data-part="provenance-lists"]')
    expect(provenance).to_contain_text("leave-one-out-full")
    expect(provenance).to_contain_text("training seed 0, commit 0123456")


def test_a_film_is_switched_off_and_on_again(disk: FromDisk, engine: Engine) -> None:
    page = disk.show()
    choose_history(page, "Person 1")
    count = chips(page).count()
    page.locator(".chip .toggle").nth(count - 1).click()
    expect(page.locator(".chip.off")).to_have_count(1)
    assert re.search(r"off=\d", page.url)
    for model in MODELS:
        same_list(engine, page, model)
    page.locator(".chip .toggle").nth(count - 2).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(STRANGE)
    expect(page.locator(".explore .reason")).to_contain_text("switched off alone, not several together")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".chip.off")).to_have_count(1)
    expect(page.locator(READY["explore"]).first).to_be_visible()


def test_the_keys_are_those_of_the_app(disk: FromDisk) -> None:
    page = disk.show()
    choose_history(page, "Person 1")
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("1")
    expect(page.locator(".chip.off")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator(".chip.off")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Explore").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Denoise")).to_be_focused()
    expect(page.locator(READY["denoise"]).first).to_be_visible()


def test_the_threshold_has_a_place_on_either_side(disk: FromDisk) -> None:
    page = disk.show()
    page.locator(".ready a").first.click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile("^(Turning|Stable)"))
    turning = (heading.text_content() or "").startswith("Turning")
    beyond = disk.show(f"?{urlsplit(page.url).query}&threshold={1 if turning else 0}", ready=".notes:visible")
    expect(beyond.get_by_role("heading", level=1)).to_have_text(re.compile("^Stable" if turning else "^Turning"))
    expect(beyond.locator(".notes")).to_contain_text("This copy knows two thresholds for this history")
    expect(beyond.locator(".moved")).to_contain_text("the model was trained at")
    beyond.get_by_role("slider", name="Threshold").press("Enter")
    expect(beyond.get_by_role("heading", level=1)).to_have_text(re.compile("^Turning" if turning else "^Stable"))
    expect(beyond.locator(".moved")).to_be_hidden()


def test_a_film_is_found_and_its_histories_are_offered(disk: FromDisk, engine: Engine) -> None:
    page = disk.show()
    choose_history(page, "Person 1")
    before = chips(page).all_inner_texts()
    search = page.get_by_role("combobox", name="Search")
    search.type("matrix reload")
    expect(page.locator(".suggestions li").first).to_contain_text("The Matrix Reloaded")
    page.keyboard.press("Enter")
    film = page.locator(".tp-film")
    expect(film).to_contain_text("The Matrix Reloaded (2003) Drama; a training target")
    expect(film).to_contain_text("of 16.It is read in 2 histories of this copy:")
    expect(film.locator("summary")).to_have_text("In 1 history it stands before what is read")
    assert chips(page).all_inner_texts() == before, "the history is left as it is"
    film.locator("ul").first.get_by_role("link").last.click()
    expect(page.locator(".chip", has_text="Reloaded")).to_have_count(1)
    expect(film).to_have_count(0)
    same_list(engine, page, "card")
    search.type("heat")
    expect(page.locator(".suggestions li").first).to_be_visible()
    page.keyboard.press("Enter")
    film.get_by_role("button", name="Close").click()
    expect(search).to_be_focused()
    expect(film).to_have_count(0)


def test_the_search_finds_what_the_app_finds(disk: FromDisk, engine: Engine) -> None:
    page = disk.show()
    whole = ("matrix", "amélie", "AMELIE", "se7en", "300", "good, the bad and the ugly, the", "walle", "sabrina 1954")
    broken = [
        typed for title in whole for typed in (title[:-1], title[1:] + "x", title[:2] + title[3:2:-1] + title[4:])
    ]
    for typed in (*whole, *broken, "#5", "5", "#99", "&", "xyzzy", "   "):
        own = [[one.item.id, one.near_miss] for one in engine.search(typed).suggestions]
        asked = "(text) => turnpoint.search(text).suggestions.map((one) => [one.item.id, one.near_miss])"
        assert page.evaluate(asked, typed) == own, typed


def test_why_is_told_for_what_stands_in_the_lists(disk: FromDisk) -> None:
    page = disk.show()
    choose_history(page, "Person 1")
    page.locator('.list[data-model="card"] .row').first.click()
    expect(page.locator(".why li")).to_have_count(3)
    expect(page.locator(".why")).to_contain_text("nearest in the history")


def test_a_person_is_drawn_with_and_without_the_next_film(disk: FromDisk) -> None:
    page = disk.show()
    page.get_by_role("button", name="Real person").click()
    expect(page.locator(".chip.next")).to_be_visible()
    expect(page.locator(".foot .star").first).to_be_visible()
    page.get_by_role("button", name="Random person").click()
    expect(page.locator(".chip.next")).to_have_count(0)
    expect(page.locator(".foot:visible")).to_have_count(0)
    assert len(titles(page, "card")) > 0


def test_a_history_that_was_not_computed_says_so_and_undo_goes_back(disk: FromDisk) -> None:
    page = disk.show("?items=3,1,2", ready=".chip")
    expect(page.get_by_role("heading", level=1)).to_have_text(STRANGE)
    expect(page.locator(".explore .reason")).to_contain_text("The app computes any history live.")
    choose_history(page, "Person 3")
    expect(page.locator(READY["explore"]).first).to_be_visible()  # until it is loaded, the chips are the old ones
    names = chips(page).all_inner_texts()
    chips(page).first.focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text(STRANGE)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(READY["explore"]).first).to_be_visible()
    assert chips(page).all_inner_texts() == names


def test_a_link_brings_a_history_back_and_says_what_else_it_asks_for(disk: FromDisk) -> None:
    page = disk.show()
    choose_history(page, "Person 2")
    link = urlsplit(page.url).query
    again = disk.show(f"?{link}&seed=4&steps=5")
    expect(choice(again)).to_have_value(re.compile(r"^\d+$"))
    assert titles(again, "card") == titles(page, "card")
    expect(again.locator(".tp-copy b")).to_have_text("This link also asks for seed, steps: only the app answers that.")
    assert "seed" not in again.url


def test_what_needs_a_server_is_grey_and_says_why(disk: FromDisk) -> None:
    page = disk.show()
    choose_history(page, "Person 1")
    for control in (page.get_by_role("button", name="Paste or upload"), page.locator(".chip .remove").first):
        expect(control).to_be_disabled()
        expect(control).to_have_attribute("title", re.compile("Needs the app"))
    expect(page.locator("#explore .exports button", has_text="PDF")).to_be_disabled()
    page.get_by_role("tab", name="Denoise").click()
    for part in ("steps-input", "guidance-input", "noise"):
        expect(page.locator(f'#denoise [data-part="{part}"]')).to_be_disabled()


def test_denoise_plays_its_frames_and_follows_the_history(disk: FromDisk) -> None:
    page = disk.show()
    choose_history(page, "Person 1")
    page.get_by_role("tab", name="Denoise").click()
    slider = page.get_by_role("slider", name="Step shown")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"step \d+ of \d+"))
    last = slider.get_attribute("aria-valuemax")
    assert last and int(last) > 1
    page.get_by_role("button", name="2×").click()
    page.get_by_role("button", name="Play").click()
    expect(slider).not_to_have_attribute("aria-valuenow", last)
    expect(slider).to_have_attribute("aria-valuenow", last, timeout=15_000)
    own = page.locator(".stage text.number").count()
    choose_history(page, "Person 4")
    expect(page.locator(".stage text.number")).not_to_have_count(own)
    assert "view=denoise" in page.url


def test_benchmarks_draw_every_choice(disk: FromDisk) -> None:
    page = disk.show("?view=benchmarks&metric=hr@50", ready=READY["benchmarks"])
    expect(page.locator("#benchmarks-page .drawing svg").first).to_be_visible()
    assert "CARD" in page.locator("#benchmarks-page .wide .model").all_inner_texts()
    page.get_by_role("button", name="HR@20", exact=True).click()
    expect(page.locator("button[data-name='hr@20']")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#benchmarks-page .drawing")).to_contain_text("This copy holds these drawings for HR@50")
    page.get_by_role("button", name="Zhihu", exact=True).first.click()
    expect(page.locator("#benchmarks-page .verdict")).to_contain_text("Printed: CARD")
    page.locator("#benchmarks-page .models summary").click()
    expect(page.get_by_role("checkbox", name="TDM")).to_be_disabled()


def test_figures_are_downloaded_without_a_server(disk: FromDisk) -> None:
    page = disk.show("?view=benchmarks&metric=hr@50", ready="#benchmarks-page .drawing svg")
    for title, ending in (("CSV", "csv"), ("SVG", "svg"), ("PNG", "png")):
        with page.expect_download() as download:
            page.locator("#benchmarks-page .figure .exports button", has_text=title).click()
        assert download.value.suggested_filename == f"turnpoint-movielens-leave-one-out-full-hr50.{ending}"
        content = download.value.path().read_bytes()
        assert content.startswith({"csv": b"dataset,", "svg": b"<svg", "png": b"\x89PNG"}[ending])
        assert b"var(--" not in content
    page.get_by_role("tab", name="Explore").click()
    choose_history(page, "Person 1")
    with page.expect_download() as download:
        page.locator("#explore .exports button", has_text="SVG").click()
    assert download.value.suggested_filename == "turnpoint-line.svg"


def test_a_title_stays_text_wherever_it_is_shown(disk: FromDisk) -> None:
    page = disk.show()
    page.get_by_role("combobox", name="Search").type("script")
    expect(page.locator(".suggestions li").first).to_contain_text(HOSTILE)
    page.keyboard.press("Enter")
    expect(page.locator(".tp-film b")).to_contain_text(HOSTILE)
    page.locator(".tp-film > ul a").last.click()
    expect(page.locator(".chip").get_by_title(HOSTILE)).to_have_count(1)
    assert page.locator("img").count() == 0


def test_tour_and_talk_go_through_their_steps(disk: FromDisk) -> None:
    tour = disk.show("?tour=denoising", ready=".tp-tour h2")
    expect(tour.get_by_role("tab", name="Denoise")).to_have_attribute("aria-selected", "true")
    expect(tour.locator(".tp-pointed")).to_have_count(1)
    talk = disk.show("?present=1", STAGE, ready=".explore .line text.number")
    for part in (".explore .line", ".explore .gauge-title", ".cell .squares", ".list .row", ".denoise .bump"):
        expect(talk.locator(part).first).to_be_visible()
        expect(talk.locator(".tp-copy")).to_be_hidden()
        talk.keyboard.press("ArrowRight")
    talk.keyboard.press("Escape")
    expect(talk.locator(".tp-copy")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", READY)
def test_axe_finds_nothing(disk: FromDisk, view: str, dark: bool) -> None:
    page = disk.show("?metric=hr@50", dark=dark)
    choose_history(page, "Person 1")
    if view == "explore":
        page.get_by_role("combobox", name="Search").type("alien")
        expect(page.locator(".suggestions li").first).to_be_visible()
        page.keyboard.press("Enter")
    else:
        page.get_by_role("tab", name=view.capitalize()).click()
    expect(page.locator(READY[view]).first).to_be_visible()
    page.wait_for_timeout(500)  # what slides has no settled colours
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(11, 17, 32)" if dark else "rgb(244, 246, 250)"
    )
    told = [
        f"{one['id']}: {one['help']} {[place['target'] for place in one['nodes']][:3]}"
        for one in Axe().run(page).response["violations"]
        if one["id"] != "page-has-heading-one"  # Benchmarks begins with a second one, in the app too
    ]
    assert told == []


@pytest.mark.parametrize("view", READY)
def test_a_phone_scrolls_nothing_sideways(disk: FromDisk, view: str) -> None:
    page = disk.show("?metric=hr@50", PHONE, dark=True)
    choose_history(page, "Person 1")
    page.get_by_role("tab", name=view.capitalize()).click()
    ready = "#benchmarks-page .phone" if view == "benchmarks" else READY[view]
    expect(page.locator(ready).first).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate("document.querySelector('.gradio-container').scrollWidth") == PHONE["width"]


def test_the_family_tree_tells_what_was_measured_and_links_to_what_the_copy_holds(disk: FromDisk) -> None:
    page = disk.show("?view=family&system=card", ready=READY["family"])
    expect(page.locator("#family .card")).to_contain_text("MovieLens")
    page.locator('#family .node[data-system="tdm"]').click()
    expect(page.locator("#family .card").get_by_role("heading")).to_have_text("TDM")
    assert page.locator("#family .card").get_by_role("link", name="Show in the lists").count() == 0, "none to choose"
    expect(page.locator("#family .exports button", has_text="PDF")).to_be_disabled()
    page.locator("#family .card").get_by_role("link", name="Show in the benchmarks").click()
    expect(page.locator(READY["benchmarks"])).to_be_visible()
    expect(page.locator(".tp-copy b")).to_be_empty()


def test_a_folder_that_is_not_whole_says_so(browser: Browser, folder: Path, tmp_path: Path) -> None:
    for name in ("index.html", "page.js"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    page = browser.new_page()
    page.goto((tmp_path / "index.html").as_uri())
    expect(page.locator(".tp-copy")).to_contain_text("The files beside this page are missing: keep its folder whole.")
    page.close()
