"""The Family tree in a real browser: the tree on a screen, the list on a phone, what is chosen and told."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, expect

from demo_core.families import SYSTEMS, branch
from demo_core.models import MODELS
from tests.ui.pages import DESKTOP, PHONE, Watched

SIZES = (DESKTOP, {"width": 760, "height": 900}, PHONE)
TREE, LIST = "#family .node", "#family .branches details"


def opened(watched: Watched, address: str, rest: str = "", dark: bool = False) -> Page:
    return watched.open(f"{address}?view=family&dataset=zhihu{rest}", dark=dark, ready=TREE)


def node(page: Page, name: str) -> Locator:
    return page.locator(f'#family .node[data-system="{name}"]')


def card(page: Page) -> Locator:
    return page.locator("#family .card")


def test_the_tab_opens_the_tree_with_all_systems_and_begins_with_card(watched: Watched, address: str) -> None:
    page = watched.open(address, ready="#explore")
    page.get_by_role("tab", name="Family tree").click()
    # The first answer reads all that was measured.
    expect(page.locator(TREE)).to_have_count(len(MODELS), timeout=30_000)
    expect(card(page).get_by_role("heading")).to_have_text("CARD")
    expect(page).to_have_url(re.compile(r"\?view=family$"))  # only what was chosen stands there
    expect(page.locator("#family h1")).to_contain_text("21 systems, 9 answers")
    for one in {branch(name).idea for name in SYSTEMS}:
        words = (page.locator("#family .tree").text_content() or "").replace(" ", "").lower()
        assert one.replace(" ", "") in words


def test_a_click_shows_the_card_and_is_written_into_the_address(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    node(page, "steam").click()
    steam = SYSTEMS["steam"]
    for text in (steam.does, steam.know, "Lin et al., WWW 2023", "Builds on BERT4Rec"):
        expect(card(page)).to_contain_text(text)
    assert "system=steam" in page.url
    expect(node(page, "steam")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#family [data-part=live]")).to_contain_text(f"STEAM. {steam.does}")
    paper = card(page).get_by_role("link", name="arXiv 2303.02297")
    assert paper.get_attribute("href") == "https://arxiv.org/abs/2303.02297"
    assert paper.get_attribute("rel") == "noopener noreferrer"


def test_a_link_opens_a_system_with_its_measured_figure(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&system=card")
    expect(card(page)).to_contain_text("Passed its health check (Zhihu)")
    expect(card(page)).to_contain_text(re.compile(r"default HR@20 \d\.\d\d\s% ± \.\d\d, n \d+, prefix-full"))
    expect(page.locator("#family .provenance")).to_contain_text("prefix-full: every prefix of a held-out session")
    again = opened(watched, address, "&system=<b>nobody</b>")
    expect(card(again).get_by_role("heading")).to_have_text("CARD")


def test_arrow_keys_go_from_system_to_system(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&system=card")
    node(page, "card").focus()
    page.keyboard.press("ArrowDown")
    expect(node(page, "tdm")).to_be_focused()
    expect(card(page).get_by_role("heading")).to_have_text("TDM")
    page.keyboard.press("ArrowRight")
    expect(node(page, "globaldiff")).to_be_focused()
    assert "system=globaldiff" in page.url
    page.keyboard.press("ArrowLeft")
    expect(node(page, "tdm")).to_be_focused()
    assert page.locator('#family .node[tabindex="0"]').count() == 1, "one stop for the tab key"
    seen = set()
    for key in ("ArrowLeft", "ArrowDown") * 12:
        page.keyboard.press(key)
        seen.add(page.evaluate("document.activeElement.dataset.system"))
    assert {"gru4rec"} <= seen or {"popularity"} <= seen, "it gets to the far corner"


def test_the_pointer_shows_a_card_for_as_long_as_it_rests(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&system=card")
    node(page, "pdrec").hover()
    expect(card(page).get_by_role("heading")).to_have_text("PDRec")
    page.locator("#family h1").hover()
    expect(card(page).get_by_role("heading")).to_have_text("CARD")
    assert "system=card" in page.url


def test_kin_are_buttons_that_lead_on(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&system=card")
    card(page).get_by_role("button", name="TDM").press("Enter")
    expect(node(page, "tdm")).to_be_focused()
    card(page).get_by_role("button", name="DreamRec").click()
    expect(card(page)).to_contain_text("Then came TDM")


def test_another_data_set_brings_its_figures(watched: Watched, address: str) -> None:
    page = opened(watched, address, "&system=globaldiff")
    page.get_by_role("button", name="Amazon Beauty").click()
    expect(card(page)).to_contain_text("(Amazon Beauty)")
    expect(card(page)).to_contain_text("leave-one-out-full")
    assert "dataset=beauty" in page.url
    expect(page.get_by_role("button", name="Amazon Beauty")).to_have_attribute("aria-pressed", "true")


def test_lists_and_benchmarks_open_with_the_system(watched: Watched, address: str, films: list[int]) -> None:
    ids = ",".join(map(str, films))
    page = watched.open(f"{address}?items={ids}&view=family&system=sasrec&dataset=movielens", ready=TREE)
    card(page).get_by_role("link", name="Show in the lists").click()
    expect(page.locator('.list[data-model="sasrec"] .row').first).to_be_attached(timeout=30_000)
    assert f"items={ids}" in page.url
    page = opened(watched, address, "&system=tdm")
    card(page).get_by_role("link", name="Show in the benchmarks").click()
    expect(page.locator("#benchmarks-page .models summary")).to_contain_text("3 of", timeout=30_000)
    expect(page.locator("button[data-name=zhihu]").first).to_have_attribute("aria-pressed", "true")


def test_the_table_and_its_file_hold_every_system(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    page.locator("#family .as-table summary").click()
    expect(page.locator("#family tbody tr")).to_have_count(len(MODELS))
    with page.expect_download() as download:
        page.get_by_role("group", name="Download the tree").get_by_role("button", name="CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert [row[0] for row in rows[1 : len(MODELS) + 1]] == [MODELS[name].title for name in SYSTEMS]


def test_the_tree_is_taken_away_as_a_drawing_and_as_a_chart(watched: Watched, address: str) -> None:
    page = opened(watched, address)
    texts = {}
    for kind in ("SVG", "Vega-Lite", "PDF"):
        with page.expect_download() as download:
            page.get_by_role("group", name="Download the tree").get_by_role("button", name=kind).click()
        texts[kind] = Path(download.value.path()).read_bytes()
    assert b"GlobalDiff" in texts["SVG"] and b"21 systems" in texts["SVG"]
    assert texts["PDF"].startswith(b"%PDF")
    chart = json.loads(texts["Vega-Lite"])
    assert {one["title"] for one in chart["layer"][1]["data"]["values"]} >= {"CARD", "GlobalDiff", "SASRec"}


def test_on_a_phone_branches_are_a_list_that_opens(watched: Watched, address: str) -> None:
    page = watched.open(f"{address}?view=family&dataset=zhihu&system=globaldiff", PHONE, ready=LIST)
    expect(page.locator(LIST)).to_have_count(len(MODELS))
    expect(page.locator("#family .branches details[open]")).to_have_count(1)
    expect(page.locator("#family .branches details[open]")).to_contain_text(SYSTEMS["globaldiff"].does)
    page.locator('#family .branches [data-system="dreamrec"] summary').click()
    expect(page.locator("#family .branches details[open]")).to_have_count(1)
    expect(page.locator("#family .branches details[open]")).to_contain_text("Yang et al., NeurIPS 2023")
    assert "system=dreamrec" in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert min(page.locator("#family .branches summary").evaluate_all("all => all.map((e) => e.offsetHeight)")) >= 44


def test_names_and_lines_stay_apart(watched: Watched, address: str) -> None:
    """No name runs into another one, and none out of the tree."""
    page = opened(watched, address)
    boxes = page.locator("#family .node text").evaluate_all(
        "all => all.map((e) => [e.textContent, e.getBoundingClientRect()])"
        ".map(([name, b]) => [name, b.left, b.top, b.right, b.bottom])"
    )
    edge = page.evaluate("document.querySelector('#family .tree').getBoundingClientRect().right")
    assert max(box[3] for box in boxes) <= edge
    crowded = [
        (a[0], b[0])
        for at, a in enumerate(boxes)
        for b in boxes[:at]
        if a[1] < b[3] and b[1] < a[3] and a[2] + 4 < b[4] and b[2] + 4 < a[4]
    ]
    assert crowded == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_at_any_width(watched: Watched, address: str, dark: bool) -> None:
    page = opened(watched, address, "&system=card", dark)
    for size in SIZES:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        expect(page.locator(TREE if size == DESKTOP else LIST).first).to_be_visible()  # drawn for this width
        page.wait_for_timeout(300)  # what slides has no settled colours
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), size
        found = Axe().run(page, context={"include": [["#family"]]})
        assert [one["id"] for one in found.response["violations"]] == [], size
