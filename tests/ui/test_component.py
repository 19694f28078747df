"""How every component of the page is made, and which data set answers it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo_core.engine import Engine, Shelf
from demo_core.own_data import About
from demo_core.ui.components.explore import SCRIPTS, explore_page


def echo(engine: Engine, asked: Any) -> dict[str, Any]:
    return {"title": engine.title, "asked": asked}


@pytest.fixture
def page(film_checkpoints: Path, tmp_path: Path) -> Any:
    shutil.copytree(film_checkpoints / "movielens" / "popularity", tmp_path / "own-films" / "popularity")
    About("own-films", "My films", "film", 60, 16, 500, 5, None, None, ()).write(tmp_path / "own-films")
    return explore_page(Shelf(tmp_path), lambda engine: {"title": engine.title}, {"look": echo})


def test_the_component_carries_every_script_once(page: Any) -> None:
    assert len(SCRIPTS) == len(set(SCRIPTS))
    assert page.js_on_load.count("function refresh(") == 1
    assert "innerHTML" not in page.js_on_load, "titles come from outside and are set as text"


def test_a_question_is_answered_by_the_data_set_it_names(page: Any) -> None:
    assert page.value == {"title": "MovieLens", "first": "movielens", "changing": False}
    assert page.look({"dataset": None, "question": 3}) == {"title": "MovieLens", "asked": 3}
    assert page.look({"dataset": "own-films", "question": [4]}) == {"title": "My films", "asked": [4]}
    assert page.look("anything") == {"title": "MovieLens", "asked": None}
    assert page.facts_of("own-films") == {"title": "My films"}


@pytest.mark.parametrize("strange", ["nowhere", "../movielens", 3, ["own-films"]])
def test_a_data_set_that_is_not_there_has_no_facts_and_no_answers(page: Any, strange: object) -> None:
    assert page.facts_of(strange) is None
    with pytest.raises(gr.Error, match="Expected one of the data sets movielens, own-films"):
        page.look({"dataset": strange, "question": 1})
