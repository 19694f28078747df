"""A slow machine in a real browser: what is done before an answer comes is neither lost nor misread."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Request, expect

from tests.ui.pages import PHONE, STAGE, STREAMS, Watched, chips, choose, held, link, wait_for_request

LATE = 1000  # milliseconds, more than a talk waits for what it fits into the screen
LEAVING = 300  # longer than the search takes to see that the focus has left it


def half_typed(watched: Watched, address: str) -> Page:
    """Suggestions for "ali" are there; among them, others come before the film that is meant."""
    page = watched.open(address)
    page.get_by_role("combobox", name="Search").type("ali")
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    return page


def answered(page: Page, asked: Request) -> None:
    """Waits until the page has drawn the answer, if it draws it."""
    answer = asked.response()
    assert answer is not None and answer.json()
    page.wait_for_timeout(300)  # longer than drawing an answer takes


def test_enter_takes_what_was_typed_and_not_what_fewer_letters_gave(watched: Watched, address: str) -> None:
    page = half_typed(watched, address)
    assert "Alien" not in page.get_by_role("listbox").get_by_role("option").first.inner_text()
    with held(page) as waiting:
        page.get_by_role("combobox", name="Search").type("en")
        wait_for_request(page, waiting)
        page.keyboard.press("Enter")
    expect(chips(page)).to_have_text(["Alien"])


def test_enter_takes_what_was_typed_also_for_who_has_left_the_box_since(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    with held(page, saying='"fn_name":"search"') as waiting:
        chips(page).nth(1).dblclick()
        page.keyboard.type("the matrix")
        page.keyboard.press("Enter")
        wait_for_request(page, waiting)
        chips(page).first.focus()
        page.wait_for_timeout(LEAVING)
    expect(chips(page).nth(1)).to_have_text("The Matrix")
    expect(chips(page).first).to_be_focused()
    expect(chips(page)).to_have_count(len(films))


def test_escape_leaves_the_suggestions_closed_when_the_answer_comes(watched: Watched, address: str) -> None:
    page = half_typed(watched, address)
    with held(page) as waiting:
        page.get_by_role("combobox", name="Search").type("en")
        asked = wait_for_request(page, waiting).request
        page.keyboard.press("Escape")
    answered(page, asked)
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_another_theme_while_the_first_chart_is_drawn_draws_it_in_that_theme(watched: Watched, address: str) -> None:
    page = watched.open(address, size=PHONE)
    with held(page, saying='"figure"') as waiting:
        page.get_by_role("tab", name="Benchmarks").click()
        wait_for_request(page, waiting)
        page.evaluate("document.body.classList.add('dark')")
    chart = page.locator("#benchmarks-page .drawing")
    expect(chart).to_have_attribute("data-look", "dark compact", timeout=30_000)
    expect(chart.locator("svg").first).to_be_visible()


@pytest.mark.parametrize("begun", ["family", "lists"])
def test_a_talk_fits_a_denoising_that_comes_late_into_the_screen(
    watched: Watched, address: str, films: list[int], begun: str
) -> None:
    page = watched.open(link(address, films, f"&next=1128&present=1&step={begun}"), size=STAGE, ready="#views")
    with held(page, STREAMS) as waiting:
        page.get_by_role("navigation", name="Steps of the presentation").get_by_role("link", name="Denoising").click()
        wait_for_request(page, waiting)
        page.wait_for_timeout(LATE)
    expect(page.locator(".denoise .bump text.title").first).to_be_visible(timeout=30_000)
    page.wait_for_function("""() => {
        const { top, bottom, height } = document.querySelector(".denoise .bump").getBoundingClientRect();
        return height > 0 && top >= 0 && bottom <= innerHeight + 1;
    }""")


def test_a_comparison_without_an_answer_says_so_and_can_be_asked_again(watched: Watched, address: str) -> None:
    page = watched.open(f"{address}?view=benchmarks", ready="#benchmarks-page .difference-text", quiet=True)
    text = page.locator("#benchmarks-page .difference-text")
    expect(text).to_contain_text("interval", timeout=30_000)
    with held(page, saying='"fn_name":"compare"') as waiting:
        page.locator("select[data-kind=second]").select_option(index=2)
        wait_for_request(page, waiting).abort()
        waiting.clear()
        expect(text).to_have_text("The server gave no answer. Choose again.")
    page.locator("select[data-kind=second]").select_option(index=3)
    expect(text).to_contain_text("interval", timeout=30_000)


def test_a_step_of_the_tour_is_shown_when_its_part_comes_late(watched: Watched, address: str) -> None:
    page = watched.open(address, size=PHONE)
    with held(page) as waiting:
        page.get_by_role("link", name="Tour", exact=True).click()
        page.get_by_role("complementary", name="Guided tour").get_by_role("link", name="Weights").click()
        wait_for_request(page, waiting)
        page.wait_for_timeout(LATE)
        expect(page.locator(".tp-pointed")).to_have_count(0)
    expect(page.locator('#explore [data-part="weights-title"].tp-pointed')).to_be_in_viewport()


def test_the_example_of_a_tour_is_walked_when_the_header_comes_later_than_the_view(
    watched: Watched, address: str
) -> None:
    page = watched.open(address)
    header = page.evaluate("window.gradio_config.components.find((one) => one.props.elem_id === 'top').id")
    with held(page, saying=f'"component_id":{header},') as waiting:
        page.goto(f"{address}?view=denoise&steps=2&data=zhihu&tour=denoising")
        wait_for_request(page, waiting)
        expect(page.locator(".denoise .verdict")).to_contain_text("settled at step", timeout=30_000)
        expect(page.locator(".stage text.number")).to_have_count(0)
    expect(page.locator(".stage text.number").first).to_be_visible(timeout=30_000)


def test_a_film_chosen_while_a_person_is_on_the_way_stays(watched: Watched, address: str) -> None:
    page = watched.open(address)
    with held(page, saying='"fn_name":"person"') as waiting:
        page.get_by_role("button", name="Random person").click()
        person = wait_for_request(page, waiting).request
        choose(page, "the matrix", "The Matrix 1999")
    answered(page, person)
    expect(chips(page)).to_have_text(["The Matrix"])


def test_a_film_chosen_while_a_pasted_list_is_read_stays(watched: Watched, address: str) -> None:
    page = watched.open(address)
    page.get_by_role("button", name="Paste or upload").click()
    page.get_by_label("Titles or numbers").fill("Alien\nAliens")
    with held(page, saying='"fn_name":"parse"') as waiting:
        page.get_by_role("button", name="Read", exact=True).click()
        reading = wait_for_request(page, waiting).request
        choose(page, "the matrix", "The Matrix 1999")
    answered(page, reading)
    expect(chips(page)).to_have_text(["The Matrix"])


def test_who_types_while_a_film_is_being_removed_goes_on_typing(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    box = page.get_by_role("combobox", name="Search")
    with held(page, saying='"fn_name":"look"') as waiting:
        chips(page).first.focus()
        page.keyboard.press("Delete")
        wait_for_request(page, waiting)
        box.type("al")
    expect(chips(page)).to_have_count(5)
    page.keyboard.type("ien")
    expect(box).to_have_value("alien")


def test_who_types_while_a_pasted_list_is_read_goes_on_typing(watched: Watched, address: str) -> None:
    page = watched.open(address)
    box = page.get_by_role("combobox", name="Search")
    page.get_by_role("button", name="Paste or upload").click()
    page.get_by_label("Titles or numbers").fill("Alien\nAliens")
    with held(page, saying='"fn_name":"parse"') as waiting:
        page.get_by_role("button", name="Read", exact=True).click()
        wait_for_request(page, waiting)
        box.type("the")
    expect(chips(page)).to_have_count(2)
    page.keyboard.type(" matrix")
    expect(box).to_have_value("the matrix")


def test_a_film_removed_while_another_answer_is_on_the_way_leaves_the_focus_to_the_next(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    with held(page, saying='"fn_name":"look"') as waiting:
        chips(page).nth(1).focus()
        page.keyboard.press("Space")
        wait_for_request(page, waiting)
        page.keyboard.press("Delete")
    expect(chips(page)).to_have_count(5)
    expect(chips(page).nth(1)).to_be_focused()


def test_a_digit_switches_the_film_that_is_shown_there_while_another_is_being_removed(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    third = chips(page).nth(2).inner_text()
    with held(page, saying='"fn_name":"look"') as waiting:
        page.locator(".chip .remove").first.click()
        wait_for_request(page, waiting)
        page.keyboard.press("3")
    expect(chips(page)).to_have_count(5)
    expect(page.locator(".chip.off .name")).to_have_text([third])


def test_a_film_dragged_while_another_is_being_removed_lands_before_the_film_it_was_let_go_at(
    watched: Watched, address: str, films: list[int]
) -> None:
    page = watched.open(link(address, films))
    before = chips(page).all_inner_texts()
    last, fourth = chips(page).nth(5).bounding_box(), chips(page).nth(3).bounding_box()
    assert last and fourth
    with held(page) as waiting:
        chips(page).first.focus()
        page.keyboard.press("Delete")
        wait_for_request(page, waiting)
        page.mouse.move(last["x"] + 10, last["y"] + 5)
        page.mouse.down()
        page.mouse.move(fourth["x"] + 10, fourth["y"] + 5, steps=6)
        page.mouse.up()
    expect(chips(page)).to_have_text([before[1], before[2], before[5], before[3], before[4]])
