"""Chromium, driven by Playwright: for the tests and for what is measured in a real browser.

Playwright is required by the tests only, so it is imported when it is used.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


class BrowserMissingError(RuntimeError):
    """Nothing to measure with; the message says what to install."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium, without a window. Raises :class:`BrowserMissingError`."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise BrowserMissingError("Playwright is missing: pip install -r tests/requirements.txt") from error
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        raise BrowserMissingError("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


def is_outside(url: str) -> bool:
    """Whether a request to ``url`` leaves this machine."""
    parts = urlsplit(url)
    return parts.scheme not in ("data", "blob") and parts.hostname not in ("127.0.0.1", "localhost")
