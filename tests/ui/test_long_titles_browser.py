"""Titles of 80 characters, words without an end, and other scripts: nothing is cut off, on a screen or on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from demo_core import checkpoint
from demo_core.engine import Shelf
from demo_core.ui import create_app, launch
from scripts.serving import free_port
from tests.ui.pages import DESKTOP, PHONE, Watched, link

TITLES = (
    "Der Untergang des Hauses Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau",
    "千と千尋の神隠し、あるいは湯屋で働くことになった少女と名前をなくした龍の長い長い物語と、その後の人々の静かな暮らしについての記録、上下二巻、挿絵入り",
    "Анна Каренина, или История одной несчастливой семьи, рассказанная заново для всех",
    "مدينة الخوف والليل الطويل الذي لا ينتهي إلا عندما يعود البحر إلى المدينة القديمة",
    "Supercalifragilisticexpialidociousandevenlongerwithoutanyspaceatallinthiswholetitle!",
    "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb, the Long Cut",
)
READY = {"explore": ".list.shown .row", "denoise": ".denoise .settled b", "missing": ".lab .legend li:nth-child(3)"}
# Every piece of text that reaches out of the panel around it, unless something around it can be scrolled.
CUT = """() => {
  const cut = [], walker = document.createTreeWalker(document.querySelector("#views"), NodeFilter.SHOW_TEXT);
  const scrolls = (one) => one && one !== document.body
    && (/auto|scroll/.test(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
  while (walker.nextNode()) {
    const text = walker.currentNode, holder = text.parentElement, words = text.textContent.trim();
    if (!words || !holder.checkVisibility() || holder.closest(".live, .tp-live") || scrolls(holder)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const place = range.getBoundingClientRect();
    const panel = (holder.closest(".panel, .list") ?? document.body).getBoundingClientRect();
    if (place.width && (place.left < panel.left - 1 || place.right > Math.min(panel.right, innerWidth) + 1)) {
      cut.push(`${holder.tagName} ${holder.className.baseVal ?? holder.className}: ${words.slice(0, 60)}`);
    }
  }
  return cut;
}"""


@pytest.fixture(scope="module")
def address(film_checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The small models over films that are called so."""
    folder = tmp_path_factory.mktemp("long")
    shutil.copytree(film_checkpoints, folder, dirs_exist_ok=True)
    for name in ("card", "tdm", "globaldiff", "popularity"):
        bundle = checkpoint.load(folder / "movielens" / name)
        titles = tuple(f"{TITLES[id % len(TITLES)]} {id}" for id in range(bundle.catalogue.num_items))
        named = replace(bundle.catalogue, titles=titles)
        checkpoint.save(replace(bundle, catalogue=named), folder / "movielens" / name)
    app = create_app(Shelf(folder, "movielens", torch.device("cpu")))
    yield launch(app, host="127.0.0.1", port=free_port(), block=False)
    app.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["screen", "phone"])
@pytest.mark.parametrize("view", READY)
def test_no_title_is_cut_off(watched: Watched, address: str, view: str, size: dict[str, int]) -> None:
    page = watched.open(link(address, [1, 2, 3, 4, 5], f"&next=6&view={view}"), size=size, ready=READY[view])
    page.wait_for_timeout(600)  # what slides has arrived
    assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
