"""Models from the Hub in a real browser: one that waits, one that is named, and one that cannot be had."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect

from demo_core.bundle_index import Entry, Source, pin, weights_hash
from demo_core.engine import Serving, Shelf
from demo_core.hub import Hub, push_bundle
from demo_core.ui import create_app, launch
from scripts.serving import free_port
from tests.hub.process import HubProcess
from tests.hubs import server
from tests.ui.pages import PHONE, Watched, held, wait_for_request

__all__ = ["server"]
SHOWN = ".list .row"
STRANGE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def shelf(server: HubProcess, film_checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """CARD waits on the Hub, and visitors may name others."""
    checkpoints = Path(shutil.copytree(film_checkpoints, tmp_path_factory.mktemp("app") / "checkpoints"))
    hub = Hub(server.url, server.token, tmp_path_factory.mktemp("cache"), patience=3.0)
    folder = checkpoints / "movielens" / "card"
    sha256 = weights_hash(folder)
    source = Source("owner/card", push_bundle(folder, "owner/card", hub=hub).commit, sha256)
    push_bundle(checkpoints / "movielens" / "tdm", "owner/other-tdm", tag="v1", hub=hub)
    pin(checkpoints, Entry("movielens", "card", sha256, source=source))
    shutil.rmtree(folder)
    return Shelf(checkpoints, "movielens", torch.device("cpu"), Serving(hub=hub), open_to_bundles=True)


@pytest.fixture(scope="module")
def address(shelf: Shelf) -> Iterator[str]:
    app = create_app(shelf)
    yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    app.close()


def lines(page: Page) -> list[str]:
    return [" ".join(text.split()) for text in page.locator('#top [data-part="hub-list"] li').all_inner_texts()]


def test_a_model_comes_from_the_hub_when_its_list_is_wanted_and_the_page_says_from_where(
    watched: Watched, address: str
) -> None:
    page = watched.open(f"{address}?items=1,2,3,4&lists=tdm", ready=SHOWN)
    page.get_by_role("button", name="Hub", exact=True).click()
    expect(page.get_by_role("dialog", name="Models from the Hub")).to_be_visible()
    expect(page.locator('#top [data-part="hub-list"] li')).to_have_count(1)
    assert lines(page)[0].startswith("CARD owner/card@")
    page.get_by_role("button", name="Close").click()
    page = watched.open(f"{address}?items=1,2,3,4", ready='.list[data-model="card"] .row')
    expect(page.locator(".provenance").first).to_contain_text("from owner/card@")
    page.get_by_role("button", name="Hub", exact=True).click()
    expect(page.locator('#top [data-part="hub-list"] li[data-state="ready"]')).to_have_count(1)


def test_a_visitor_names_a_model_and_chooses_it_for_a_list(watched: Watched, address: str) -> None:
    page = watched.open(f"{address}?items=1,2,3,4", ready=SHOWN)
    page.get_by_role("button", name="Hub", exact=True).click()
    name = page.get_by_label("Repository, and a commit, tag or branch")
    name.fill("no name")
    name.press("Enter")
    expect(page.locator('#top [data-part="hub-note"]')).to_contain_text("Write OWNER/NAME or OWNER/NAME@REVISION.")
    name.fill("owner/other-tdm@v1")
    name.press("Enter")
    expect(page.locator('#top [data-part="hub-note"]')).to_contain_text("Load the page again", timeout=20_000)
    with held(page, saying='"add_bundle"') as waiting:
        name.fill("owner/nothing")
        name.press("Enter")
        wait_for_request(page, waiting)
        name.fill("owner/next")
    expect(page.locator('#top [data-part="hub-list"] li[data-state="failed"]')).to_contain_text(
        "there is no such repository", timeout=20_000
    )
    expect(name).to_have_value("owner/next")  # what is typed meanwhile stays
    page.get_by_role("button", name="Load again").click()
    expect(page.locator(SHOWN).first).to_be_visible()
    page.locator(".list-head select").first.select_option("tdm@owner/other-tdm")
    expect(page.locator(".list-head").first).to_contain_text("TDM (owner/other-tdm)")
    expect(page.locator('.list[data-model="tdm@owner/other-tdm"] .row').first).to_be_visible()


def test_the_dialog_fits_a_phone_and_a_text_of_a_repository_stays_text(
    watched: Watched, shelf: Shelf, address: str
) -> None:
    shelf.additions.add_all(STRANGE)
    page = watched.open(f"{address}?items=1,2,3", size=PHONE, ready=".list.shown .row")
    page.get_by_role("button", name="Hub", exact=True).click()
    expect(page.locator('#top [data-part="hub-list"]')).to_contain_text(STRANGE)
    box = page.get_by_role("dialog", name="Models from the Hub").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_where_nobody_may_name_models_and_there_are_none_there_is_no_button(
    watched: Watched, film_checkpoints: Path
) -> None:
    app = create_app(Shelf(film_checkpoints, "movielens", torch.device("cpu")))
    try:
        address = launch(app, host="127.0.0.1", port=free_port(), block=False)
        page = watched.open(f"{address}?items=1,2,3", ready=SHOWN)
        expect(page.get_by_role("button", name="Hub", exact=True)).to_have_count(0)
    finally:
        app.close()
