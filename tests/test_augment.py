import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core.augment import choose_hidden, hide
from demo_core.sequences import PADDING, pad


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def many(sequence: list[int], length: int, rows: int = 20000) -> Tensor:
    return pad([sequence], length).expand(rows, -1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=20), st.floats(0, 1), st.integers(0, 99))
def test_every_row_with_items_hides_at_least_one_and_never_padding(
    sequences: list[list[int]], rate: float, seed: int
) -> None:
    sequence = pad(sequences, 6)
    hidden = choose_hidden(sequence, rate, 0.5, seeded(seed))
    assert not bool((hidden & (sequence == PADDING)).any())
    assert torch.equal(hidden.any(dim=1), (sequence != PADDING).any(dim=1))


def test_slots_are_hidden_at_the_rate_and_one_at_random_where_none_was() -> None:
    hidden = choose_hidden(many([5, 6, 7], 4), 0.2, 0.0, seeded())
    # 0.2, and where all three escaped (0.8^3) one of them in a third of the cases.
    expected = 0.2 + 0.8**3 / 3
    assert hidden.double().mean(dim=0).tolist() == pytest.approx([0.0, expected, expected, expected], abs=0.01)


def test_a_share_of_the_rows_hides_the_newest_slot_alone() -> None:
    hidden = choose_hidden(many([5, 6, 7, 8], 4), 1.0, 0.3, seeded())
    alone = (hidden == torch.tensor([False, False, False, True])).all(dim=1)
    assert float(alone.double().mean()) == pytest.approx(0.3, abs=0.01)
    assert bool(hidden[~alone].all())


def test_hidden_slots_show_the_mask_token_and_all_others_their_item() -> None:
    sequence = pad([[1, 2, 3], [4]], 4)
    hidden = torch.tensor([[False, True, False, True], [False, False, False, False]])
    assert hide(sequence, hidden, 10, seeded(), 0.0, 0.0).tolist() == [[0, 10, 2, 10], [0, 0, 0, 4]]


def test_shares_of_the_hidden_slots_show_a_random_item_or_their_own() -> None:
    sequence = many([1, 2, 3], 3)
    shown = hide(sequence, torch.ones_like(sequence, dtype=torch.bool), 10, seeded(), 0.1, 0.2)
    masked, kept = shown == 10, shown == sequence
    assert float(masked.double().mean()) == pytest.approx(0.7, abs=0.01)
    assert float(kept.double().mean()) == pytest.approx(0.2 + 0.1 / 9, abs=0.01)
    others = torch.bincount(shown[~masked & ~kept], minlength=11)[1:10]
    assert bool((others > 0).all()) and int(others.sum()) == int((~masked & ~kept).sum()), "any item 1..M, no padding"


def test_the_generator_alone_decides() -> None:
    sequence = many([5, 6, 7], 4, rows=50)
    untouched = torch.get_rng_state()
    first, second = (choose_hidden(sequence, 0.3, 0.5, seeded(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(hide(sequence, first, 10, seeded(3), 0.1, 0.1), hide(sequence, first, 10, seeded(3), 0.1, 0.1))
    assert torch.equal(torch.get_rng_state(), untouched)
