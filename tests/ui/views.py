"""``python -m tests.ui.views FOLDER``: every view as a picture, on a screen and on a phone, light and dark.

The README's pictures are among them. It starts the app over the committed bundles and drives Chromium, so it needs
what the tests need.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, expect

from demo_core.engine import Shelf
from demo_core.engine.workshop import Workshop
from demo_core.ui import OwnData, create_app, launch
from demo_core.ui.header import facts
from scripts.browser import chromium
from scripts.serving import free_port
from tests.ui.pages import CHECKPOINTS, DESKTOP, PHONE

VIEWS = {
    "explore": (".list.shown .row", ""),
    "denoise": (".denoise .settled b", ""),
    "missing": (".lab .legend li:nth-child(3)", ""),
    "benchmarks": ("#benchmarks-page .drawing svg", "&dataset=zhihu"),
    "family": (".family .node, .family details[open]", "&dataset=zhihu"),
    "run": (".run .kept li", "&run=card,tdm,globaldiff,popularity"),
    "own": ("#own .boxes input", ""),
}
SETTLED = 2500  # milliseconds until curves have come and what slides has arrived


def pictures(browser: Browser, address: str, history: str, folder: Path) -> Iterator[Path]:
    """Each view as a whole page."""
    for device, size in (("screen", DESKTOP), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            for view, (ready, rest) in VIEWS.items():
                page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
                page.goto(f"{address}?{history}&view={view}{rest}")
                there = page.locator(ready).first
                expect(there).to_be_attached(timeout=90_000)
                page.wait_for_timeout(SETTLED)
                path = folder / f"{view}-{device}-{scheme}.png"
                page.screenshot(path=path, full_page=True)
                page.close()
                yield path


def main() -> None:
    """Makes the pictures and says where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    shelf = Shelf(CHECKPOINTS, "movielens")
    example = facts(shelf.first)["example"]
    history = f"items={','.join(map(str, example['items']))}&next={example['next']}"
    with tempfile.TemporaryDirectory() as empty, chromium() as browser:
        own = OwnData(Workshop(Path(empty), (), shelf.forget), paths=True)
        app = create_app(shelf, own)
        address = launch(app, host="127.0.0.1", port=free_port(), block=False)
        for path in pictures(browser, address, history, folder):
            sys.stdout.write(f"{path}\n")
        app.close()


if __name__ == "__main__":
    main()
