"""Several data sets in one folder of bundles."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from demo_core import checkpoint
from demo_core.engine import Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.shelf import MOST_OTHERS
from demo_core.own_data import About


@pytest.fixture
def checkpoints(film_checkpoints: Path, tmp_path: Path) -> Path:
    """MovieLens, and the same films as somebody's own data."""
    shutil.copytree(film_checkpoints / "movielens", tmp_path / "movielens")
    add(tmp_path, "own-evenings")
    return tmp_path


def add(checkpoints: Path, name: str) -> None:
    bundle = checkpoint.load(checkpoints / "movielens" / "popularity")
    checkpoint.save(replace(bundle, dataset=name), checkpoints / name / "popularity")
    About(name, f"About {name}", "film", 120, 16, 700, 5, None, None, ()).write(checkpoints / name)


def test_data_sets_are_offered_with_their_titles_the_first_one_first(checkpoints: Path) -> None:
    (checkpoints / "own-unfinished").mkdir()
    found = Shelf(checkpoints).datasets()
    assert [(one.name, one.title, one.own) for one in found] == [
        ("movielens", "MovieLens", False),
        ("own-evenings", "About own-evenings", True),
    ]


def test_the_first_is_offered_even_when_nothing_of_it_is_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "zhihu")
    assert [one.name for one in shelf.datasets()] == ["zhihu"]
    assert "No model of Zhihu" in str(shelf.engine().problem)


def test_a_data_set_that_comes_while_the_app_runs_is_found(checkpoints: Path) -> None:
    shelf = Shelf(checkpoints)
    add(checkpoints, "own-later")
    assert shelf.engine("own-later").title == "About own-later"
    assert shelf.engine("own-later").search("alien").suggestions[0].item.title == "Alien"


def test_an_engine_is_kept_until_its_data_set_is_forgotten_or_others_need_the_room(checkpoints: Path) -> None:
    shelf = Shelf(checkpoints)
    first = shelf.engine("own-evenings")
    assert shelf.engine("own-evenings") is first
    shelf.forget("own-evenings")
    second = shelf.engine("own-evenings")
    assert second is not first
    for number in range(MOST_OTHERS):
        add(checkpoints, f"own-{number}")
        shelf.engine(f"own-{number}")
    assert shelf.engine("own-evenings") is not second
    assert shelf.engine() is shelf.engine("movielens")


@pytest.mark.parametrize("strange", ["nowhere", "..", "", 3, "own-evenings/popularity"])
def test_an_unknown_data_set_is_refused_by_naming_the_known(checkpoints: Path, strange: object) -> None:
    with pytest.raises(InputError, match="Expected one of the data sets movielens, own-evenings, got"):
        Shelf(checkpoints).engine(strange)
