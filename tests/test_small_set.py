"""Training a small set of models on somebody's own data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demo_core import checkpoint, own_data
from demo_core.datasets import Dataset, leave_one_out, toy_world
from demo_core.own_data import Effort
from demo_core.prepared import Sequences
from demo_core.small_set import Began, Learned, News, Planned, Trained, own_dataset, recipe, train_small_set


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(own_data.EFFORTS, "quick", Effort("Quick", 256, 2))


@pytest.fixture(scope="module")
def world() -> Dataset:
    return replace(toy_world(24, 80, 6), name="own-circle")


def test_every_model_is_told_of_and_saved_under_its_name(world: Dataset, tmp_path: Path) -> None:
    told: list[News] = []
    train_small_set(world, tmp_path, ("globaldiff", "sasrec", "popularity"), "quick", 3, told.append)
    assert told[0] == Planned({"popularity": 0, "sasrec": 2, "globaldiff": 2}), "the backbone is there already"
    assert [news.model for news in told if isinstance(news, Began)] == ["popularity", "sasrec", "globaldiff"]
    assert [(n.model, n.epoch.phase, n.epoch.number, n.epoch.of) for n in told if isinstance(n, Learned)] == [
        ("sasrec", "train", 1, 2),
        ("sasrec", "train", 2, 2),
        ("globaldiff", "diffusion", 1, 2),
        ("globaldiff", "diffusion", 2, 2),
    ]
    for news in (news for news in told if isinstance(news, Trained)):
        bundle = checkpoint.load(tmp_path / news.model)
        assert (bundle.dataset, bundle.preset, bundle.training["seed"]) == ("own-circle", "quick", 3)
        run = next(run for run in bundle.runs if run.split == "test")
        assert (run.metrics, run.rows, run.protocol) == (news.metrics, news.rows, news.protocol)
    hosted, own = (checkpoint.load(tmp_path / name).model for name in ("globaldiff", "sasrec"))
    inside = hosted.get_submodule("backbone").state_dict()
    assert all(abs(inside[name] - weight).max() < 2e-3 for name, weight in own.state_dict().items()), "half precision"


def test_globaldiff_without_sasrec_trains_its_own_backbone(world: Dataset, tmp_path: Path) -> None:
    told: list[News] = []
    train_small_set(world, tmp_path, ["globaldiff"], "quick", 0, told.append)
    assert told[0] == Planned({"globaldiff": 4})
    assert [n.epoch.phase for n in told if isinstance(n, Learned)] == ["backbone"] * 2 + ["diffusion"] * 2


def test_the_settings_are_those_of_the_public_data_set_with_histories_as_long(world: Dataset) -> None:
    long = [[step % 24 + 1 for step in range(60)]] * 5
    train, validation, test = leave_one_out(long)
    lengthy = replace(world, train=train, validation=validation, test=test)
    assert recipe("card", world, "default").dropout == 0.3, "as on Amazon Beauty"  # type: ignore[attr-defined]
    assert recipe("card", lengthy, "default").dropout == 0.2, "as on MovieLens"  # type: ignore[attr-defined]
    assert recipe("card", lengthy, "default").max_epochs == 40
    assert recipe("globaldiff", lengthy, "quick").backbone_epochs == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("models, effort", [(["dreams"], "quick"), ([], "quick"), (["card"], "great")])
def test_what_cannot_be_trained_is_refused_by_naming_what_can(
    world: Dataset, tmp_path: Path, models: list[str], effort: str
) -> None:
    with pytest.raises(ValueError, match="Expected models out of popularity, item_knn"):
        train_small_set(world, tmp_path, models, effort, 0, lambda news: None)


def test_the_last_item_is_tested_and_the_one_before_it_validated() -> None:
    walks = tuple(tuple((p + step) % 30 + 1 for step in range(6)) for p in range(60))
    names = tuple(f"Book {id}" for id in range(30))
    dataset = own_dataset("own-x", "X", "book", Sequences(walks, ("all",) * 60, names, (None,) * 30, ((),) * 30))
    assert (dataset.title, dataset.catalogue.noun, dataset.protocol.name) == ("X", "book", "leave-one-out-full")
    assert dataset.test.target[:2].tolist() == [6, 7]
    assert dataset.validation.target[:2].tolist() == [5, 6]
    assert sum(dataset.catalogue.counts) == 60 * 4
