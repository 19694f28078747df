import math

import pytest
import torch

from demo_core.layers import Dropout
from demo_core.models.sasrec import SASRec, SASRecConfig
from demo_core.sequences import Batch, pad


def model(*settings: str) -> SASRec:
    torch.manual_seed(0)
    built = SASRec(SASRecConfig(num_items=9, max_length=5, embedding_dim=8).override(*settings))
    torch.nn.init.normal_(built.get_parameter("item_bias"))
    torch.nn.init.normal_(built.item_embedding.weight)
    return built.eval()


def test_scores_are_inner_products_of_the_newest_state_plus_a_bias() -> None:
    sasrec = model()
    history = pad([[3, 1, 4], [5]], 5)
    state, scores = sasrec.encode(history).detach(), sasrec.score(history).detach()
    bias = sasrec.get_parameter("item_bias").detach()
    for row in range(2):
        for item in range(1, 10):
            product = sum(
                float(a * b) for a, b in zip(state[row], sasrec.item_embedding.weight[item].detach(), strict=True)
            )
            assert float(scores[row, item]) == pytest.approx(product + float(bias[item]), abs=1e-4)


def test_the_loss_is_the_cross_entropy_over_the_items_without_padding() -> None:
    sasrec = model()
    batch = Batch(pad([[3, 1, 4], []], 5), torch.tensor([2, 9]), torch.tensor([True, True]))
    rows = sasrec.score(batch.history).double().tolist()
    expected = [
        math.log(sum(math.exp(score) for score in row[1:])) - row[target]
        for row, target in zip(rows, batch.target.tolist(), strict=True)
    ]
    assert float(sasrec.loss(batch).detach()) == pytest.approx(sum(expected) / 2, rel=1e-5)


def test_an_empty_history_is_read_as_the_start_token() -> None:
    sasrec = model()
    before = sasrec.score(pad([[], [3]], 5)).detach()
    with torch.no_grad():
        sasrec.item_embedding.weight[10] += torch.randn(8)
    after = sasrec.score(pad([[], [3]], 5)).detach()
    assert not torch.allclose(before[0, 1:], after[0, 1:])
    torch.testing.assert_close(before[1], after[1])


def test_items_outside_the_window_are_not_read() -> None:
    sasrec = model()
    torch.testing.assert_close(sasrec.score(pad([[9, 8, 1, 2, 3, 4, 5]], 7)), sasrec.score(pad([[1, 2, 3, 4, 5]], 5)))


def test_the_order_of_the_items_matters() -> None:
    sasrec = model()
    assert not torch.allclose(sasrec.score(pad([[1, 2, 3]], 5))[:, 1:], sasrec.score(pad([[2, 1, 3]], 5))[:, 1:])


def test_the_last_of_all_states_is_the_state_that_predicts() -> None:
    sasrec = model()
    history = pad([[3, 1, 4], [5], []], 5)
    states, mask = sasrec.states(history)
    torch.testing.assert_close(states[:, -1], sasrec.encode(history))
    assert mask.sum(dim=1).tolist() == [3, 1, 1], "an empty history has its start token"


def test_an_older_item_knows_nothing_of_a_newer_one() -> None:
    states, _ = model().states(pad([[3, 1, 4], [3, 1, 9]], 5))
    torch.testing.assert_close(states[0, :-1], states[1, :-1])
    assert not torch.allclose(states[0, -1], states[1, -1])


def test_each_rate_of_dropout_goes_where_it_belongs() -> None:
    encoder = model("dropout=0.4", "input_dropout=0.1").encoder
    rates = {name: part.rate for name, part in encoder.named_modules() if isinstance(part, Dropout)}
    assert rates.pop("input_dropout") == 0.1
    assert rates and set(rates.values()) == {0.4}
