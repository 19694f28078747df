"""How long a visitor waits for the page, measured in Chromium between the event and the frame that shows the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.browser import is_outside

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROBE = Path(__file__).with_name("probe.js")
SIZE = (1280, 900)
QUERY = "matrix"
FILMS, TOGGLED = 6, 3
UNDRAWN = ":is(.drawing, .curves):not([data-look])"
# Each with what stands there when the server has nothing more to do for it.
OTHER_VIEWS = {
    "Missing data": ".lab .legend li",
    "Benchmarks": f"#benchmarks-page .page:has(.difference-figure *):not(:has({UNDRAWN}))",
    "Family tree": ".family .node",
    "Run your own": ".run .verdict",
}
Times = tuple[float, ...]


@dataclass(frozen=True)
class Visit:
    """What one visitor waited for, in milliseconds.

    - ``row``: from the navigation to the first row of a list; ``answers``: until a key has moved the focus;
    - ``link``: from the navigation to the first row of a page that comes with a history;
    - ``search``, ``toggle``: from the last key, or the click, to new suggestions, or new lists;
    - ``first_frame``: from opening the Denoise view to the first picture with a step, ``frames``: from one picture with
      new steps to the next, as they stream in (or how long the only one took);
    - ``scrub``: from a key to another step; ``play``: the longest time without a new picture.
    """

    row: float
    answers: float
    link: float
    search: Times
    toggle: Times
    first_frame: float
    frames: Times
    scrub: Times
    play: float


def visit(browser: Browser, address: str, number: int, outside: list[str]) -> Visit:
    """One walk through the page; another ``number`` brings another history, so that no answer is remembered.

    What the browser asked of other hosts is added to ``outside``.
    """
    with _arrived(browser, address, outside) as page:
        row, answers = page.evaluate("probe.row"), _focus(page)
        search = _search(page)
    with _arrived(browser, _with_history(address, number), outside) as page:
        link, toggle = page.evaluate("probe.row"), _toggle(page)
        first_frame, frames = _stream(page)
        scrub, play = _scrub(page), _play(page)
    return Visit(row, answers, link, search, toggle, first_frame, frames, scrub, play)


def open_other_views(browser: Browser, address: str, outside: list[str]) -> None:
    """The views that have no budget, to the end: the server computes for seconds, so this comes after the visits."""
    with _arrived(browser, _with_history(address, 0), outside) as page:
        page.evaluate("probe.row")
        for name, drawn in OTHER_VIEWS.items():
            page.get_by_role("tab", name=name).click()
            page.locator(drawn).first.wait_for()


def _with_history(address: str, number: int) -> str:
    first = 1 + FILMS * number
    return f"{address}/?items={','.join(str(film) for film in range(first, first + FILMS))}"


@contextmanager
def _arrived(browser: Browser, address: str, outside: list[str]) -> Iterator[Page]:
    """A page that was just asked for, by somebody who has never been here."""
    with browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}) as context:
        context.add_init_script(path=PROBE)
        context.on("request", lambda request: outside.extend([request.url] if is_outside(request.url) else []))
        page = context.new_page()
        page.goto(address, wait_until="commit")
        yield page


def _focus(page: Page) -> float:
    page.keyboard.press("/")
    return float(page.evaluate("probe.focus"))


def _search(page: Page) -> Times:
    """The last letter of a word whose first letters have been answered."""
    page.keyboard.type(QUERY[:-1])
    page.locator(".suggestions li").first.wait_for()
    return (took(page, "keydown", ".suggestions", "li", lambda: page.keyboard.press(QUERY[-1])),)


def _toggle(page: Page) -> Times:
    switches = page.locator(".chip .toggle")
    return tuple(took(page, "click", ".lists", ".row *", switches.nth(at).click) for at in range(TOGGLED))


def _stream(page: Page) -> tuple[float, Times]:
    page.evaluate("probe.stream('click')")
    page.get_by_role("tab", name="Denoise").click()
    pictures: list[float] = sorted(set(page.evaluate("probe.took")))
    between = tuple(after - before for before, after in pairwise(pictures))
    return pictures[0], between or (pictures[0],)


def _scrub(page: Page) -> Times:
    slider = page.get_by_role("slider", name="Step shown")
    slider.press("Home")
    steps = int(slider.get_attribute("aria-valuemax") or 0)
    return tuple(
        took(page, "keydown", ".steps", ".squares", lambda: page.keyboard.press("ArrowRight")) for _ in range(steps)
    )


def _play(page: Page) -> float:
    page.get_by_role("button", name="2×").click()
    page.evaluate("probe.play()")
    page.get_by_role("button", name="Play").click()
    return float(max(page.evaluate("probe.took")))


def took(page: Page, event: str, where: str, what: str, act: Callable[[], object]) -> float:
    """From ``event``, caused by ``act``, until something new like ``what`` was painted under ``where``."""
    page.evaluate("([event, where, what]) => probe.expect(event, where, what)", [event, where, what])
    act()
    return float(page.evaluate("probe.took"))
