"""Figures and views that are taken away, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from tests.ui.pages import Watched, link

PLACES = {
    "explore": ("Download the line", ".list.shown .row"),
    "denoise": ("Download the list settling", ".denoise .settled b"),
    "missing": ("Download the curve", ".lab .legend li:nth-child(3)"),
}


def taken(page: Page, group: str, kind: str) -> Download:
    with page.expect_download() as download:
        page.get_by_role("group", name=group).get_by_role("button", name=kind).click()
    return download.value


@pytest.mark.parametrize("view", PLACES)
def test_a_figure_is_taken_away_in_five_forms_with_its_caption(
    watched: Watched, address: str, films: list[int], view: str, tmp_path: Path
) -> None:
    group, ready = PLACES[view]
    page = watched.open(link(address, films, f"&next=1128&view={view}"), ready=ready)
    for kind, ending, begins in (
        ("SVG", ".svg", b"<svg"),
        ("PNG", ".png", b"\x89PNG"),
        ("PDF", ".pdf", b"%PDF"),
        ("Vega-Lite", ".vl.json", b"{"),
        ("CSV", ".csv", b""),
    ):
        download = taken(page, group, kind)
        assert download.suggested_filename.endswith(ending)
        path = tmp_path / download.suggested_filename
        download.save_as(path)
        content = path.read_bytes()
        assert content.startswith(begins) and len(content) > 300, kind
        if kind in ("SVG", "Vega-Lite", "CSV"):
            text = content.decode()
            assert "commit" in text and "leave-one-out-full" in text, "the caption goes with it"
            assert "var(--" not in text and "NaN" not in text
        if kind == "CSV":
            assert len(text.splitlines()) > 5


def test_a_saved_view_opens_without_the_server(
    watched: Watched, browser: Browser, address: str, films: list[int], tmp_path: Path
) -> None:
    page = watched.open(link(address, films, "&next=1128"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    path = tmp_path / "turnpoint.html"
    download.value.save_as(path)
    asked: list[str] = []
    offline = browser.new_page(viewport={"width": 1280, "height": 900})
    offline.on("request", lambda request: asked.append(request.url))
    offline.goto(path.as_uri())
    expect(offline.get_by_role("heading", level=1)).to_have_text(re.compile("Turning|Stable"))
    expect(offline.locator(".list .row")).to_have_count(30)
    assert offline.locator(".list .row b").all_inner_texts() == page.locator(".list .row b").all_inner_texts()
    assert offline.locator("svg.line text").count() == page.locator("svg.line text").count()
    expect(offline.get_by_text("Saved on")).to_be_visible()
    assert asked == [path.as_uri()], "nothing is fetched"
    assert offline.locator("script").count() == 0
    offline.close()
