"""What the Your data page asks the workshop: everything from the browser is checked, nothing raises."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.utils import get_upload_folder

from demo_core.engine import Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.workshop import Workshop
from demo_core.ui import OwnData, create_app
from demo_core.ui.own import check, facts, file_of, progress, remove, start, stop


@pytest.fixture
def own(tmp_path: Path) -> OwnData:
    return OwnData(Workshop(tmp_path, (sys.executable, "-c", "pass"), lambda name: None))


def sent(path: str) -> dict[str, Any]:
    return {"path": path}


def test_a_file_that_was_sent_to_the_page_is_taken(own: OwnData) -> None:
    path = Path(get_upload_folder()).resolve() / "0" / "table.csv"
    assert file_of(own, sent(str(path))) == path


@pytest.mark.parametrize("path", ["/etc/passwd", "table.csv", "../x", f"{get_upload_folder()}/../secret.csv"])
def test_any_other_file_is_refused_unless_the_visitor_sits_at_the_machine(own: OwnData, path: str) -> None:
    with pytest.raises(InputError, match="sent to this page"):
        file_of(own, sent(path))
    assert file_of(OwnData(own.workshop, paths=True), sent(path)).is_absolute()


def test_a_path_that_cannot_be_is_refused_in_words(own: OwnData) -> None:
    with pytest.raises(InputError, match="Expected a file, got the path ~nosuchuser/x"):
        file_of(OwnData(own.workshop, paths=True), sent("~nosuchuser/x"))


@pytest.mark.parametrize("strange", [None, 3, "table.csv", {}, {"path": None}, {"path": ""}, {"path": "a\0b"}])
def test_what_names_no_file_is_refused(own: OwnData, strange: object) -> None:
    with pytest.raises(InputError, match="choose one first"):
        check(own, {"file": strange})
    with pytest.raises(InputError, match="choose one first"):
        start(own, {"file": strange})


@pytest.mark.parametrize("strange", [{"models": 3}, {"models": [[]]}, {"effort": []}, {"fewest": "5"}, {"title": 3}])
def test_strange_wishes_are_refused_in_words(own: OwnData, strange: dict[str, object]) -> None:
    path = str(Path(get_upload_folder()) / "table.csv")
    with pytest.raises(InputError, match="Expected"):
        start(own, {"file": sent(path), "title": "Mine", **strange})
    assert progress(own, None)["progress"]["state"] == "idle"


def test_nothing_happens_when_there_is_nothing_to_stop_or_to_remove(own: OwnData) -> None:
    assert stop(own, None)["own"] == []
    with pytest.raises(InputError, match="Expected the data set"):
        remove(own, {"name": "x"})


def test_the_page_says_who_can_see_and_end_what_is_brought(own: OwnData) -> None:
    assert "Whoever opens the page can look at the models, stop" in facts(own)["reason"]


def test_without_a_workshop_there_is_no_such_view(film_checkpoints: Path) -> None:
    def views(own_data: OwnData | None) -> list[str]:
        app = create_app(Shelf(film_checkpoints), own_data)
        return [str(block.label) for block in app.blocks.values() if isinstance(block, gr.Tab)]

    assert "Your data" not in views(None)
    assert views(OwnData(Workshop(film_checkpoints, (), lambda name: None)))[-1] == "Your data"
