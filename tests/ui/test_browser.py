"""The Explore page in a real browser: what a visitor does with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from demo_core.engine import Engine
from demo_core.engine.answers import ModelReason
from tests.ui.pages import MODELS, PHONE, Watched, chips, choose, link, titles


def test_a_history_is_built_by_typing_and_gives_lists_and_weights(
    watched: Watched, address: str, tmp_path: Path
) -> None:
    page = watched.open(address)
    for typed, film in {
        "toy story": "Toy Story 1995",
        "the matrix": "The Matrix 1999",
        "alien": "Alien 1979",
        "blade runner": "Blade Runner 1982",
        "spirited away": "Spirited Away",
    }.items():
        choose(page, typed, film)
    names = chips(page).all_inner_texts()
    assert names[1:4] == ["The Matrix", "Alien", "Blade Runner"]
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
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
    expect(page.locator(".row-title").first).to_contain_text("Not used on this route")
    assert "threshold=1.000" in page.url
    page.keyboard.press("ArrowDown")
    expect(slider).to_have_attribute("aria-valuetext", ".999")
    expect(slider).to_be_focused()
    page.keyboard.press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", trained)
    expect(page.locator(".moved")).to_be_hidden()
    assert "threshold" not in page.url


def test_the_threshold_is_dragged_and_a_double_click_moves_it_back(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    slider, trained = page.get_by_role("slider"), page.get_by_role("slider").get_attribute("aria-valuetext")
    pill = slider.locator("rect").bounding_box()
    assert pill and trained
    page.mouse.move(pill["x"] + 30, pill["y"] + 14)
    page.mouse.down()
    page.mouse.move(pill["x"] + 30, pill["y"] + 54, steps=5)
    page.mouse.up()
    expect(page.locator(".moved")).to_be_visible()
    moved = slider.get_attribute("aria-valuenow")
    assert moved and float(moved) < float(trained)
    slider.locator("text").dblclick()
    expect(slider).to_have_attribute("aria-valuetext", trained)


def test_a_link_brings_the_state_back(watched: Watched, address: str, films: list[int], engine: Engine) -> None:
    truth = next(id for id in range(1, engine.num_items) if id not in films)
    page = watched.open(link(address, films, f"&next={truth}&threshold=.999&seed=4"))
    assert chips(page).count() == 6
    expect(page.locator(".chip.next")).to_contain_text("hidden from the models")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", ".999")
    expect(page.locator(".foot .star")).to_have_count(3)
    expect(page.locator(".provenance").last).to_contain_text("seed 4")


def test_a_misspelt_title_is_offered_as_a_question(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("combobox", name="Search").type("matrxi")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("Did you mean “The Matrix”?")
    page.keyboard.press("Escape")
    expect(page.locator(".suggestions")).to_be_hidden()


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
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
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
    expect(page.get_by_role("combobox", name="Search")).to_be_hidden()
    page.get_by_role("tab", name="Explore").click()
    expect(page.get_by_role("combobox", name="Search")).to_be_visible()


def test_a_film_is_switched_off_by_its_switch_by_space_and_by_its_digit(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    stations, struck = page.locator(".number[fill]"), page.locator(".chip.off")
    expect(stations).to_have_count(6)
    page.locator(".chip .toggle").nth(1).click()
    expect(stations).to_have_text(["1", "3", "4", "5", "6"])
    expect(page.locator(".live")).to_contain_text(" off.")
    assert "off=2" in page.url
    chips(page).nth(4).focus()
    page.keyboard.press("Space")
    expect(stations).to_have_text(["1", "3", "4", "6"])
    expect(chips(page).nth(4)).to_be_focused()
    page.keyboard.press("2")
    expect(struck).to_have_count(1)
    page.get_by_role("combobox", name="Search").press("5")
    expect(struck).to_have_count(1)
    expect(page.locator(".chip .toggle").nth(4)).to_have_attribute("aria-checked", "false")
    assert chips(page).count() == 6 and "off=5" in page.url


def test_what_a_link_switches_off_is_off(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films, "&off=1,4"))
    expect(page.locator(".chip.off")).to_have_count(2)
    expect(page.locator(".number[fill]")).to_have_text(["2", "3", "5", "6"])
    expect(page.locator(".cell .squares")).to_have_count(4)


def test_every_change_can_be_undone_and_done_again(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films))
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    before = chips(page).all_inner_texts()
    page.locator(".chip .remove").nth(0).click()
    expect(chips(page)).to_have_count(5)
    page.locator(".chip .toggle").nth(0).click()
    expect(page.locator(".chip.off")).to_have_count(1)
    page.locator(".chip .name").first.focus()
    page.keyboard.press("Control+z")
    expect(page.locator(".chip.off")).to_have_count(0)
    undo.click()
    expect(chips(page)).to_have_text(before)
    expect(undo).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect(chips(page)).to_have_text(before[1:])
    redo.click()
    expect(page.locator(".chip.off")).to_have_count(1)
    expect(redo).to_be_disabled()
    page.get_by_role("button", name="Clear").click()
    expect(chips(page)).to_have_count(0)
    undo.click()
    expect(chips(page)).to_have_count(5)


def test_a_film_is_replaced_in_its_place(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films))
    before = chips(page).all_inner_texts()
    chips(page).nth(2).focus()
    page.keyboard.press("Enter")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("placeholder", f"In place of {before[2]}: type a film")
    page.keyboard.press("Escape")
    expect(box).not_to_have_attribute("placeholder", f"In place of {before[2]}: type a film")
    chips(page).nth(2).dblclick()
    box.type("the matrix")
    # Before, the suggestions for fewer letters may stand there.
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text("The Matrix 1999")
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_text([*before[:2], "The Matrix", *before[3:]])


def test_squares_say_what_stays_in_the_list_without_each_film(
    watched: Watched, address: str, films: list[int], engine: Engine
) -> None:
    truth = next(id for id in range(1, engine.num_items) if id not in films)
    effects = engine.drop_one(films, truth=truth)
    page = watched.open(link(address, films, f"&next={truth}"))
    cells = page.locator(".cell")
    expect(cells).to_have_count(6)
    for at, effect in enumerate(effects.items):
        expect(cells.nth(at).locator("i.full")).to_have_count(sum(effect.kept))
        stays = f"{sum(effect.kept)} of 10 stay"
        expect(cells.nth(at).get_by_role("img")).to_have_attribute("aria-label", re.compile(stays))
        expect(cells.nth(at).locator(".ranks b")).to_have_text(f"{effect.truth_rank:,}")


def test_a_row_says_why_it_stands_there(watched: Watched, address: str, films: list[int], engine: Engine) -> None:
    page = watched.open(link(address, films))
    row = page.locator('.list[data-model="card"] .row').nth(1)
    item = int(row.get_attribute("data-item") or 0)
    row.focus()
    page.keyboard.press("Enter")
    why, told = page.locator(".why"), engine.why(item, films)
    expect(why.get_by_role("heading")).to_contain_text("Why ")
    expect(why.locator("li")).to_have_count(3)
    reason = next(one for one in told.reasons if one.model == "globaldiff")
    assert reason.personal and reason.global_
    expect(why.locator("li").nth(2)).to_contain_text("personal")
    expect(why.locator("li").nth(1)).to_contain_text(f"2nd · nearest in the history: {main(told.reasons[1])}")
    page.get_by_role("button", name="Close why").click()
    expect(why).to_be_hidden()
    expect(page.locator(f'.list.shown .row[data-item="{item}"]')).to_be_focused()


def main(reason: ModelReason) -> str:
    """The nearest title as the page writes it."""
    return re.sub(r"(\s*\([^()]*\))+$", "", reason.nearest[0].item.title)


def test_any_model_can_be_swapped_in_and_the_link_keeps_it(watched: Watched, address: str, films: list[int]) -> None:
    page = watched.open(link(address, films))
    page.locator(".list select").first.select_option("sasrec")
    expect(page.locator(".list h2 > span")).to_have_text(["SASRec", "CARD", "GlobalDiff"])
    assert "lists=sasrec,card,globaldiff" in page.url
    again = watched.open(page.url)
    expect(again.locator(".list h2 > span")).to_have_text(["SASRec", "CARD", "GlobalDiff"])
    assert again.locator('.list select >> nth=0 >> option[value="card"]').get_attribute("disabled") is not None
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".list h2 > span")).to_have_text(["TDM", "CARD", "GlobalDiff"])


@pytest.mark.parametrize(
    "table",
    [
        ',title\n0,The Matrix\n1,"Monsters, Inc."\n2,Alien\n',
        'userId,title,year\n1,The Matrix,1999\n1,"Monsters, Inc.",2001\n1,Alien,1979\n',
        'The Matrix\r\n"Monsters, Inc."\r\nAlien\r\n',
        "when;title\n1;The Matrix\n2;Monsters, Inc.\n3;Alien\n",
    ],
    ids=["empty first head", "named column", "one column", "semicolons"],
)
def test_a_small_table_of_one_history_is_uploaded(watched: Watched, address: str, table: str, tmp_path: Path) -> None:
    page = watched.open(address)
    path = tmp_path / "history.csv"
    path.write_text(table)
    page.get_by_role("button", name="Paste or upload").click()
    page.locator(".upload input").set_input_files(path)
    expect(chips(page)).to_have_text(["The Matrix", "Monsters, Inc.", "Alien"])


def test_a_table_with_a_strange_title_says_which(watched: Watched, address: str, tmp_path: Path) -> None:
    page = watched.open(address)
    path = tmp_path / "history.csv"
    path.write_text("title\nThe Matrix\nzzqqxx\n")
    page.get_by_role("button", name="Paste or upload").click()
    page.locator(".upload input").set_input_files(path)
    expect(chips(page)).to_have_text(["The Matrix"])
    expect(page.locator(".problems li")).to_contain_text("zzqqxx")
