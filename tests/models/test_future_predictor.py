import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core.layers import unit
from demo_core.models.future_predictor import (
    FuturePredictor,
    future_mean,
    importance_weights,
    padded_future_mean,
    prediction_error_reduction,
)


def test_per_is_the_error_without_the_item_minus_the_error_with_it() -> None:
    per = prediction_error_reduction(torch.tensor([0.9, 0.4]), torch.tensor([0.5, 0.6]))
    assert per.tolist() == pytest.approx([0.4, -0.2]), "positive: knowing the item helps"


@given(per=st.floats(-50, 50), temperature=st.floats(0.01, 10))
def test_weights_stay_between_zero_and_two_and_follow_the_sign_of_per(per: float, temperature: float) -> None:
    weight = float(importance_weights(torch.tensor(per, dtype=torch.float64), temperature))
    assert weight == pytest.approx(1 + math.tanh(per / temperature), abs=1e-12)
    assert 0 <= weight <= 2
    assert (weight > 1) == (1 + math.tanh(per / temperature) > 1)


def test_an_item_without_effect_has_weight_one() -> None:
    assert importance_weights(torch.zeros(3), 0.1).tolist() == [1.0, 1.0, 1.0]


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=4), window=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_future_is_the_mean_of_the_next_items_that_exist(lengths: list[int], window: int, seed: int) -> None:
    vectors = torch.randn(len(lengths), 6, 3, generator=torch.Generator().manual_seed(seed))
    mask = torch.arange(6) >= 6 - torch.tensor(lengths)[:, None]
    mean, has_future = future_mean(vectors, mask, window)
    for row, length in enumerate(lengths):
        for slot in range(6):
            ahead = [vectors[row, later] for later in range(slot + 1, min(slot + window, 5) + 1) if mask[row, later]]
            real = slot >= 6 - length
            assert bool(has_future[row, slot]) == (real and bool(ahead))
            if real:
                expected = torch.stack(ahead).mean(dim=0) if ahead else torch.zeros(3)
                torch.testing.assert_close(mean[row, slot], expected)


@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4), window=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_padded_future_is_the_mean_of_the_next_slots_of_a_window_padded_on_the_right(
    lengths: list[int], window: int, seed: int
) -> None:
    vectors = torch.randn(len(lengths), 6, 3, generator=torch.Generator().manual_seed(seed))
    padding = torch.tensor([0.5, -2.0, 1.0])
    mask = torch.arange(6) >= 6 - torch.tensor(lengths)[:, None]
    mean = padded_future_mean(vectors, mask, window, padding)
    for row, length in enumerate(lengths):
        shifted = [*vectors[row, 6 - length :], *[padding] * (6 - length), *[torch.zeros(3)] * window]
        for place in range(length):
            expected = torch.stack(shifted[place + 1 : place + 1 + window]).sum(dim=0) / window
            torch.testing.assert_close(mean[row, 6 - length + place], expected)


# The auxiliary predictor


def predictions(predictor: FuturePredictor, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Knowing the slot, and not knowing it, (B, L, D) each."""
    guess = predictor(vectors, mask)
    return guess.slots.pad(guess.knowing), guess.slots.pad(guess.not_knowing)


def test_the_prediction_before_an_item_does_not_know_it_or_anything_newer() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=6)
    mask = torch.tensor([[False, True, True, True, True]])
    directions = unit(torch.randn(1, 5, 8))
    changed = directions.clone()
    changed[:, 3:] = unit(torch.randn(1, 2, 8))
    after, before = predictions(predictor, directions, mask)
    after_changed, before_changed = predictions(predictor, changed, mask)
    torch.testing.assert_close(before_changed[:, 1:4], before[:, 1:4])
    torch.testing.assert_close(after_changed[:, 1:3], after[:, 1:3])
    assert not torch.allclose(after_changed[:, 3], after[:, 3])


def test_before_the_first_item_nothing_is_known() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=6)
    torch.nn.init.normal_(predictor.before_any)
    directions = unit(torch.randn(2, 5, 8))
    mask = torch.tensor([[True] * 5, [False, False, True, True, True]])
    after, before = predictions(predictor, directions, mask)
    nothing = predictor.mlp(predictor.before_any)
    torch.testing.assert_close(before[0, 0], nothing)
    torch.testing.assert_close(before[1, 2], nothing)
    torch.testing.assert_close(before[0, 1:], after[0, :-1])
    torch.testing.assert_close(before[1, 3:], after[1, 2:-1])


def test_the_released_predictor_knows_no_positions_and_starts_from_zeros() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=6, released=True, dropout=0.1, input_scale=1.0).eval()
    vectors = torch.randn(1, 6, 8)
    early, late = torch.zeros(1, 6, dtype=torch.bool), torch.zeros(1, 6, dtype=torch.bool)
    early[:, 1:4], late[:, 3:] = True, True
    moved = vectors.roll(2, dims=1)
    for first, second in zip(predictions(predictor, vectors, early), predictions(predictor, moved, late), strict=True):
        torch.testing.assert_close(first[0, 1:4], second[0, 3:])
    nothing = predictor.mlp(torch.zeros(8))
    torch.testing.assert_close(predictions(predictor, vectors, early)[1][0, 1], nothing)
    assert not {"position", "before_any"} & {name for name, _ in predictor.named_parameters()}


def test_guesses_for_some_slots_are_those_for_all() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=6)
    torch.nn.init.normal_(predictor.before_any)
    mask = torch.arange(6) >= 6 - torch.tensor([6, 3, 2, 1, 0])[:, None]
    wanted = torch.zeros(5, 6, dtype=torch.bool)
    wanted[0, [0, 3]], wanted[1, [4, 5]], wanted[2, 4] = True, True, True  # no slot of the last two rows
    vectors = unit(torch.randn(5, 6, 8))
    guess = predictor(vectors, mask, wanted)
    for some, everything in zip((guess.knowing, guess.not_knowing), predictions(predictor, vectors, mask), strict=True):
        torch.testing.assert_close(guess.slots.pad(some)[wanted], everything[wanted])


def test_errors_are_squared_distances_to_the_future_and_zero_at_padding() -> None:
    torch.manual_seed(0)
    predictor = FuturePredictor(dim=8, max_length=4)
    mask = torch.tensor([[False, False, True, True], [True] * 4])
    vectors, future = unit(torch.randn(2, 4, 8)), torch.randn(2, 4, 8)
    knowing, not_knowing = predictions(predictor, vectors, mask)
    errors = predictor(vectors, mask).errors(future, mask)
    torch.testing.assert_close(errors.knowing[mask], (knowing - future).square().sum(dim=-1)[mask])
    torch.testing.assert_close(errors.not_knowing[mask], (not_knowing - future).square().sum(dim=-1)[mask])
    assert not errors.knowing[~mask].any()
