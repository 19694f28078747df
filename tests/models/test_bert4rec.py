"""BERT4Rec, and with it what it shares with CBiT: both sides of a hidden item are read."""

import math

import pytest
import torch
from torch import Tensor

from demo_core.models.bert4rec import BERT4Rec, BERT4RecConfig
from demo_core.sequences import Batch, pad

M, L = 9, 5
MASK = M + 1


def model(*settings: str) -> BERT4Rec:
    torch.manual_seed(0)
    built = BERT4Rec(BERT4RecConfig(num_items=M, max_length=L, embedding_dim=8).override(*settings))
    torch.nn.init.normal_(built.get_parameter("item_bias"))
    torch.nn.init.normal_(built.item_embedding.weight)
    return built.eval()


def slots(*positions: int) -> Tensor:
    return torch.tensor(positions)


def log_likelihood(scores: Tensor, target: int) -> float:
    values = scores.double().tolist()
    return values[target] - math.log(sum(math.exp(value) for value in values[1:]))


def test_scores_are_inner_products_of_the_head_of_the_newest_state_plus_a_bias() -> None:
    bert = model()
    history = pad([[3, 1, 4], [5]], L)
    head, scores = bert.head(bert.encode(history)).detach(), bert.score(history).detach()
    bias = bert.get_parameter("item_bias").detach()
    for row in range(2):
        for item in range(1, M + 1):
            product = float(head[row] @ bert.item_embedding.weight[item].detach())
            assert float(scores[row, item]) == pytest.approx(product + float(bias[item]), abs=1e-4)


def test_the_next_item_is_the_mask_after_the_newest_items_that_fit() -> None:
    bert = model()
    tokens = torch.tensor([[6, 7, 8, 9, MASK], [0, 0, 0, 2, MASK], [0, 0, 0, 0, MASK]])
    history = pad([[3, 1, 6, 7, 8, 9], [2], []], 6)
    torch.testing.assert_close(bert.encode(history), bert.states(tokens)[:, -1])
    torch.testing.assert_close(bert.score(history[:1]), bert.score(pad([[6, 7, 8, 9]], 4)))


def test_the_order_of_the_items_matters() -> None:
    bert = model()
    assert not torch.allclose(bert.score(pad([[1, 2, 3]], L))[:, 1:], bert.score(pad([[2, 1, 3]], L))[:, 1:])


def test_a_hidden_slot_reads_both_sides_but_not_what_it_hides() -> None:
    bert = model()
    sequence = pad([[1, 2, 3, 4]], L)
    state, _ = bert.masked_context(sequence, slots(2))
    hidden = sequence.clone()
    hidden[0, 2] = 9
    torch.testing.assert_close(bert.masked_context(hidden, slots(2))[0], state)
    for side in (1, 4):
        other = sequence.clone()
        other[0, side] = 9
        assert not torch.allclose(bert.masked_context(other, slots(2))[0], state)


def test_masked_context_is_the_state_of_the_mask_and_the_mean_over_real_slots() -> None:
    bert = model()
    state, mean = bert.masked_context(pad([[1, 2, 3], [4, 5]], L), slots(3, 4))
    states = bert.states(torch.tensor([[0, 0, 1, MASK, 3], [0, 0, 0, 4, MASK]]))
    torch.testing.assert_close(state, torch.stack([states[0, 3], states[1, 4]]))
    torch.testing.assert_close(mean, torch.stack([states[0, 2:].mean(dim=0), states[1, 3:].mean(dim=0)]))


def test_masked_context_of_the_slot_after_a_history_is_what_predicts_the_next_item() -> None:
    bert = model()
    history = pad([[3, 1, 6, 7, 8, 9], [2], []], 6)
    asked = torch.cat([history, torch.ones(3, 1, dtype=torch.int64)], dim=1)
    state, mean = bert.masked_context(asked, slots(6, 6, 6))
    torch.testing.assert_close(state, bert.encode(history))
    torch.testing.assert_close(mean[2], state[2])  # the mask is all that an empty history has


def test_masked_context_of_an_old_slot_is_read_in_the_newest_window_that_holds_it() -> None:
    bert = model()
    sequence = torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8]])
    torch.testing.assert_close(
        bert.masked_context(sequence, slots(1)), bert.masked_context(torch.tensor([[2, 3, 4, 5, 6]]), slots(0))
    )
    torch.testing.assert_close(
        bert.masked_context(sequence, slots(6)), bert.masked_context(torch.tensor([[4, 5, 6, 7, 8]]), slots(3))
    )


def test_the_cloze_loss_is_the_mean_over_all_hidden_items() -> None:
    bert = model()
    sequence = torch.tensor([[1, 2, 3, 4, 5], [0, 0, 6, 7, 8]])
    hidden = torch.tensor([[True, False, True, False, True], [False, False, False, True, False]])
    states = bert.states(sequence.masked_fill(hidden, MASK))
    likelihood = [
        [log_likelihood(bert.rank(states[row, slot][None])[0], int(sequence[row, slot])) for slot in shown]
        for row, shown in [(0, (0, 2, 4)), (1, (3,))]
    ]
    expected = -sum(map(sum, likelihood)) / 4
    assert float(bert.cloze_loss(states, hidden, sequence).detach()) == pytest.approx(expected, rel=1e-5)


def test_with_the_newest_item_alone_hidden_the_loss_is_that_of_the_next_item() -> None:
    bert = model("last_masked_share=1.0")
    batch = Batch(pad([[3, 1, 4, 2, 5, 6], []], 6), slots(2, 9), torch.tensor([True, True]))
    scores = bert.score(batch.history)
    expected = -(log_likelihood(scores[0], 2) + log_likelihood(scores[1], 9)) / 2
    assert float(bert.loss(batch).detach()) == pytest.approx(expected, rel=1e-5)


def test_the_draws_follow_the_configured_rates() -> None:
    bert = model("mask_rate=0.5", "last_masked_share=0.0", "random_share=0.2", "kept_share=0.1")
    sequence = torch.tensor([[1, 2, 3, 4, 5]]).expand(20000, -1)
    shown, hidden = bert.draw_cloze(sequence, torch.Generator().manual_seed(0))
    assert float(hidden.double().mean()) == pytest.approx(0.5 + 0.5**5 / 5, abs=0.01)
    assert torch.equal(shown[~hidden], sequence[~hidden])
    assert float((shown[hidden] == MASK).double().mean()) == pytest.approx(0.7, abs=0.01)
