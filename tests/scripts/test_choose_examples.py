"""The example people of the app."""

from __future__ import annotations

import torch

from demo_core.sequences import Rows
from scripts.choose_examples import MOST, choose


def test_examples_are_whole_histories_with_the_item_that_came_next(generator: torch.Generator) -> None:
    sequences = [[1, 2, 3, 4], [5, 6, 7, 8, 9]]
    found = choose(Rows.last_items(sequences), generator)
    assert sorted([*entry["history"], entry["next"]] for entry in found) == sequences  # type: ignore[misc]


def test_prefixes_of_a_session_are_not_people_of_their_own(generator: torch.Generator) -> None:
    assert len(choose(Rows.prefixes([[1, 2, 3, 4, 5]]), generator)) == 1


def test_short_histories_and_more_than_200_are_left_out(generator: torch.Generator) -> None:
    found = choose(Rows.last_items([[1, 2, 3]] * 5 + [[1, 2, 3, 4]] * 300), generator)
    assert len(found) == MOST
    assert all(entry["history"] == [1, 2, 3] for entry in found)
