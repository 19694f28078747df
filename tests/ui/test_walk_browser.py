"""One visitor walks through everything the page can do, in one sitting and without loading it anew.

Each part has tests of its own beside this one; here they have to get along.
"""

from __future__ import annotations

import re
from pathlib import Path

from gradio_client import Client
from playwright.sync_api import Page, expect

from demo_core.engine import Engine
from tests.ui.pages import Watched, chips, choose, titles

PASTED = "Alien\nAliens\nThe Terminator\nThe Matrix\nForrest Gump\nToy Story"


def test_a_visitor_walks_through_the_whole_page(watched: Watched, address: str, engine: Engine, tmp_path: Path) -> None:
    page = watched.open(address)
    sequence_bar(page)
    route(page)
    weights(page)
    lists(page)
    denoising(page)
    missing_data(page)
    own_run(page)
    files(page, tmp_path)
    talk(page)
    api(page, address, engine)


def view(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


def sequence_bar(page: Page) -> None:
    """Typed, misspelt, pasted, moved, replaced, switched off, undone; a real person with the film that came next."""
    choose(page, "matrx", "Did you mean “The Matrix”?")
    page.get_by_role("button", name="Paste or upload").click()
    page.get_by_label("Titles or numbers").fill(PASTED)
    page.get_by_role("button", name="Read", exact=True).click()
    expect(chips(page)).to_have_count(6)
    chips(page).first.focus()
    page.keyboard.press("Alt+ArrowRight")
    expect(chips(page).nth(1)).to_have_text("Alien")
    page.keyboard.press("Space")
    expect(page.locator(".chip.off")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".chip.off")).to_have_count(0)
    page.get_by_role("button", name="Redo").click()
    expect(page.locator(".chip.off")).to_have_count(1)
    page.get_by_role("button", name="Real person").click()
    expect(page.locator(".chip.next")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(chips(page)).to_have_count(6)


def route(page: Page) -> None:
    """The handle moves the threshold, and with it the verdict."""
    handle = page.get_by_role("slider", name=re.compile("[Tt]hreshold"))
    handle.focus()
    page.keyboard.press("Home")
    expect(page.locator(".explore .verdict")).to_contain_text("Turning")
    page.keyboard.press("End")
    expect(page.locator(".explore .verdict")).to_contain_text("Stable")
    assert "threshold=" in page.url
    page.keyboard.press("Home")


def weights(page: Page) -> None:
    """What CARD weighs, and what really happens to the list without each film."""
    expect(page.locator('.explore [data-part="without"] .squares').first).to_be_visible()
    expect(page.locator('.explore [data-part="weights"] > *').first).to_be_visible()


def lists(page: Page) -> None:
    """Why a film stands there, and another model in the place of one."""
    page.locator('.list[data-model="card"] .row').first.click()
    expect(page.get_by_role("region", name="Why this one")).to_be_visible()
    page.locator('.list[data-model="tdm"] select').select_option("sasrec")
    expect(page.locator('.list[data-model="sasrec"] .row')).to_have_count(10)
    assert "lists=sasrec,card,globaldiff" in page.url


def denoising(page: Page) -> None:
    """The same history, step by step."""
    view(page, "Denoise")
    expect(page.locator(".denoise .settled b").first).to_be_visible(timeout=30_000)
    slider = page.get_by_role("slider", name="Step shown")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")


def missing_data(page: Page) -> None:
    """The history with films lost, and the curve over many draws."""
    view(page, "Missing data")
    expect(page.locator(".lab .left .squares").first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Draw again").click()
    expect(page.locator(".lab .legend li")).to_have_count(3)


def own_run(page: Page) -> None:
    """A small benchmark, which then stands beside what was measured."""
    view(page, "Run your own")
    expect(page.locator(".run .boxes input").first).to_be_visible()
    for box in page.locator(".run .boxes input").all():
        box.set_checked(box.get_attribute("value") in ("card", "popularity"))
    page.locator('.run [data-part="metric"]').select_option("hr@20")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".run .verdict")).to_have_text(re.compile(r"over (\d+) of \1 people"), timeout=60_000)
    view(page, "Benchmarks")
    expect(page.locator("#benchmarks-page")).to_contain_text("run here", timeout=30_000)


def files(page: Page, folder: Path) -> None:
    """The line in five forms, the view as one file, and the address that brings all of it back."""
    view(page, "Explore")
    group = page.get_by_role("group", name="Download the line")
    for kind in ("SVG", "PNG", "PDF", "Vega-Lite", "CSV"):
        with page.expect_download() as download:
            group.get_by_role("button", name=kind, exact=True).click()
        download.value.save_as(folder / kind)
        assert (folder / kind).stat().st_size > 500, kind
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    download.value.save_as(folder / "page.html")
    assert "The Terminator" in (folder / "page.html").read_text(encoding="utf-8")
    before, heading = titles(page, "card"), page.locator(".explore .verdict").inner_text()
    page.goto(page.url)
    expect(page.locator(".explore .verdict")).to_have_text(heading, timeout=30_000)
    assert titles(page, "card") == before


def talk(page: Page) -> None:
    """On stage and back."""
    page.get_by_role("link", name="Present").click()
    steps = page.get_by_role("navigation", name="Steps of the presentation")
    for title in ("Route", "Weights", "Lists", "Denoising"):
        page.keyboard.press("ArrowRight")
        expect(steps.locator("[aria-current=step]")).to_have_text(title)
    page.keyboard.press("Escape")
    expect(steps).to_be_hidden()


def api(page: Page, address: str, engine: Engine) -> None:
    """A program gets the list that the page shows."""
    view(page, "Explore")
    history = [engine.search(title).suggestions[0].item.id for title in PASTED.split("\n")]
    history[:2] = history[1::-1]
    told = Client(address, verbose=False).predict(history, off=[2], threshold=0.0, api_name="/compare")
    card = next(one for one in told["lists"] if one["model"] == "card")
    shown = titles(page, "card")
    assert [one["item"]["title"] for one in card["items"]][:3] == [title.split("\n")[0] for title in shown[:3]]
