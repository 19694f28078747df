"""Bringing one's own data in a real browser: a table is checked, models are trained on it, and the page shows them."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import APIResponse, Page, Route, expect

from demo_core.engine import Shelf
from demo_core.engine.workshop import Workshop
from demo_core.ui import OwnData, create_app, launch
from scripts.serving import free_port
from tests.ui.pages import ANSWERS, CHECKPOINTS, PHONE, Watched, held, wait_for_request
from tests.walks import walks

HOME = Path(__file__).parents[2]
READY = '#own [data-part="verdict"]'
TITLE = "Night & <b>Day</b>"
UPLOADS = "**/gradio_api/upload**"
READING = 60_000  # a table is read by a process of its own, which has to start first


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MovieLens as committed, in a folder that may be written to."""
    folder = tmp_path_factory.mktemp("bundles")
    shutil.copytree(CHECKPOINTS / "movielens", folder / "movielens")
    return folder


@pytest.fixture(scope="module")
def address(checkpoints: Path) -> Iterator[str]:
    shelf = Shelf(checkpoints, "movielens", torch.device("cpu"))
    command = (sys.executable, "-m", "scripts.own_data", "--threads=1")
    workshop = Workshop(checkpoints, command, shelf.forget, HOME)
    app = create_app(shelf, OwnData(workshop, paths=True))
    yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    workshop.stop()
    app.close()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Books by day; their titles hold what must stay text."""
    return walks(
        tmp_path / "reading list.csv",
        *(120, 40, 9),
        title=lambda item: f"Book <i>{item}</i>",
        time=lambda step: f"2026-01-{step + 1:02}",
        mark=";",
    )


def opened(watched: Watched, address: str, **settings: object) -> Page:
    page = watched.open(f"{address}?view=own", ready=READY, **settings)  # type: ignore[arg-type]
    expect(page.locator("#own .boxes label")).to_have_count(6)
    return page


def only(page: Page, *models: str) -> None:
    for box in page.locator("#own .boxes input").all():
        box.set_checked(box.get_attribute("value") in models)


def test_a_table_becomes_models_that_every_view_can_show_and_is_removed_again(
    watched: Watched, address: str, table: Path, checkpoints: Path
) -> None:
    page = opened(watched, address)
    expect(page.get_by_role("button", name="Train")).to_be_disabled()
    page.set_input_files('#own [data-part="file"]', table)
    found = page.locator('#own [data-part="found"]')
    expect(found).to_contain_text(
        "1,080 rows, 2026-01-01 to 2026-01-09. 120 of 120 people and 40 of 40 items", timeout=READING
    )
    expect(found).to_contain_text("Columns: user, item, time, title.")
    expect(found).to_contain_text("The first: Book <i>0</i>")
    expect(page.get_by_label("Name")).to_have_value("reading list")
    page.get_by_label("Name").fill(TITLE)
    page.get_by_label("One item is a").fill("book")
    only(page, "popularity", "sasrec", "card")
    page.get_by_role("button", name="Train").click()
    expect(page.locator(READY)).to_have_text(f"{TITLE} is being prepared.", timeout=READING)
    expect(page.locator('tr[data-model="sasrec"] polyline')).to_be_visible(timeout=90_000)
    expect(page.locator('#top [data-part="data"] option')).to_have_text(["MovieLens", f"{TITLE} (own)"])
    expect(page.locator(READY)).to_contain_text(f"{TITLE} is ready.", timeout=120_000)
    expect(page.locator('tr[data-model="card"] td').last).to_contain_text("% ±")
    expect(page.locator('#own [data-part="protocol"]')).to_contain_text("leave-one-out-full")
    page.get_by_role("link", name=f"Open {TITLE}").click()
    expect(page.locator(".list.shown .row").first).to_be_visible(timeout=30_000)
    expect(page.locator(".explore .verdict")).to_have_text("Type a book you like, or take a random person.")
    assert page.locator(".list").evaluate_all("all => all.map((one) => one.dataset.model)") == [
        "card",
        "sasrec",
        "popularity",
    ]
    page.locator('[data-part="ready"] a, [data-part="real"]').last.click()
    expect(page.locator(".chip:not(.next) .name").first).to_contain_text("Book <i>")
    expect(page.locator('.explore [data-part="provenance"]')).to_contain_text(f"{TITLE}, leave-one-out-full")
    assert "data=own-night-b-day-b" in page.url
    page.get_by_role("tab", name="Benchmarks").click()
    expect(page.locator("#benchmarks-page .verdict")).to_contain_text("CARD (quick) 100.00 %", timeout=30_000)
    expect(page.locator("#benchmarks-page")).to_contain_text("night b day b (own data)")
    page.get_by_role("tab", name="Run your own").click()
    page.get_by_role("button", name="Start").click()
    expect(page.locator('#run [data-part="verdict"]')).to_contain_text("120 of 120 people", timeout=60_000)
    page.get_by_role("tab", name="Denoise").click()
    expect(page.locator('#denoise [data-part="stage"] text').first).to_be_visible(timeout=30_000)
    page.locator('#top [data-part="data"]').select_option("movielens")
    expect(page).not_to_have_url(re.compile("data=|items="))  # the page is loaded anew
    expect(page.locator('#denoise [data-part="verdict"]')).to_be_visible()
    page.get_by_role("tab", name="Your data").click()
    page.get_by_role("button", name="Remove").click()
    assert (checkpoints / "own-night-b-day-b" / "card").is_dir(), "it is asked twice"
    page.get_by_role("button", name="Remove it for ever?").click()
    expect(page.locator('#own [data-part="shelf"]')).to_be_hidden()
    assert not (checkpoints / "own-night-b-day-b").exists()
    gone = watched.open(f"{address}?data=own-night-b-day-b&items=1,2")
    expect(gone.locator('[data-part="gone"]')).to_have_text(
        "There is no data set “own-night-b-day-b” here any more. This is MovieLens."
    )
    assert "items=" not in gone.url


def test_a_training_is_stopped_from_another_visit_and_what_is_wrong_is_said(
    watched: Watched, address: str, table: Path, checkpoints: Path
) -> None:
    page = opened(watched, address)
    page.get_by_label("or a path on this machine").fill(str(table))
    page.get_by_role("button", name="Read it").click()
    expect(page.locator('#own [data-part="found"]')).to_contain_text("1,080 rows", timeout=READING)
    page.get_by_label("Fewest per person and item").fill("10")
    page.get_by_label("Fewest per person and item").press("Tab")
    expect(page.locator('#own [data-part="problem"]')).to_contain_text(
        "got 0 of 120 people and 0 of 40 items", timeout=READING
    )
    expect(page.get_by_role("button", name="Train")).to_be_disabled()
    page.get_by_label("Fewest per person and item").fill("5")
    page.get_by_label("Fewest per person and item").press("Tab")
    expect(page.locator('#own [data-part="problem"]')).to_be_hidden(timeout=READING)
    page.get_by_label("Name").fill("夜")
    page.get_by_role("button", name="Train").click()
    expect(page.locator('#own [data-part="problem"]')).to_contain_text("with Latin letters or digits, got '夜'")
    page.get_by_label("Name").fill("Stopped")
    only(page, "card")
    page.get_by_label("Training").select_option("default")
    page.get_by_role("button", name="Train").click()
    other = opened(watched, address, size=PHONE)
    expect(other.locator('tr[data-model="card"] polyline')).to_be_visible(timeout=90_000)
    assert other.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than a phone"
    other.get_by_role("button", name="Stop").click()
    expect(page.locator('tr[data-model="card"]')).to_contain_text("broken off after", timeout=30_000)
    assert not (checkpoints / "own-stopped").exists()


def test_of_two_files_the_one_chosen_last_is_read_though_the_other_arrives_later(
    watched: Watched, address: str, table: Path, tmp_path: Path
) -> None:
    page = opened(watched, address)
    slow = walks(tmp_path / "slow.csv")
    with held(page, UPLOADS, saying=slow.name) as waiting:
        page.set_input_files('#own [data-part="file"]', slow)
        sent = wait_for_request(page, waiting).request
        page.set_input_files('#own [data-part="file"]', table)
        expect(page.locator('#own [data-part="found"]')).to_contain_text("1,080 rows", timeout=READING)
    assert sent.response() is not None
    page.wait_for_timeout(300)
    expect(page.locator('#own [data-part="file-words"]')).to_have_text(table.name)


def test_a_start_while_another_file_is_on_its_way_trains_that_one(
    watched: Watched, address: str, table: Path, tmp_path: Path
) -> None:
    page = opened(watched, address)
    page.set_input_files('#own [data-part="file"]', walks(tmp_path / "first.csv"))
    expect(page.locator('#own [data-part="found"] p').first).to_be_visible(timeout=READING)
    only(page, "popularity")
    with held(page, UPLOADS) as waiting:
        page.set_input_files('#own [data-part="file"]', table)
        wait_for_request(page, waiting)
        page.get_by_label("Name").fill("Second")
        page.get_by_role("button", name="Train").click()
        expect(page.locator('#own [data-part="file-words"]')).to_have_text(f"{table.name} is being read …")
    expect(page.locator(READY)).to_contain_text("Second is ready.", timeout=120_000)
    expect(page.locator('#own [data-part="shelf-list"]')).to_contain_text("1,080 interactions")


def test_a_file_chosen_while_a_start_is_answered_stays_for_the_next(
    watched: Watched, address: str, table: Path, tmp_path: Path
) -> None:
    page = opened(watched, address)
    page.set_input_files('#own [data-part="file"]', table)
    expect(page.locator('#own [data-part="found"] p').first).to_be_visible(timeout=READING)
    only(page, "popularity")
    page.get_by_label("Name").fill("First")
    words = page.locator('#own [data-part="file-words"]')
    with held(page, saying='"fn_name":"start"') as waiting:
        page.get_by_role("button", name="Train").click()
        wait_for_request(page, waiting)
        page.set_input_files('#own [data-part="file"]', walks(tmp_path / "next.csv"))
        expect(words).to_have_text("next.csv", timeout=READING)
    expect(page.locator(READY)).to_contain_text("First is ready.", timeout=120_000)
    expect(words).to_have_text("next.csv")


def test_a_training_stays_in_sight_when_an_older_answer_comes_later(
    watched: Watched, address: str, table: Path
) -> None:
    page, late = watched.open(f"{address}?view=own", ready=READY), list[tuple[Route, APIResponse]]()

    def keep_first(route: Route) -> None:
        if '"fn_name":"progress"' in (route.request.post_data or "") and not late:
            late.append((route, route.fetch()))
        else:
            route.fallback()

    page.route(ANSWERS, keep_first)
    page.reload()
    page.set_input_files('#own [data-part="file"]', table)
    expect(page.locator('#own [data-part="found"] p').first).to_be_visible(timeout=READING)
    only(page, "popularity")
    page.get_by_label("Name").fill("In sight")
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=READING)
    [(route, response)] = late
    route.fulfill(response=response)
    expect(page.locator(READY)).to_contain_text("In sight is ready.", timeout=120_000)


@pytest.mark.parametrize(
    "content, message",
    [
        ("a,b\n1,2\n", "found a, b: no user and no item and no time"),
        ("user,item,time\n1,2,yesterday\n", "1 of 1 rows have a time that cannot be read; the first is row 1"),
        ("user,item,time\n1,2,3\n", "Expected at least 50 people and 30 items"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(
    watched: Watched, address: str, tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "wrong.csv").write_text(content)
    page = opened(watched, address)
    page.set_input_files('#own [data-part="file"]', tmp_path / "wrong.csv")
    expect(page.locator('#own [data-part="problem"]')).to_contain_text(message, timeout=READING)
    expect(page.locator('#own [data-part="found"]')).to_be_hidden()
