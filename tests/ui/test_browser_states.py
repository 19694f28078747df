"""The Explore page in a real browser: little, much and wrong input, and things that fail."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from demo_core import checkpoint
from demo_core.bundle_index import Entry, write_index
from demo_core.engine import Engine, Shelf
from demo_core.ui import create_app, launch
from scripts.serving import free_port
from tests.ui.pages import CHECKPOINTS, MODELS, Watched, chips, held, link, titles, wait_for_request

HOSTILE = "<img src=x onerror=alert(1)>"


def test_an_empty_history_asks_for_a_film_and_offers_ready_ones(watched: Watched, address: str) -> None:
    page = watched.open(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Type a film you like, or take a random person.")
    ready = page.locator(".ready a")
    expect(ready).to_have_count(3)
    ready.nth(1).click()
    expect(page.locator(".chip.next")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
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


def test_an_unknown_film_in_a_link_is_marked_and_can_be_removed(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, [films[0], 99_999_999, films[1]]))
    expect(page.locator(".chip.unknown")).to_contain_text("Not in this catalogue")
    expect(page.locator(".problem:visible")).to_contain_text("got 99999999")
    page.locator(".chip.unknown .remove").click()
    expect(page.locator(".problem:visible")).to_have_count(0)
    assert len(titles(page, "card")) == 10


def test_a_threshold_that_is_refused_can_be_put_right(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films, "&threshold=99999"))
    expect(page.get_by_role("heading", level=1)).to_have_text("This link cannot be read.")
    expect(page.locator(".problem:visible")).to_contain_text("Expected a threshold from 0 to 1, got 99999.")
    page.get_by_role("button", name="Use the model's own settings").click()
    expect(page.get_by_role("slider")).to_be_visible()
    assert "threshold" not in page.url
    assert chips(page).count() == len(films)


def test_words_wider_than_their_chip_break_between_syllables(watched: Watched, address: str, engine: Engine) -> None:
    ids = [engine.search(title).suggestions[0].item.id for title in ("undiscovered country", "wild strawberries")]
    page = watched.open(link(address, [*ids, *[id for id in range(1, 20) if id not in ids][:8]]))
    expect(chips(page).nth(0)).to_have_text("Star Trek VI: The Undis\u00adco\u00adve\u00adred Country")
    expect(chips(page).nth(1)).to_have_text("Wild Straw\u00adber\u00adries")
    expect(page.get_by_role("button", name="2: Wild Strawberries")).to_be_visible()
    for name in chips(page).all():
        assert name.evaluate("(name) => name.scrollWidth <= name.clientWidth + 1")


def test_both_routes_show_the_prediction_error_reduction(
    watched: Watched, address: str, engine: Engine, films: list[int]
) -> None:
    for threshold, outcome in (("0.5", "turning"), ("1", "stable")):
        route = engine.explain(films, threshold=float(threshold))
        assert route.outcome == outcome
        page = watched.open(link(address, films, f"&threshold={threshold}"))
        shown = [text.replace("−", "-") for text in page.locator(".weight .per").all_inner_texts()]
        known = [station.per for station in route.stations[:-1]]
        assert [float(text.removeprefix("PER ")) for text in shown[:-1]] == [round(per or 0, 2) for per in known]
        assert shown[-1] == ""
        expect(page.locator(".gauge-title")).to_contain_text(f"{route.entropy:.3f} nats")


def test_more_films_than_the_window_are_folded_and_duplicates_are_named(
    watched: Watched, address: str, engine: Engine
) -> None:
    page = watched.open(link(address, [*range(1, engine.window + 3), 2 + engine.window]))
    expect(page.locator(".older summary")).to_have_text("3 earlier films")
    assert chips(page).count() == engine.window
    expect(page.locator(".chip").last).to_contain_text("2nd time")
    page.get_by_text("3 earlier films", exact=True).click()
    with held(page) as waiting:
        page.locator(".older .remove").first.dblclick()
        wait_for_request(page, waiting)
    expect(page.locator(".older summary")).to_have_text("2 earlier films")
    expect(page.locator(".older .remove").first).to_be_focused()


def test_html_that_is_typed_or_pasted_stays_text(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("combobox", name="Search").fill(HOSTILE)
    expect(page.locator(".search-note, .suggestions").locator("visible=true").first).to_be_visible()
    page.get_by_role("button", name="Paste or upload").click()
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
    app = create_app(Shelf(tmp_path, "movielens"))
    try:
        page = watched.open(link(launch(app, host="127.0.0.1", port=free_port(), block=False), [1, 2, 3], "&next=4"))
        assert HOSTILE in titles(page, "card")[0]
        page.get_by_role("combobox", name="Search").type("img")
        expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("<img")
        assert page.locator(".explore img").count() == 0
    finally:
        app.close()


def test_a_missing_model_says_so_in_its_place_and_the_others_work(watched: Watched, tmp_path: Path) -> None:
    shutil.copytree(CHECKPOINTS / "movielens", tmp_path / "movielens")
    (tmp_path / "movielens" / "card" / "model.safetensors").write_bytes(b"broken")
    app = create_app(Shelf(tmp_path, "movielens"))
    try:
        page = watched.open(link(launch(app, host="127.0.0.1", port=free_port(), block=False), [1, 2, 3]))
        expect(page.locator('.list[data-model="card"] .problem')).to_contain_text("CARD could not be loaded")
        assert len(titles(page, "tdm")) == len(titles(page, "globaldiff")) == 10
    finally:
        app.close()


def test_a_model_that_is_to_be_trained_is_offered_with_its_command_and_shown_once_it_is_there(
    watched: Watched, tmp_path: Path
) -> None:
    shutil.copytree(CHECKPOINTS / "movielens", tmp_path / "movielens")
    folder, aside = tmp_path / "movielens" / "sasrec", tmp_path / "aside"
    folder.rename(aside)
    write_index(tmp_path, [Entry("movielens", "sasrec")])
    app = create_app(Shelf(tmp_path, "movielens"))
    try:
        page = watched.open(link(launch(app, host="127.0.0.1", port=free_port(), block=False), [1, 2, 3]))
        choice = page.locator(".list select").first
        expect(choice.locator('option[value="sasrec"]')).to_have_text("SASRec (to be trained)")
        choice.select_option("sasrec")
        told = page.locator('.list[data-model="sasrec"] .problem')
        expect(told).to_contain_text("python -m scripts.train sasrec --dataset movielens")
        assert len(titles(page, "card")) == 10
        aside.rename(folder)
        page.locator('.list[data-model="sasrec"] select').select_option("tdm")
        page.locator('.list[data-model="tdm"] select').select_option("sasrec")
        expect(page.locator('.list[data-model="sasrec"] .row')).to_have_count(10)
        expect(told).to_be_hidden()
        for choice in page.locator(".list select").all():
            expect(choice.locator('option[value="sasrec"]')).to_have_text("SASRec")
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
