"""Breaking sequences, mending them, and closing holes."""

import torch
from torch import Tensor

from demo_core.layers import window
from demo_core.models.sequence_edits import (
    DELETE,
    INSERT,
    KEEP,
    MOST_ADDED,
    MOST_INSERTED,
    Damaged,
    closed_up,
    damage,
    mended,
    random_damage,
    random_piece,
    strangers,
)
from demo_core.sequences import pad

END, W = 21, 12
KEPT, GONE, ADDED = 0.1, 0.6, 0.95


def broken(sequence: Tensor, draws: dict[int, list[float]], length: int = W) -> Damaged:
    """``draws`` of some slots; the others are kept. 15, 16, 17 are what may be added anywhere."""
    script = torch.full((*sequence.shape, MOST_ADDED + 1), KEPT)
    for slot, values in draws.items():
        script[:, slot, : len(values)] = torch.tensor(values)
    added = torch.tensor([15, 16, 17]).expand(*sequence.shape, MOST_ADDED)
    return damage(sequence, script, added, 0.4, 0.5, END, length)


def real(damaged: Damaged) -> list[tuple[int, int, list[int]]]:
    parts = zip(damaged.items[0].tolist(), damaged.labels[0].tolist(), damaged.removed[0].tolist(), strict=True)
    return [(item, label, [x for x in gone if x]) for item, label, gone in parts if item]


def test_scripted_draws_keep_remove_and_add_as_they_say() -> None:
    found = broken(pad([[1, 2, 3, 4, 5]], 6), {2: [GONE], 3: [GONE], 5: [ADDED, KEPT]})
    assert real(found) == [(1, KEEP, []), (4, INSERT, [3, 2, END]), (15, DELETE, []), (5, KEEP, [])]


def test_the_item_behind_a_run_stays_whatever_its_draws_say() -> None:
    found = broken(torch.tensor([[1, 2, 3, 4]]), {1: [GONE], 2: [ADDED, GONE]})
    assert real(found) == [(1, KEEP, []), (3, INSERT, [2, END]), (4, KEEP, [])]


def test_an_added_item_may_stand_before_a_removed_one() -> None:
    found = broken(torch.tensor([[1, 2, 3]]), {1: [ADDED, ADDED, GONE]})
    assert real(found) == [(1, KEEP, []), (15, DELETE, []), (16, DELETE, []), (3, INSERT, [2, END])]


def test_at_most_five_go_in_a_row_and_then_no_end_is_asked_for() -> None:
    found = broken(torch.arange(1, 9)[None], {slot: [GONE] for slot in range(8)})
    assert real(found) == [(6, INSERT, [5, 4, 3, 2, 1]), (8, INSERT, [7, END])], "nor does the newest item ever go"


def test_of_a_sequence_that_became_too_long_the_oldest_are_dropped() -> None:
    found = broken(torch.tensor([[1, 2, 3]]), {2: [ADDED, ADDED, KEPT]}, length=3)
    assert real(found) == [(15, DELETE, []), (16, DELETE, []), (3, KEEP, [])]


def test_what_labels_and_lists_say_mends_every_broken_sequence() -> None:
    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(1, 21, (n % 9,), generator=generator).tolist() for n in range(400)]
    sequence = pad(rows, 8)
    found = random_damage(sequence, 20, 0.4, 0.5, END, 8 * (MOST_ADDED + 1), generator)
    assert {KEEP, DELETE, INSERT} == set(found.labels.unique().tolist())
    insertions = found.removed.masked_fill(found.removed == END, 0)
    assert torch.equal(mended(found.items, found.labels, insertions, 8), sequence)


def test_what_is_generated_first_stands_nearest() -> None:
    insertions = torch.zeros(1, 3, MOST_INSERTED, dtype=torch.int64)
    insertions[0, 2, :2] = torch.tensor([10, 11])
    decision = torch.tensor([[KEEP, KEEP, INSERT]])
    assert mended(torch.tensor([[0, 0, 7]]), decision, insertions, 5).tolist() == [[0, 0, 11, 10, 7]]
    assert mended(torch.tensor([[0, 0, 7]]), decision, insertions, 2).tolist() == [[10, 7]]


def test_padding_is_neither_deleted_nor_does_anything_go_before_it() -> None:
    insertions = torch.full((1, 3, MOST_INSERTED), 4)
    decision = torch.tensor([[INSERT, DELETE, DELETE]])
    assert mended(torch.tensor([[0, 0, 7]]), decision, insertions, 4).tolist() == [[0, 0, 0, 0]]


def test_strangers_are_all_the_items_that_are_not_there_equally_often() -> None:
    sequence = torch.tensor([[0, 3, 1, 3, 6]]).expand(2000, -1)
    found = strangers(sequence, 3, 7, torch.Generator().manual_seed(0))
    assert found.shape == (2000, 5, 3)
    shares = torch.bincount(found.flatten(), minlength=8) / found.numel()
    expected = torch.tensor([0, 0, 0.25, 0, 0.25, 0.25, 0, 0.25])
    torch.testing.assert_close(shares, expected, atol=0.01, rtol=0)


def test_a_row_with_every_item_has_no_strangers() -> None:
    assert not strangers(torch.tensor([[2, 1, 3]]), 2, 3, torch.Generator().manual_seed(0)).any()


def test_pieces_are_first_items_of_every_number_from_one() -> None:
    sequence = pad([[1, 2, 3, 4]], 6).expand(600, -1)
    found = random_piece(sequence, torch.Generator().manual_seed(0))
    kinds, counts = found.unique(dim=0, return_counts=True)
    assert {tuple(kind) for kind in kinds.tolist()} == {
        tuple(pad([[1, 2, 3, 4][:n]], 6)[0].tolist()) for n in (1, 2, 3, 4)
    }
    assert int(counts.min()) > 110
    few = pad([[], [5]], 6)
    assert torch.equal(random_piece(few, torch.Generator().manual_seed(0)), few)


def test_holes_are_closed_and_it_is_told_what_came_from_where() -> None:
    ids = torch.tensor([[4, 0, 5, 0, 6], [0, 0, 0, 0, 0]])
    closed, source = closed_up(ids, 7)
    assert torch.equal(closed, window(torch.tensor([[4, 5, 6], [0, 0, 0]]), 7))
    assert source[0, -3:].tolist() == [0, 2, 4]
    assert closed_up(ids, 2)[0].tolist() == [[5, 6], [0, 0]]
