"""What PDRec's diffusion says about training rows: weights, pools and how they are found again, by hand."""

import dataclasses

import pytest
import torch
from torch import Tensor

from demo_core.models.diffusion_advice import (
    AdviceSettings,
    DiffusionAdvice,
    best_items,
    low_items,
    positive_weights,
    rank_shares,
    rescaled,
)
from demo_core.sequences import PADDING, Rows

M, L = 20, 3
SEQUENCES = [[1, 2, 3, 4, 5, 6], [7], [8, 2], [8, 9]]
VALUES = torch.tensor([[9.0, 0.4, 1.0, 0.6], [9.0, 9.0, 9.0, 0.3], [-2.0, -1.0, 2.0, 9.0]])
REAL = torch.tensor([[False, True, True, True], [False, False, False, True], [True, True, True, False]])


def settings(**changes: object) -> AdviceSettings:
    plain = AdviceSettings(
        length=L,
        num_items=M,
        rank_share=0.0,
        weight_ceiling=9.0,
        weight_scale=1.0,
        coarse=4,
        low_from=0.5,
        low_to=1.0,
        observed_positives=False,
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def likes(items: Tensor) -> Tensor:
    """(S, n) -> (S, M + 1): item j scores M - j, and what stands in the row 100 more."""
    scores = (M - torch.arange(M + 1.0)).repeat(len(items), 1)
    return scores.scatter_add(1, items, torch.full(items.shape, 100.0))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def filled(sequences: list[list[int]] = SEQUENCES, **changes: object) -> DiffusionAdvice:
    advice = DiffusionAdvice(settings(**changes))
    advice.fill(Rows.prefixes(sequences), likes, seeded())
    return advice


def test_values_are_scaled_from_half_the_smallest_to_the_largest_with_mean_one() -> None:
    # Floor 0.2: 0.25, 1, 0.5, sum 1.75. Floor -3 (1.5 times -2): 0.2, 0.4, 1, sum 1.6.
    expected = [[0, 0.25 * 3 / 1.75, 3 / 1.75, 0.5 * 3 / 1.75], [0, 0, 0, 1], [0.6 / 1.6, 1.2 / 1.6, 3 / 1.6, 0]]
    torch.testing.assert_close(rescaled(VALUES, REAL), torch.tensor(expected))


def test_equal_values_and_zeros_weigh_the_same() -> None:
    for value in (0.0, 0.7, -0.7):
        torch.testing.assert_close(rescaled(torch.full((1, 3), value), torch.ones(1, 3).bool()), torch.ones(1, 3))


def test_ranks_rise_with_the_value() -> None:
    expected = torch.tensor([[0, 1 / 3, 1, 2 / 3], [0, 0, 0, 1], [1 / 3, 2 / 3, 1, 0]])
    torch.testing.assert_close(rank_shares(VALUES, REAL), expected)
    torch.testing.assert_close(positive_weights(VALUES, REAL, 1.0, 3.0, 1.0), expected)


def test_weights_mix_value_and_rank_are_cut_off_and_scaled() -> None:
    first = positive_weights(VALUES, REAL, 0.5, 1.0, 4.0)[0]
    expected = [0, 4 * (0.5 * 0.75 / 1.75 + 0.5 / 3), 4, 4 * (0.5 * 1.5 / 1.75 + 0.5 * 2 / 3)]
    torch.testing.assert_close(first, torch.tensor(expected))


@pytest.mark.parametrize("rank_share", [0.0, 0.1, 0.5, 1.0])
def test_a_single_positive_weighs_s_whatever_r_is(rank_share: float) -> None:
    assert float(positive_weights(VALUES, REAL, rank_share, 3.0, 2.0)[1, 3]) == pytest.approx(2.0)


def test_the_mean_of_unclipped_weights_is_s() -> None:
    weights = positive_weights(VALUES, REAL, 0.0, 99.0, 1.0)
    torch.testing.assert_close(weights.sum(dim=1) / REAL.sum(dim=1), torch.ones(3))


def test_the_best_items_leave_out_what_is_excluded_and_fill_up_with_padding() -> None:
    scores = torch.tensor([[9.0, 1.0, 5.0, 3.0, 4.0]])
    excluded = torch.tensor([[True, False, True, False, False]])
    assert best_items(scores, excluded, 2).tolist() == [[4, 3]]
    assert best_items(scores, excluded, 9).tolist() == [[4, 3, 1, PADDING]]


def test_low_items_come_from_the_low_end_of_the_list_without_own_ones() -> None:
    scores = -torch.arange(101.0).repeat(2, 1)  # item 1 first
    own = torch.zeros(2, 101, dtype=torch.bool)
    own[0, 81:90] = True
    low = low_items(scores, own, 0.8, 0.99, seeded())
    for row in range(2):
        allowed = {item for item in range(81, 100) if not own[row, item]}
        assert set(low[row].tolist()) - {PADDING} == allowed


def test_unobserved_positives_never_contain_an_own_item_even_of_another_piece() -> None:
    advice = filled()
    for sequence in SEQUENCES:
        for at, target in enumerate(sequence):
            history = torch.tensor([([0] * L + sequence[:at])[-L:]])
            told = advice.find(history, torch.tensor([target]), seeded())
            alike = [set(other) for other in SEQUENCES if other[: at + 1] == sequence[: at + 1]]
            for items in (told.pool, told.low):
                assert any(not own & set(items[0].tolist()) for own in alike)
    told = advice.find(torch.tensor([[3, 4, 5]]), torch.tensor([6]), seeded())
    assert told.pool.tolist() == [[7, 8, 9, 10]], "1 and 2 stand in the piece before"


def test_released_pools_keep_the_own_items() -> None:
    told = filled(observed_positives=True).find(torch.tensor([[3, 4, 5]]), torch.tensor([6]), seeded())
    assert told.pool.tolist() == [[3, 4, 5, 6]]


def test_a_target_has_the_weight_of_its_place_in_its_piece() -> None:
    # The last piece of the first sequence is 3, 4, 5, 6: values 117 to 114, floor 57.
    expected = rescaled(torch.tensor([[117.0, 116.0, 115.0, 114.0]]), torch.ones(1, 4).bool())[0]
    history = torch.tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]])
    told = filled().find(history, torch.tensor([3, 4, 5, 6]), seeded())
    torch.testing.assert_close(told.weight, expected)


def test_rows_that_hold_the_same_share_what_is_said_of_each() -> None:
    advice = filled(SEQUENCES, coarse=20)
    told = advice.find(torch.zeros(200, L, dtype=torch.int64), torch.full((200,), 8), seeded())
    without = [({*range(1, M + 1)} - set(row.tolist())) for row in told.pool]
    assert {tuple(sorted(items)) for items in without} == {(2, 8), (8, 9)}


def test_a_row_that_is_no_training_row_weighs_s_and_has_no_items() -> None:
    told = filled(weight_scale=2.0).find(torch.tensor([[5, 5, 5]]), torch.tensor([5]), seeded())
    assert told.weight.tolist() == [2.0] and not told.pool.any() and not told.low.any()


def test_it_has_to_be_filled_before_it_is_asked() -> None:
    with pytest.raises(RuntimeError, match="prepared"):
        DiffusionAdvice(settings()).find(torch.zeros(1, L, dtype=torch.int64), torch.tensor([1]), seeded())


def test_it_is_no_part_of_a_saved_model() -> None:
    assert not filled().state_dict()
