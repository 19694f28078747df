"""Deleting and inserting items: what stays, what changes, and how much."""

import pytest
import torch

from demo_core.perturbation import with_items_deleted, with_items_inserted
from demo_core.sequences import Rows

SEQUENCES = [[1, 2, 3, 4, 5], [6, 7], [8], [9, 10, 11, 12]]
ROWS = Rows.prefixes(SEQUENCES)
MANY = Rows.last_items([list(range(1, 52))] * 400)


def histories(rows: Rows) -> list[list[int]]:
    return [rows.items[a:b].tolist() for a, b in zip(rows.start.tolist(), rows.target_at.tolist(), strict=True)]


def is_subsequence(short: list[int], long: list[int]) -> bool:
    rest = iter(long)
    return all(item in rest for item in short)


def test_share_zero_changes_no_history() -> None:
    assert histories(with_items_deleted(ROWS, 0.0, 0)) == histories(ROWS)
    assert histories(with_items_inserted(ROWS, 0.0, 12, 0)) == histories(ROWS)


@pytest.mark.parametrize("seed", range(5))
def test_targets_stay_and_what_is_left_keeps_its_order(seed: int) -> None:
    fewer, more = with_items_deleted(ROWS, 0.5, seed), with_items_inserted(ROWS, 0.5, 12, seed)
    for changed in (fewer, more):
        assert torch.equal(changed.target, ROWS.target)
        assert torch.equal(changed.is_last, ROWS.is_last)
    for left, whole, longer in zip(histories(fewer), histories(ROWS), histories(more), strict=True):
        assert is_subsequence(left, whole)
        assert is_subsequence(whole, longer)
        assert not longer or longer[0] == whole[0], "a foreign item follows an item, it never comes first"


def test_about_the_share_is_lost_or_added() -> None:
    items = 400 * 50
    left = sum(map(len, histories(with_items_deleted(MANY, 0.3, 1))))
    longer = sum(map(len, histories(with_items_inserted(MANY, 0.3, 51, 1))))
    assert left / items == pytest.approx(0.7, abs=0.01)
    assert longer / items == pytest.approx(1.3, abs=0.01)


def test_foreign_items_come_from_the_whole_catalogue() -> None:
    assert set(range(1, 201)) <= set(with_items_inserted(MANY, 0.9, 200, 0).items.tolist())


def test_the_seed_decides() -> None:
    first, again, other = (histories(with_items_deleted(MANY, 0.5, seed)) for seed in (0, 0, 1))
    assert first == again != other


def test_a_share_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        with_items_deleted(ROWS, 1.0, 0)
