"""The parts of AC-TSR's attention, one equation at a time."""

import math

import pytest
import torch

from demo_core.layers import attention_logits
from demo_core.models.calibrated_attention import (
    CalibratedAttention,
    again,
    attacked_weights,
    calibrated_weights,
    distance_term,
    gated_weights,
    of_pairs,
    offsets,
    order_term,
)

D, L = 4, 5


def test_the_order_term_is_the_log_likelihood_of_which_comes_first() -> None:
    belief = torch.tensor([[0.0, math.log(3)], [math.log(3), 0.0]])  # chance 1/2 or 3/4 that the key is later
    later = torch.tensor([[False, True], [False, False]])
    expected = torch.tensor([[1 / 2, 3 / 4], [1 / 4, 1 / 2]]).log()
    torch.testing.assert_close(order_term(belief, later), expected)


def test_the_distance_term_is_a_gaussian_around_the_believed_log_distance() -> None:
    distance = torch.tensor([[0, 1], [1, 0]])
    belief = torch.tensor([[0.5, math.log(2)], [math.log(2) + 1, -1.0]])
    found = distance_term(belief, distance, torch.tensor([2.0]))
    torch.testing.assert_close(found, torch.tensor([[-0.5, 0.0], [-2.0, -2.0]]))


def test_what_is_asked_of_pairs_is_a_linear_map_of_query_and_key_together() -> None:
    torch.manual_seed(0)
    affine = torch.nn.Linear(6, 1)
    query, key = torch.randn(1, 2, 4, 3), torch.randn(1, 2, 5, 3)
    pairs = torch.cat([query[:, :, :, None].expand(-1, -1, 4, 5, -1), key[:, :, None].expand(-1, -1, 4, 5, -1)], dim=-1)
    torch.testing.assert_close(of_pairs(affine, query, key), affine(pairs).squeeze(-1))


def test_under_causal_attention_no_key_is_later_so_that_order_tells_nothing() -> None:
    seen = attention_logits(torch.ones(1, L, dtype=torch.bool), torch.float64)[0, 0] == 0
    offset = offsets(L, L, torch.device("cpu"))
    assert offset[-1].tolist() == [4, 3, 2, 1, 0] and offset[0].tolist() == [0, -1, -2, -3, -4]
    assert not bool((offset[seen] < 0).any())
    assert torch.equal(offsets(1, L, torch.device("cpu")), offset[-1:])


def test_the_adversary_leaves_what_it_spares_and_turns_the_rest_into_noise() -> None:
    weights, mask, drawn = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([1.0, 0.0, 0.5]), torch.tensor([9.0, -2.0, 1.0])
    torch.testing.assert_close(attacked_weights(weights, mask, drawn), torch.tensor([0.5, -2.0, 0.6]))


def test_calibration_raises_what_the_adversary_wanted_gone() -> None:
    weights, mask = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([1.0, 0.0, 0.5])
    torch.testing.assert_close(calibrated_weights(weights, mask), torch.tensor([0.5, 0.3 * math.e, 0.2 * math.e**0.5]))
    even = torch.full((4,), 1 / 4)
    torch.testing.assert_close(calibrated_weights(even, even), even * math.exp(1 - 1 / 4))


def test_the_gate_mixes_weights_before_and_after() -> None:
    gate, before, after = torch.tensor([1.0, 0.0, 0.25]), torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.6, 0.8, 0.6])
    torch.testing.assert_close(gated_weights(gate, before, after), torch.tensor([0.5, 0.8, 0.5]))


def test_gates_belong_to_distances_from_the_query() -> None:
    attention = CalibratedAttention(D, L, 1, 0.0, softmax_again=False)
    with torch.no_grad():
        attention.gate.weight.zero_()
        attention.gate.bias.copy_(torch.tensor([-50.0, 50.0, 50.0, 50.0, 50.0]))  # only a query itself is corrected
    weights, spared = torch.full((1, 1, 3, 3), 0.2), torch.zeros(1, 1, 3, 3)
    unseen = attention_logits(torch.ones(1, 3, dtype=torch.bool), torch.float32)
    used = attention.calibrate(weights, spared, torch.randn(1, 3, D), unseen)[0, 0]
    corrected, kept = pytest.approx(0.2 * math.e), pytest.approx(0.2)
    assert all(float(used[q, k].detach()) == (corrected if q == k else kept) for q in range(3) for k in range(q + 1))


def test_a_further_softmax_makes_weights_nearly_even() -> None:
    unseen = torch.tensor([0.0, 0.0, -math.inf])
    found = again(torch.tensor([1.0, 0.0, 0.5]), unseen)
    torch.testing.assert_close(found, torch.tensor([math.e, 1.0, 0.0]) / (math.e + 1))


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="heads"):
        CalibratedAttention(8, L, 3, 0.0, softmax_again=False)
