"""Figures and views that are taken away, in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from demo_core.engine import Engine
from demo_core.engine.denoising_answers import DenoisingFrame
from demo_core.engine.titles import label
from tests.ui.pages import MODELS, Watched, link

NAMES = ("TDM", "CARD", "GlobalDiff")

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


def test_a_saved_view_keeps_what_was_ticked_and_chosen(
    watched: Watched, browser: Browser, address: str, tmp_path: Path
) -> None:
    page = watched.open(f"{address}?view=run&run=card,popularity&runmetric=ndcg@20", ready=".run .chart circle")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    download.value.save_as(tmp_path / "turnpoint.html")
    offline = browser.new_page()
    offline.goto((tmp_path / "turnpoint.html").as_uri())
    for name, ticked in (("CARD", True), ("Popularity", True), ("TDM", False)):
        expect(offline.get_by_role("checkbox", name=name, exact=True)).to_be_checked(checked=ticked)
    expect(offline.get_by_label("Metric")).to_have_value("ndcg@20")
    offline.close()


def rows_of(download: Download) -> list[list[str]]:
    text = Path(download.path()).read_text(encoding="utf-8")
    return [row for row in csv.reader(text.splitlines()) if not row[0].startswith("# ")]


def test_the_tables_of_line_and_path_hold_what_is_drawn(
    watched: Watched, address: str, films: list[int], engine: Engine
) -> None:
    many = [*range(1, 31), *films]  # with half of them lost, what is read begins before the newest that have a column
    page = watched.open(link(address, many, "&view=missing&lost=50&draw=2"), ready=".lab .left .squares")
    heads, *rows = rows_of(taken(page, "Download the line", "CSV"))
    assert heads[:4] == ["line", "number", "title", "cosine to the one before"]
    told = engine.lab(many, "lost", 0.5, draw=2)
    left = [item for item in told.items if not item.lost][-engine.window :]
    assert left[0].position is not None and left[0].position <= len(many) - 16
    assert [row[0] for row in rows] == ["whole"] * engine.window + ["read now"] * engine.window
    assert [row[2] for row in rows[engine.window :]] == [label(item.item) for item in left]
    expect(page.locator(".lab .lines text.number")).to_have_count(engine.window)
    walk = watched.open(link(address, films, "&view=denoise&steps=3"), ready=".denoise .settled b")
    expect(walk.get_by_role("button", name="Play")).to_be_visible()
    _, *steps = rows_of(taken(walk, "Download the path", "CSV"))
    frames = [one for one in engine.denoise(films, steps=3) if isinstance(one, DenoisingFrame)]
    assert [(row[0], int(row[1])) for row in steps] == [(title, step) for title in NAMES for step in range(4)]
    for row, frame in zip(steps, sorted(frames, key=lambda one: (MODELS.index(one.model), one.step)), strict=True):
        assert [float(row[2]), float(row[3])] == pytest.approx(frame.place, abs=1e-6)
