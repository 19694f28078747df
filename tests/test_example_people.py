"""The example people of the app."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from demo_core.example_people import MOST, Example, ExamplesError, choose_examples, read_examples, write_examples
from demo_core.sequences import Rows


def test_examples_are_whole_histories_with_the_item_that_came_next(generator: torch.Generator) -> None:
    sequences = [(1, 2, 3, 4), (5, 6, 7, 8, 9)]
    found = choose_examples(Rows.last_items(sequences), generator)
    assert sorted((*example.history, example.next) for example in found) == sequences


def test_prefixes_of_a_session_are_not_people_of_their_own(generator: torch.Generator) -> None:
    assert len(choose_examples(Rows.prefixes([[1, 2, 3, 4, 5]]), generator)) == 1


def test_short_histories_and_more_than_200_are_left_out(generator: torch.Generator) -> None:
    found = choose_examples(Rows.last_items([[1, 2, 3]] * 5 + [[1, 2, 3, 4]] * 300), generator)
    assert len(found) == MOST
    assert all(example.history == (1, 2, 3) for example in found)


def test_written_examples_are_read_as_they_were(tmp_path: Path) -> None:
    examples = (Example((1, 2, 3), 4), Example((4, 3), 1))
    write_examples(examples, tmp_path / "new" / "examples.json")
    assert read_examples(tmp_path / "new" / "examples.json", 4) == examples
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["examples.json"]


def test_an_id_outside_the_catalogue_is_refused_by_name(tmp_path: Path) -> None:
    write_examples([Example((1, 2, 3), 4)], tmp_path / "examples.json")
    with pytest.raises(ExamplesError, match=r"holds the id 4; expected ids 1\.\.3"):
        read_examples(tmp_path / "examples.json", 3)
