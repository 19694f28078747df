"""Continuity, its entropy and thinning, against hand cases and loops in float64."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from demo_core import stability
from demo_core.sequences import pad

# Items 2 to 10, i.e. 1 to 9 pairs: smallest and largest entropy that cosines in [-1, 1] can give.
REACHABLE = {2: (0.365, 0.693), 3: (0.666, 1.099), 4: (0.918, 1.386), 5: (1.135, 1.609), 6: (1.324, 1.792)}
REACHABLE |= {7: (1.490, 1.946), 8: (1.611, 2.079), 9: (1.724, 2.197)}


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / (math.hypot(*a) * math.hypot(*b))


def embedded(rows: int, length: int, seed: int = 0) -> Tensor:
    return torch.randn(rows, length, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def left_padded(lengths: list[int], width: int) -> Tensor:
    return torch.arange(width) >= width - torch.tensor(lengths)[:, None]


def test_three_orthogonal_items_are_as_even_as_two_steps_can_be() -> None:
    continuity = stability.continuity(torch.eye(3)[None])
    assert continuity[0].tolist() == pytest.approx([0.5, 0.5])
    assert float(stability.continuity_entropy(continuity)) == pytest.approx(math.log(2))


def test_an_opposite_neighbour_takes_the_smallest_share() -> None:
    items = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]])
    expected = [math.e / (math.e + 1 / math.e), (1 / math.e) / (math.e + 1 / math.e)]
    assert stability.continuity(items)[0].tolist() == pytest.approx(expected)


@given(length=st.integers(3, 10), seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_continuity_and_entropy_equal_a_loop_over_the_steps(length: int, seed: int) -> None:
    items = embedded(1, length, seed)
    rows = items[0].tolist()
    strength = [math.exp(cosine(rows[n], rows[n + 1])) for n in range(length - 1)]
    shares = [value / sum(strength) for value in strength]
    continuity = stability.continuity(items)
    assert continuity[0].tolist() == pytest.approx(shares, rel=1e-9)
    entropy = float(stability.continuity_entropy(continuity))
    assert entropy == pytest.approx(-sum(s * math.log(s) for s in shares), rel=1e-9)
    low, high = stability.reachable_entropy(length - 1)
    assert low - 1e-9 <= entropy <= high + 1e-9


def test_padding_on_the_left_changes_neither_continuity_nor_entropy() -> None:
    items = embedded(2, 4)
    padded = torch.cat([embedded(2, 3, seed=9), items], dim=1)
    continuity = stability.continuity(padded, left_padded([4, 4], 7))
    torch.testing.assert_close(continuity[:, 3:], stability.continuity(items))
    assert not continuity[:, :3].any()
    entropy = stability.continuity_entropy(stability.continuity(items))
    torch.testing.assert_close(stability.continuity_entropy(continuity), entropy)


def test_rows_without_a_pair_are_zeros_with_finite_gradients() -> None:
    items = embedded(3, 4).requires_grad_()
    continuity = stability.continuity(items, left_padded([0, 1, 2], 4))
    entropy = stability.continuity_entropy(continuity)
    assert continuity.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert entropy.tolist() == [0.0, 0.0, 0.0]
    continuity.sum().backward()
    assert items.grad is not None and torch.isfinite(items.grad).all()


def test_a_zero_vector_gives_cosine_zero_instead_of_nan() -> None:
    items = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    assert stability.continuity(items)[0].tolist() == pytest.approx([0.5, 0.5])


def test_the_length_of_the_embeddings_does_not_matter() -> None:
    items = embedded(2, 6)
    scale = torch.tensor([0.1, 7.0, 1.0, 30.0, 0.5, 2.0])[None, :, None]
    torch.testing.assert_close(stability.continuity(items * scale), stability.continuity(items))


def test_embeddings_without_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(B, L, D\)"):
        stability.continuity(torch.zeros(3, 4))


def test_step_cosines_are_those_of_neighbours_and_zero_at_padding() -> None:
    items = embedded(1, 4)
    rows = items[0].tolist()
    expected = [0.0, cosine(rows[1], rows[2]), cosine(rows[2], rows[3])]
    assert stability.step_cosines(items, left_padded([3], 4))[0].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("pairs", "bounds"), REACHABLE.items())
def test_reachable_entropy_has_the_known_bounds(pairs: int, bounds: tuple[float, float]) -> None:
    assert stability.reachable_entropy(pairs) == pytest.approx(bounds, abs=5e-4)


@pytest.mark.parametrize("pairs", [0, 1])
def test_one_step_or_none_can_reach_zero_only(pairs: int) -> None:
    assert stability.reachable_entropy(pairs) == (0.0, 0.0)


@pytest.mark.parametrize("pairs", range(2, 10))
def test_the_lowest_reachable_entropy_is_attained_by_real_embeddings(pairs: int) -> None:
    entropies = []
    for same in range(1, pairs):
        signs = [1.0]
        for n in range(pairs):
            signs.append(signs[-1] if n < same else -signs[-1])
        items = torch.tensor(signs, dtype=torch.float64)[None, :, None]
        entropies.append(float(stability.continuity_entropy(stability.continuity(items))))
    assert min(entropies) == pytest.approx(stability.reachable_entropy(pairs)[0], rel=1e-9)


def test_evenness_removes_the_length_effect() -> None:
    pairs = torch.tensor([0, 1, 2, 9, 3])
    entropy = torch.tensor([0.0, 0.0, math.log(2), math.log(9), 0.5 * math.log(3)])
    assert stability.evenness(entropy, pairs).tolist() == pytest.approx([0.0, 0.0, 1.0, 1.0, 0.5])


def test_evenness_never_passes_one_by_rounding() -> None:
    items = torch.ones(1, 10, 3)
    entropy = stability.continuity_entropy(stability.continuity(items)) + 1e-5
    assert float(stability.evenness(entropy, torch.tensor([9]))) == 1.0


@given(lengths=st.lists(st.integers(0, 8), min_size=1, max_size=6), rate=st.floats(0.0, 1.5), seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_the_chance_of_removal_follows_the_step_that_leaves_a_slot(lengths: list[int], rate: float, seed: int) -> None:
    mask = left_padded(lengths, 8)
    continuity = stability.continuity(embedded(len(lengths), 8, seed), mask)
    chance = stability.removal_probability(continuity, mask, rate)
    for row, length in enumerate(lengths):
        pairs = max(length - 1, 0)
        for slot in range(8):
            inside = bool(mask[row, slot]) and slot < 7
            expected = min(1.0, rate * pairs * float(continuity[row, slot])) if inside else 0.0
            assert float(chance[row, slot]) == pytest.approx(expected, abs=1e-6)


def test_the_rate_is_the_mean_chance_over_the_slots_that_can_go() -> None:
    mask = left_padded([6, 3], 6)
    chance = stability.removal_probability(stability.continuity(embedded(2, 6), mask), mask, 0.1)
    assert (chance.sum(dim=1) / torch.tensor([5, 2])).tolist() == pytest.approx([0.1, 0.1])
    assert chance[:, -1].tolist() == [0.0, 0.0]


def test_draws_are_repeatable_and_follow_their_chances() -> None:
    chance = torch.tensor([[0.0, 0.3, 1.0]]).expand(20_000, 3)
    drawn = stability.draw_removal(chance, torch.Generator().manual_seed(5))
    assert torch.equal(drawn, stability.draw_removal(chance, torch.Generator().manual_seed(5)))
    assert not drawn[:, 0].any() and bool(drawn[:, 2].all())
    assert float(drawn[:, 1].double().mean()) == pytest.approx(0.3, abs=0.015)


@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=0, max_size=7), min_size=1, max_size=5
    )
)
@settings(max_examples=80, deadline=None)
def test_removing_closes_the_gaps_and_keeps_the_order(rows: list[list[tuple[int, bool]]]) -> None:
    history = torch.tensor([[0] * (7 - len(row)) + [item for item, _ in row] for row in rows])
    removed = torch.tensor([[False] * (7 - len(row)) + [gone for _, gone in row] for row in rows])
    for result, row in zip(stability.remove(history, removed).tolist(), rows, strict=True):
        kept = [item for item, gone in row if not gone]
        assert result == [0] * (7 - len(kept)) + kept


def test_reading_the_steps_gathers_what_the_single_functions_say() -> None:
    items, mask = embedded(3, 5), left_padded([5, 2, 1], 5)
    told = stability.read_steps(items, mask)
    torch.testing.assert_close(told.cosine, stability.step_cosines(items, mask))
    torch.testing.assert_close(told.continuity, stability.continuity(items, mask))
    assert told.pairs.tolist() == [4, 1, 0]
    assert told.routed.tolist() == [True, False, False], "one step or none cannot be more or less even"
    assert float(told.evenness[0]) == pytest.approx(float(told.entropy[0]) / math.log(4))


def test_turnpoints_are_the_slots_reached_by_a_below_average_step() -> None:
    continuity = torch.tensor([[0.0, 0.2, 0.5, 0.3], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 1.0]])
    mask = left_padded([4, 5, 2], 5)
    expected = [[False, False, True, False, True], [False] * 5, [False] * 5]
    assert stability.below_average(continuity, mask).tolist() == expected
    half = [[False] * 5, [False] * 5, [False] * 5]
    assert stability.below_average(continuity, mask, level=0.5).tolist() == half


@pytest.mark.parametrize("length", range(2, 12))
def test_a_perfectly_even_history_has_no_turnpoint_by_rounding(length: int) -> None:
    items, mask = torch.full((1, length, 8), 0.37), torch.ones(1, length, dtype=torch.bool)
    assert not stability.below_average(stability.continuity(items, mask), mask).any()


# The released readings: numbers of the authors' code. Embedding of item i (0-based, 4 wide): sin(1.7 k + 0.3 i^2) with
# k counting all entries; item 8 is the padding, which stands after the items there and before them here.

RELEASED_ROWS = [[1, 2, 3, 4, 5, 6], [7, 3, 8, 1], [4, 4, 2], [6, 8], [5], []]
RELEASED_CONTINUITY = [
    [0.413960, 0.269886, 0.136994, 0.096757, 0.082402],
    [0.235325, 0.046581, 0.285092, 0.107697, 0.325305],
    [0.303029, 0.043128, 0.047786, 0.303029, 0.303029],
    [0.070105, 0.144070, 0.261942, 0.261942, 0.261942],
    [0.044514, 0.238872, 0.238872, 0.238872, 0.238872],
    [0.2, 0.2, 0.2, 0.2, 0.2],
]
RELEASED_ENTROPY = [1.422580, 1.446394, 1.366277, 1.518170, 1.506618, 1.609438]
# One uniform number for each item of the rows above, and what the released loop leaves of them for three rates.
RELEASED_DRAWS = [
    *([0.623, 0.742, 0.795, 0.942, 0.740, 0.922], [0.029, 0.466, 0.943, 0.649], [0.469, 0.247, 0.544]),
    *([0.279, 0.916], [0.617], []),
]
RELEASED_LEFT = {
    0.5: [[2, 4, 5, 6], [3, 8, 1], [4, 2], [6, 8], [5], []],
    0.9: [[2, 4, 5, 6], [3, 8], [4, 2], [8], [5], []],
    10.0: [[2], [3], [4], [8], [5], []],
}


def released_reading() -> tuple[Tensor, Tensor, stability.StepReading]:
    """History (6, 6), its real slots, and the steps over the padded pairs."""
    history = pad(RELEASED_ROWS, 6)
    entries = torch.arange(36).reshape(9, 4)
    table = torch.sin(1.7 * entries + 0.3 * (entries // 4) ** 2).roll(1, dims=0)  # the padding's row becomes row 0
    return history, history != 0, stability.read_padded_steps(table[history], history != 0)


def test_padded_continuity_and_entropy_are_those_of_the_released_code() -> None:
    """Against maowenyu-11/TDM, commit aa9edf5, ``cacu_h``."""
    _, _, told = released_reading()
    for row, (items, expected) in enumerate(zip(RELEASED_ROWS, RELEASED_CONTINUITY, strict=True)):
        pairs = max(len(items) - 1, 0)
        assert told.continuity[row, 5 - pairs :].tolist() == pytest.approx(expected[:pairs], abs=1e-6)
        assert sorted(told.continuity[row].tolist()) == pytest.approx(sorted(expected), abs=1e-6)
    assert told.entropy.tolist() == pytest.approx(RELEASED_ENTROPY, abs=1e-6)
    assert told.pairs.tolist() == [5] * 6 and bool(told.routed.all()), "padding makes every history routable"


def test_the_padded_entropy_can_hardly_move_so_that_one_threshold_routes_everything() -> None:
    generator = torch.Generator().manual_seed(0)
    items, mask = torch.randn(2000, 10, 64, generator=generator), left_padded(list(range(1, 11)) * 200, 10)
    padding = torch.randn(64, generator=generator)
    told = stability.read_padded_steps(torch.where(mask[..., None], items, padding), mask)
    assert bool((told.entropy > 1.8893).all()), "the threshold of CARD's instructions"


def test_the_released_removal_takes_the_items_that_have_moved_into_the_tested_slots() -> None:
    """Against maowenyu-11/TDM, commit aa9edf5: its loop with these uniform numbers, every row edited."""
    history, mask, told = released_reading()
    draws = torch.ones(6, 6)
    draws[mask] = torch.tensor([u for row in RELEASED_DRAWS for u in row])
    for rate, expected in RELEASED_LEFT.items():
        chance = stability.window_removal_probability(told.continuity, mask, rate)
        left = stability.remove_shifting(history, draws < chance)
        assert torch.equal(left, pad(expected, 6)), rate


def shifting_loop(items: list[int], drawn: list[bool]) -> list[int]:
    """The released loop on a window padded on the right."""
    window, length = [*items, *[0] * len(items)], len(items)
    for slot in range(len(items) - 1):
        if drawn[slot]:
            del window[slot]
            length -= 1
    return [item for item in window[:length] if item]


@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=0, max_size=8), min_size=1, max_size=5
    )
)
@settings(max_examples=100, deadline=None)
def test_the_shifting_removal_equals_the_loop_that_moves_items(rows: list[list[tuple[int, bool]]]) -> None:
    items = [[item for item, _ in row] for row in rows]
    drawn = [[gone for _, gone in row[:-1]] + [False] * bool(row) for row in rows]
    history = pad(items, 8)
    marks = torch.tensor([[False] * (8 - len(row)) + row for row in drawn])
    expected = [shifting_loop(row, marks) for row, marks in zip(items, drawn, strict=True)]
    assert torch.equal(stability.remove_shifting(history, marks), pad(expected, 8))


def test_the_shift_can_lose_the_newest_item() -> None:
    history = torch.tensor([[0, 1, 2, 3, 4, 5]])
    every = torch.tensor([[False, True, True, True, True, False]])
    assert stability.remove_shifting(history, every).tolist() == [[0, 0, 0, 0, 0, 2]]
    assert stability.remove(history, every).tolist() == [[0, 0, 0, 0, 0, 5]]


def test_even_histories_are_edited_more_often_and_the_rate_is_the_mean() -> None:
    """Against maowenyu-11/TDM, commit aa9edf5: p_1 times stability times the number of rows."""
    chance = stability.sequence_probability(torch.tensor(RELEASED_ENTROPY), 0.1, stability_scaled=True)
    expected = [0.094298, 0.096571, 0.089136, 0.103757, 0.102565, 0.113672]
    assert chance.tolist() == pytest.approx(expected, abs=1e-6)
    assert float(chance.mean()) == pytest.approx(0.1)
    plain = stability.sequence_probability(torch.tensor(RELEASED_ENTROPY), 0.1, stability_scaled=False)
    assert plain.tolist() == pytest.approx([0.1] * 6)
    assert stability.sequence_probability(torch.tensor([0.0, 9.0]), 0.9, stability_scaled=True).tolist()[1] == 1.0


def test_an_absolute_bound_marks_low_steps_between_items_alone() -> None:
    continuity = torch.tensor([[0.05, 0.02, 0.5, 0.09], [0.05, 0.05, 0.05, 0.05]])
    mask = left_padded([3, 5], 5)
    assert stability.below(continuity, mask, 0.1).tolist() == [
        [False, False, False, False, True],
        [False, True, True, True, True],
    ]


def test_the_average_may_be_taken_over_padded_pairs() -> None:
    continuity = torch.tensor([[0.2, 0.2, 0.35, 0.25]])
    mask = left_padded([3], 5)
    assert stability.below_average(continuity, mask).tolist() == [[False, False, False, True, True]]
    assert stability.below_average(continuity, mask, pairs=torch.tensor([4])).tolist() == [[False] * 5]


def test_histories_lose_a_share_of_their_own_at_random() -> None:
    history = torch.arange(1, 51).repeat(4000, 1)
    kept = stability.lose_at_random(history, 0.6, torch.Generator().manual_seed(0))
    left = (kept != 0).double().mean(dim=1)
    assert float(left.mean()) == pytest.approx(0.7, abs=0.01), "0.3 are lost on average"
    assert left.std() > 0.15, "some histories lose hardly anything, others more than half"
    assert torch.equal(stability.lose_at_random(history, 0.0, torch.Generator()), history)
    row = kept[7]
    assert row[row != 0].tolist() == sorted(row[row != 0].tolist()), "what is left keeps its order"
    assert not row[: int((row == 0).sum())].any(), "gaps are closed to the right"
