"""Editing rows of vectors: insertion, removal, choices that gradients pass, and the reader of both directions."""

import pytest
import torch

from demo_core.models.row_edits import (
    BothWays,
    Row,
    insert_around,
    keep,
    newest_if_none,
    pick,
    straight_through,
    turned,
)
from demo_core.sequences import PADDING, pad

A, B, C, X, Y = 1, 2, 3, 8, 9


def row(rows: list[list[int]], length: int) -> Row:
    """The vector of an item is its number, twice."""
    tokens = pad(rows, length)
    return Row(tokens, tokens[..., None].repeat(1, 1, 2).double())


def test_inserting_around_b_gives_a_x_b_y_c() -> None:
    before = row([[A, B, C], [A, B], [A, B, C], [C]], 4)
    slot, wanted = torch.tensor([2, 2, 3, 0]), torch.tensor([True, True, False, False])
    found, around = insert_around(before, slot, wanted, row([[X]] * 4, 1), row([[Y]] * 4, 1))
    expected = [[A, X, B, Y, C], [X, A, Y, B], [A, B, C], [C]]
    assert torch.equal(found.tokens, pad(expected, 6))
    assert torch.equal(found.items, row(expected, 6).items)
    assert around.tolist()[:2] == [[False, False, True, True, True, False], [False, False, True, True, True, False]]
    assert not around[2:].any()


@pytest.mark.parametrize(("slot", "expected"), [(0, [X, A, Y, B, C]), (2, [A, B, X, C, Y])])
def test_inserting_at_either_end(slot: int, expected: list[int]) -> None:
    found, _ = insert_around(
        row([[A, B, C]], 3), torch.tensor([slot]), torch.tensor([True]), row([[X]], 1), row([[Y]], 1)
    )
    assert found.tokens.tolist() == [expected]


def test_what_is_kept_moves_to_the_right_end() -> None:
    kept = torch.tensor([[True, True, False, True], [True, False, False, False]])
    found = keep(row([[A, B, C, X], [B, C]], 4), kept)
    assert torch.equal(found.tokens, pad([[A, B, X], []], 4))
    assert torch.equal(found.items[0, 1:], row([[A, B, X]], 3).items[0])


def test_a_row_that_would_lose_everything_keeps_its_newest_item() -> None:
    mask = pad([[A, B, C], [A, B]], 4) != PADDING
    kept = torch.tensor([[True, False, True, False], [True, True, False, False]])
    expected = [[False, False, True, False], [False, False, False, True]]
    assert newest_if_none(kept, mask).tolist() == expected


def test_a_column_is_picked_as_often_as_its_chance_says_and_one_without_a_chance_never() -> None:
    chance = torch.tensor([[0.0, 0.25, 0.0, 0.75, 0.0]])
    draws = torch.linspace(0, 1, 1001)[:-1]
    found = pick(chance.expand(1000, -1), draws)
    assert torch.bincount(found, minlength=5).tolist() == pytest.approx([0, 250, 0, 750, 0], abs=1)


def test_a_hard_choice_has_the_gradient_of_the_soft_one() -> None:
    soft = torch.tensor([0.2, 0.7], requires_grad=True)
    value = straight_through(torch.tensor([0.0, 1.0]), soft)
    (value * torch.tensor([3.0, 5.0])).sum().backward()
    assert value.tolist() == [0.0, 1.0]
    assert soft.grad is not None and soft.grad.tolist() == [3.0, 5.0]


def test_turning_changes_the_order_of_the_real_slots_alone_and_is_its_own_inverse() -> None:
    before = row([[A, B, C], [B]], 4)
    found = turned(before.items, before.mask)
    assert torch.equal(found, row([[C, B, A], [B]], 4).items)
    assert torch.equal(turned(found, before.mask), before.items)


def test_the_states_are_those_of_two_recurrent_units_one_of_which_reads_backwards() -> None:
    torch.manual_seed(0)
    reader = BothWays(4).double()
    torch.nn.init.normal_(reader.told_bias)
    torch.nn.init.normal_(reader.recalled_bias)
    units = [torch.nn.GRU(4, 4, batch_first=True).double() for _ in range(2)]
    ours = (reader.told, reader.recalled, reader.told_bias, reader.recalled_bias)
    with torch.no_grad():
        for number, unit in enumerate(units):
            for theirs, parameter in zip(unit.parameters(), ours, strict=True):
                theirs.copy_(parameter[number].T.squeeze())
                theirs[4:8] *= -1  # PyTorch's update gate says how much is kept
    tokens = pad([[1, 2, 3], [4, 5, 6, 7], [8]], 5)
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    forward, backward = reader(x, tokens != PADDING)
    for number, length in enumerate((3, 4, 1)):
        real = x[number : number + 1, -length:]
        torch.testing.assert_close(forward[number, -length:], units[0](real)[0][0])
        torch.testing.assert_close(backward[number, -length:], units[1](real.flip(1))[0][0].flip(0))
        assert not forward[number, :-length].any() and not backward[number, :-length].any()
    x[tokens == PADDING] = 100.0
    torch.testing.assert_close(reader(x, tokens != PADDING), (forward, backward))
