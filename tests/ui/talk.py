"""``python -m tests.ui.talk FOLDER``: the six steps of a talk as pictures, light and dark, and the denoising frame by
frame. It starts the app over the committed bundles and drives Chromium, so it needs what the tests need.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from demo_core.engine import Shelf
from demo_core.ui import create_app, launch
from scripts.browser import chromium
from scripts.serving import free_port
from tests.ui.pages import CHECKPOINTS

STEPS = {
    "history": ".explore .line text.number",
    "route": ".explore .gauge-title",
    "weights": ".explore .cell .squares",
    "lists": ".explore .list .row",
    "denoising": ".denoise .bump text.title",
    "family": ".family .tree .node",
}
SETTLED = 1200  # milliseconds until what comes late is fitted into the screen
FRAMES = 8


def stage(browser: Browser, address: str, step: str, dark: bool, rest: str = "") -> Page:
    """A screen of 1920 by 1080 that shows one step."""
    page = browser.new_page(
        viewport={"width": 1920, "height": 1080}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    page.goto(f"{address}?present=1&step={step}{rest}")
    expect(page.locator(STEPS[step]).first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(SETTLED)
    return page


def pictures(browser: Browser, address: str, folder: Path) -> Iterator[Path]:
    """Every step in both themes, then the denoising one step of it a picture."""
    for dark in (False, True):
        for number, step in enumerate(STEPS, start=1):
            page = stage(browser, address, step, dark)
            path = folder / f"{number}-{step}-{'dark' if dark else 'light'}.png"
            page.screenshot(path=path)
            page.close()
            yield path
    page = stage(browser, address, "denoising", True, f"&steps={FRAMES}")
    page.keyboard.press("k")  # from the end, playing begins anew; with reduced motion each press is one step
    for frame in range(1, FRAMES + 1):
        if frame > 1:
            page.keyboard.press("k")
        page.wait_for_timeout(100)
        path = folder / f"denoising-{frame:02d}.png"
        page.screenshot(path=path)
        yield path
    page.close()


def main() -> None:
    """Makes the pictures and says where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(Shelf(CHECKPOINTS, "movielens"))
    address = launch(app, host="127.0.0.1", port=free_port(), block=False)
    with chromium() as browser:
        for path in pictures(browser, address, folder):
            sys.stdout.write(f"{path}\n")
    app.close()


if __name__ == "__main__":
    main()
