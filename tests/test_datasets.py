import dataclasses
from pathlib import Path

import pytest
import torch

from demo_core.datasets import (
    DATASETS,
    PROTOCOLS,
    Dataset,
    assemble,
    data_folder,
    leave_one_out,
    load,
    swapped_test,
    toy_world,
)
from demo_core.prepared import DataError, Sequences, write_prepared

REAL = [name for name, known in DATASETS.items() if known.statistics]
SPLIT = Sequences(
    items=((1, 2), (3,), (2, 4, 4)),
    splits=("train", "validation", "test"),
    titles=("Item 1", "Item 2", "Item 3", "Item 4"),
    years=(None,) * 4,
    genres=((),) * 4,
)


def test_leave_one_out_trains_on_every_prefix_but_the_last_two_items() -> None:
    train, validation, test = leave_one_out([[1, 2, 3, 4], [5, 6]])
    assert train.history(torch.arange(len(train)), 3).tolist() == [[0, 0, 0], [0, 0, 1]]
    assert train.target.tolist() == [1, 2]
    assert validation.history(torch.arange(2), 3).tolist() == [[0, 1, 2], [0, 0, 0]]
    assert validation.target.tolist() == [3, 5]
    assert test.history(torch.arange(2), 3).tolist() == [[1, 2, 3], [0, 0, 5]]
    assert test.target.tolist() == [4, 6]


def test_leave_one_out_refuses_sequences_too_short_to_hold_out_two() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        leave_one_out([[1, 2, 3], [4]])


def test_a_split_source_gives_every_prefix_of_each_split() -> None:
    dataset = assemble("zhihu", SPLIT)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (2, 1, 3)
    assert dataset.test.history(torch.arange(3), 2).tolist() == [[0, 0], [0, 2], [2, 4]]
    assert dataset.protocol == PROTOCOLS["prefix-full"]


def test_counts_are_training_targets_only() -> None:
    assert assemble("zhihu", SPLIT).catalogue.counts == (1, 1, 0, 0)
    whole = dataclasses.replace(SPLIT, items=((1, 2, 3, 4), (1, 4, 2), (3, 1, 2)), splits=("all",) * 3)
    assert assemble("movielens", whole).catalogue.counts == (2, 1, 1, 0)


def test_the_noun_and_title_are_those_of_the_data_set() -> None:
    whole = dataclasses.replace(SPLIT, splits=("all",) * 3, items=((1, 2, 3),) * 3)
    dataset = assemble("movielens", whole)
    assert (dataset.name, dataset.title, dataset.catalogue.noun) == ("movielens", "MovieLens", "film")


def test_the_hash_tells_data_apart() -> None:
    worlds = [
        toy_world(),
        toy_world(seed=1),
        toy_world(num_items=13),
        toy_world(num_sequences=199),
        toy_world(length=7),
    ]
    assert len({world.hash for world in worlds}) == 5
    assert toy_world().hash == toy_world().hash


def test_the_hash_covers_each_split() -> None:
    world = toy_world()
    other = toy_world(seed=1)
    assert dataclasses.replace(world, train=other.train).hash != world.hash
    assert dataclasses.replace(world, validation=other.validation).hash != world.hash
    assert dataclasses.replace(world, test=other.test).hash != world.hash


def test_in_the_toy_world_item_i_is_followed_by_the_next(toy: Dataset) -> None:
    items = toy.catalogue.num_items
    for rows in (toy.train, toy.validation, toy.test):
        newest = rows.history(torch.arange(len(rows)), 1)[:, 0]
        follows = newest > 0
        assert rows.target[follows].equal(newest[follows] % items + 1)


def test_the_toy_world_has_all_items_lengths_and_starts(toy: Dataset) -> None:
    lengths = {len(sequence) for sequence in toy.test.sequences()}
    assert lengths == set(range(3, 9))
    assert len(toy.test) == len(toy.validation) == 200
    assert min(toy.catalogue.counts) > 0
    assert {sequence[0] for sequence in toy.test.sequences()} == set(range(1, 13))
    assert toy.protocol == PROTOCOLS["leave-one-out-full"]
    assert toy.catalogue.titles[:2] == ("Item 1", "Item 2")


def test_a_target_of_the_toy_world_is_never_in_its_history() -> None:
    world = toy_world(num_items=8, length=8)
    row, item = world.test.seen(torch.arange(len(world.test)))
    assert not (world.test.target[row] == item).any()


@pytest.mark.parametrize("length", [2, 13])
def test_a_toy_world_that_breaks_its_rule_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"got {length}"):
        toy_world(length=length)


def test_toy_is_loaded_without_files(tmp_path: Path) -> None:
    assert load("toy", tmp_path).hash == toy_world().hash


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"movielens, zhihu.*got 'kuairec'"):
        load("kuairec")


def test_missing_data_are_answered_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="prepare_data zhihu --from FOLDER"):
        load("zhihu", tmp_path)


def test_other_content_than_the_known_one_is_refused(tmp_path: Path) -> None:
    write_prepared(SPLIT, tmp_path / "zhihu")
    with pytest.raises(DataError, match="zhihu: expected sequences 11714, got 3"):
        load("zhihu", tmp_path)


def test_the_data_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TURNPOINT_DATA", str(tmp_path))
    assert data_folder() == tmp_path


@pytest.mark.parametrize(
    ("platform", "variable", "below"),
    [("linux", "XDG_CACHE_HOME", "turnpoint"), ("win32", "LOCALAPPDATA", "turnpoint")],
)
def test_the_data_folder_is_in_the_platforms_cache(
    platform: str, variable: str, below: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TURNPOINT_DATA", raising=False)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert data_folder() == tmp_path / below


def test_only_leave_one_out_style_protocols_exclude_the_history() -> None:
    excluded = {name: protocol.exclude_history for name, protocol in PROTOCOLS.items()}
    assert excluded == {"prefix-full": False, "leave-one-out-full": True, "long-term": True}


@pytest.mark.parametrize("name", REAL)
def test_real_data_have_the_published_figures(name: str) -> None:
    if not (data_folder() / name / "sequences.parquet").is_file():
        pytest.skip(f"{name} is not prepared in {data_folder()}")
    dataset, statistics = load(name), DATASETS[name].statistics
    assert statistics is not None
    assert dataset.catalogue.num_items == statistics.items
    sizes = (len(dataset.train), len(dataset.validation), len(dataset.test))
    held_out = statistics.sequences
    assert sizes == (statistics.rows or (statistics.interactions - 2 * held_out, held_out, held_out))
    assert sum(dataset.catalogue.counts) == sizes[0]


def test_in_real_movielens_no_target_is_in_its_history() -> None:
    if not (data_folder() / "movielens" / "sequences.parquet").is_file():
        pytest.skip(f"movielens is not prepared in {data_folder()}")
    rows = load("movielens").test
    row, item = rows.seen(torch.arange(len(rows)))
    assert not (rows.target[row] == item).any()


def test_the_swapped_test_asks_for_the_item_before_the_last_and_shows_the_last() -> None:
    whole = dataclasses.replace(SPLIT, splits=("all",) * 3, items=((1, 2, 3, 4), (1, 4, 2), (3, 1, 2)))
    dataset = assemble("movielens", whole)
    rows = swapped_test(dataset)
    assert rows.target.tolist() == [3, 4, 1] == dataset.validation.target.tolist()
    assert rows.history(torch.arange(3), 3).tolist() == [[1, 2, 4], [0, 1, 2], [0, 3, 2]]
    assert dataset.test.target.tolist() == [4, 2, 2], "the data set stays as it was"


def test_only_a_leave_one_out_test_can_be_swapped() -> None:
    with pytest.raises(ValueError, match="leave-one-out"):
        swapped_test(assemble("zhihu", SPLIT))


def test_rows_are_found_by_the_name_of_their_split() -> None:
    dataset = toy_world()
    assert dataset.rows("validation") is dataset.validation
    with pytest.raises(ValueError, match="'dev'"):
        dataset.rows("dev")
