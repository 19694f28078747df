"""Step 1 and Eq. 2, 3: what is globally alike, and the 0/1 vectors that are drawn from it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_core.models.global_structure import (
    Ones,
    SparseRows,
    draw_ones,
    item_similarity,
    position_adjusted,
    sparse_similarity,
)
from demo_core.sequences import pad

SEQUENCES = [[1, 2, 3, 2], [2, 3], [5], [1, 5, 3]]
EVERY_ITEM = torch.arange(7)


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Step 1


@pytest.mark.parametrize("window", [None, 2, 1])
def test_similarity_is_the_cosine_over_the_newest_items_of_each_sequence(window: int | None) -> None:
    cut = [set(sequence if window is None else sequence[-window:]) for sequence in SEQUENCES]
    similarity = item_similarity(SEQUENCES, 6, window)
    for a in range(1, 7):
        for b in range(1, 7):
            together = sum(a in s and b in s for s in cut)
            norm = math.sqrt(sum(a in s for s in cut) * sum(b in s for s in cut))
            expected = 1.0 if a == b else together / norm if norm else 0.0
            assert float(similarity[a, b]) == pytest.approx(expected), (a, b)
    assert not similarity[0].any() and not similarity[:, 0].any(), "padding is like nothing"


def test_an_item_that_nobody_has_is_like_itself_alone() -> None:
    similarity = item_similarity([[1, 2]], 3)
    assert similarity[3].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_in_the_released_reading_an_item_that_nobody_has_is_like_nothing() -> None:
    diagonal = sparse_similarity([[1, 2]], 3, None, zero_support_diagonal=False).diagonal()
    assert diagonal.tolist() == pytest.approx([0.0, 1.0, 1.0, 0.0])


def test_sparse_rows_hold_the_same_matrix() -> None:
    rows = SparseRows.of(sparse_similarity(SEQUENCES, 6, None))
    torch.testing.assert_close(rows.dense(EVERY_ITEM), item_similarity(SEQUENCES, 6))
    torch.testing.assert_close(rows.dense(torch.tensor([4, 2, 2])), item_similarity(SEQUENCES, 6)[[4, 2, 2]])


# Equations 2 and 3


def test_neighbours_of_the_mask_are_raised_by_their_distance() -> None:
    row = torch.full((13,), 0.1)
    history = torch.arange(1, 11)
    adjusted = position_adjusted(row, history, 0)
    assert float(adjusted[2]) == pytest.approx(0.25), "distance 1: zeta / 1 + delta = 2.5"
    assert float(adjusted[10]) == pytest.approx(0.1 * (1.5 / 9 + 1)), "distance 9"
    assert float(adjusted[1]) == pytest.approx(0.1), "the masked item is left alone"
    assert adjusted[11:].tolist() == pytest.approx([0.1, 0.1]), "items outside the sequence too"


@given(
    rows=st.lists(st.lists(st.integers(1, 8), min_size=1, max_size=6), min_size=1, max_size=4),
    data=st.data(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_adjusted_rows_equal_a_loop_over_the_sequence(rows: list[list[int]], data: st.DataObject, seed: int) -> None:
    similarity = torch.rand(len(rows), 9, generator=seeded(seed))
    history = pad(rows, 6)
    position = torch.tensor([data.draw(st.integers(6 - len(row), 5)) for row in rows])
    adjusted = position_adjusted(similarity, history, position)
    for r in range(len(rows)):
        masked = int(history[r, position[r]])
        for item in range(9):
            distances = [abs(j - int(position[r])) for j in range(6) if int(history[r, j]) == item and item]
            factor = 1.5 / min(distances) + 1.0 if distances and item != masked else 1.0
            assert float(adjusted[r, item]) == pytest.approx(min(1.0, factor * float(similarity[r, item])), rel=1e-5)


def test_the_released_adjustment_gives_the_released_numbers() -> None:
    """Numbers: the loop of the released loader (XMUDM/GlobalDiff 2fc1de9), run on this row; 8 and 7 repeat."""
    row = 0.05 + 0.3 * torch.sin(torch.arange(13.0)).abs()
    row[7] = 1.0
    sequence = torch.tensor([3, 5, 3, 8, 7, 1, 12, 8, 7, 2])
    adjusted = position_adjusted(row, sequence, 4, adjustment="released")
    expected = [0.05, 0.529272, 0.403487, 0.180055, 0.277041, 0.464306, 0.133825, 1.0]
    expected += [0.834506, 0.173636, 0.213206, 0.349997, 0.316458]
    assert adjusted.tolist() == pytest.approx(expected, abs=1e-6)


def test_the_released_adjustment_leaves_padding_out() -> None:
    row = torch.full((4,), 0.1)
    adjusted = position_adjusted(row, torch.tensor([0, 0, 2, 3]), 3, adjustment="released")
    assert adjusted.tolist() == pytest.approx([0.1, 0.1, 0.175, 0.25])


# x_0


@pytest.mark.parametrize("adjustment", ["paper", "released"])
def test_each_item_is_drawn_as_often_as_the_adjusted_row_says(adjustment: str) -> None:
    rows, sequence = 6000, torch.tensor([0, 3, 2, 1, 3])
    structure = SparseRows.of(sparse_similarity(SEQUENCES, 6, None))
    repeated, position = sequence.repeat(rows, 1), torch.full((rows,), 3)
    ones = draw_ones(structure, repeated, position, 7, seeded(), 1.5, 1.0, adjustment)
    likely = position_adjusted(item_similarity(SEQUENCES, 6)[1], sequence, 3, adjustment=adjustment)
    share = ones.dense().double().mean(dim=0)
    assert share.tolist() == pytest.approx(likely.tolist(), abs=0.025)
    assert 0.1 < float(likely[5]) < 0.9, "there is something to draw"


def test_what_is_known_of_the_ones_agrees_with_the_dense_vectors() -> None:
    ones = Ones(torch.tensor([0, 0, 2, 2, 2]), torch.tensor([4, 1, 0, 3, 5]), (4, 6))
    dense = torch.zeros(4, 6)
    dense[[0, 0, 2, 2, 2], [4, 1, 0, 3, 5]] = 1.0
    values, weight = torch.randn(4, 6, generator=seeded()), torch.randn(3, 6, generator=seeded())
    assert torch.equal(ones.dense(), dense)
    assert ones.count.tolist() == [2, 0, 3, 0]
    torch.testing.assert_close(ones.sum_of(values), (values * dense).sum(dim=1))
    torch.testing.assert_close(ones.project(weight), dense @ weight.T)


def test_a_projection_passes_its_gradient_on() -> None:
    ones = Ones(torch.tensor([0, 1, 1]), torch.tensor([2, 2, 0]), (3, 4))
    weight = torch.randn(2, 4, generator=seeded(), requires_grad=True)
    (sparse,) = torch.autograd.grad(ones.project(weight).square().sum(), weight)
    (dense,) = torch.autograd.grad((ones.dense() @ weight.T).square().sum(), weight)
    torch.testing.assert_close(sparse, dense)


def test_vectors_without_any_one_are_possible() -> None:
    ones = Ones(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), (2, 4))
    assert not ones.project(torch.ones(3, 4)).any() and ones.count.tolist() == [0, 0]
