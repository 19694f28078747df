"""Pages of a real browser for tests, and what is read off them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Route, expect

from scripts.browser import is_outside

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
STAGE = {"width": 1920, "height": 1080}  # the screen of a talk
READY = ".list.shown .row, .explore .problem:visible"
SLOWER = 3  # times as long as on two idle cores may whatever depends on the machine take, when tests run on it
MODELS = ("tdm", "card", "globaldiff")
ANSWERS, STREAMS = "**/component_server/**", "**/gradio_api/call/**"


class Watched:
    """Pages that note requests to other hosts, console errors, uncaught errors and dialogs; ``check`` fails on any."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.pages, self.trouble = browser, list[Page](), list[str]()

    def open(
        self,
        url: str,
        size: dict[str, int] = DESKTOP,
        dark: bool = False,
        quiet: bool = False,
        ready: str = READY,
    ) -> Page:
        page = self.browser.new_page(viewport=size, color_scheme="dark" if dark else "light")  # type: ignore[arg-type]
        page.on("request", lambda request: self._request(request.url))
        page.on("dialog", lambda dialog: self._note(f"dialog: {dialog.message}"))
        page.on("pageerror", lambda error: self._note(f"uncaught: {error}"))
        if not quiet:
            page.on("console", lambda message: self._console(message.type, message.text))
        self.pages.append(page)
        page.goto(url)
        expect(page.locator(ready).first).to_be_visible(timeout=30_000)
        return page

    def check(self) -> None:
        for page in self.pages:
            page.close()
        assert self.trouble == []

    def _note(self, text: str) -> None:
        self.trouble.append(text)

    def _request(self, url: str) -> None:
        if is_outside(url):
            self._note(f"request to another host: {url}")

    def _console(self, kind: str, text: str) -> None:
        if kind == "error":
            self._note(f"console: {text}")


def link(address: str, ids: list[int], rest: str = "") -> str:
    return f"{address}?items={','.join(map(str, ids))}{rest}"


def chips(page: Page) -> Locator:
    return page.locator(".chip:not(.next) .name")


def choose(page: Page, typed: str, film: str) -> None:
    """Types, and takes the first suggestion once it is ``film``: before, those for fewer letters may stand there."""
    before = chips(page).count()
    page.get_by_role("combobox", name="Search").type(typed)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_contain_text(film)
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_count(before + 1)


def titles(page: Page, model: str) -> list[str]:
    return page.locator(f'.list[data-model="{model}"] .row b').all_inner_texts()


@contextmanager
def held(page: Page, what: str = ANSWERS, saying: str = "") -> Iterator[list[Route]]:
    """Requests to ``what`` whose body has ``saying`` wait until the end, as on a slow machine; gives those held."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        if saying in (route.request.post_data or ""):
            waiting.append(route)
        else:
            route.continue_()

    page.route(what, hold)
    yield waiting
    for route in waiting:
        route.continue_()
    page.unroute(what)


def wait_for_request(page: Page, waiting: list[Route], number: int = 1) -> Route:
    """The first request that was held, once there are as many as ``number``; fails after 10 s without them."""
    for _ in range(200):
        if len(waiting) >= number:
            return waiting[0]
        page.wait_for_timeout(50)
    raise AssertionError(f"Expected {number} requests to the server within 10 s, got {len(waiting)}.")
