"""The released encoder, against the authors' code and against the formula written out for whole windows."""

import pytest
import torch
from torch import Tensor, nn

from demo_core.models.dreamrec import DreamRec
from demo_core.models.guidance_encoder import ReleasedEncoder
from demo_core.sequences import pad
from tests.models.released_network import GUIDANCE, HISTORY, WEIGHED_GUIDANCE, WEIGHTS, L, network, wave


def encoder(model: DreamRec) -> ReleasedEncoder:
    assert isinstance(model.encoder, ReleasedEncoder)
    return model.encoder


@torch.no_grad()
def guidance(model: DreamRec, history: Tensor = HISTORY, weights: Tensor | None = None) -> Tensor:
    return model.guidance(history, weights)


@pytest.mark.parametrize("slip", [True, False])
def test_it_gives_what_the_authors_code_gives(slip: bool) -> None:
    """Figures of CARD.py; with LayerNorms that are not fresh, no query sums to 0 by chance."""
    expected = torch.tensor(GUIDANCE, dtype=torch.float64)
    torch.testing.assert_close(guidance(network(f"exact_zero_masks={slip}")), expected, atol=1e-8, rtol=0)


def test_weights_on_the_input_give_what_the_authors_code_gives() -> None:
    """Figures of CARD.py, among them an item of weight 0, which is not seen, and a window of nothing else."""
    expected = torch.tensor(WEIGHED_GUIDANCE, dtype=torch.float64)
    torch.testing.assert_close(guidance(network(), weights=WEIGHTS), expected, atol=1e-8, rtol=0)


def test_without_the_slip_an_item_of_weight_zero_is_still_seen() -> None:
    plain = guidance(network("exact_zero_masks=False"), weights=WEIGHTS)
    released = guidance(network(), weights=WEIGHTS)
    changed = ((plain - released).abs() > 1e-6).any(dim=1).tolist()
    assert changed == [True, False, False, False], "only the first window has an item of weight 0 beside others"


def test_the_newest_slot_alone_is_the_last_row_of_the_whole_layer() -> None:
    model = network("exact_zero_masks=False")
    own = encoder(model)
    with torch.no_grad():
        x = model.item_embedding(HISTORY[:1]) + own.position
        normal = own.attention_norm(x)
        key_bias = wave(50, 8)  # moves all logits of a query alike
        logits = own.query(normal) @ (own.key(x) + key_bias).mT / 8**0.5
        future = torch.ones(L, L, dtype=torch.bool).triu(1)
        mixed = logits.masked_fill(future, -torch.inf).softmax(dim=-1) @ own.value(x) + normal
        u = own.feed_forward_norm(mixed)
        whole = own.norm(own.residual_norm(own.feed_forward(u) + u))
    torch.testing.assert_close(guidance(model, HISTORY[:1]), whole[:, -1])


def test_an_empty_history_is_the_bias_of_the_last_norm() -> None:
    model = network()
    torch.testing.assert_close(guidance(model, pad([[]], L))[0], encoder(model).norm.bias.detach())


def test_positions_count_from_the_oldest_item_whatever_stands_before_it() -> None:
    model = network()
    short, padded = guidance(model, pad([[5, 2]], 2)), guidance(model, pad([[5, 2]], L))
    torch.testing.assert_close(short, padded)
    with torch.no_grad():
        encoder(model).position[2:] += 1
    torch.testing.assert_close(guidance(model, pad([[5, 2]], L)), padded)


def test_a_fresh_query_that_sums_to_exactly_zero_attends_to_nothing() -> None:
    """A LayerNorm whose bias is untouched gives a vector whose sum is 0 up to rounding; here it is exactly 0."""
    model = network()
    own = encoder(model)
    with torch.no_grad():
        own.attention_norm.weight.zero_()
        own.attention_norm.bias.zero_()
        alone, together = guidance(model, pad([[2]], L)), guidance(model, pad([[4, 1, 2]], L))
        own.exact_zero_masks = False
        heard = guidance(model, pad([[4, 1, 2]], L))
    torch.testing.assert_close(alone, together)
    assert not torch.allclose(heard, together)


@pytest.mark.parametrize("place", ["attention", "embedding", "input"])
def test_weights_of_one_change_nothing_and_others_do(place: str) -> None:
    model = network(f"weights_on={place}")
    plain = guidance(model)
    torch.testing.assert_close(guidance(model, weights=torch.ones_like(WEIGHTS)), plain)
    assert not torch.allclose(guidance(model, weights=WEIGHTS)[0], plain[0])


def test_weights_on_the_embedding_leave_the_position_alone() -> None:
    model = network("weights_on=embedding")
    weighed = guidance(model, weights=WEIGHTS)[:1]
    with torch.no_grad():
        table = nn.Embedding(L + 1, 8, dtype=torch.float64)
        table.weight[1:] = WEIGHTS[0][:, None] * model.item_embedding(HISTORY[0])
        expected = encoder(model)(torch.arange(1, L + 1)[None], table)
    torch.testing.assert_close(weighed, expected)


def test_weights_on_the_attention_are_factors_of_it() -> None:
    model = network("weights_on=attention", "exact_zero_masks=False")
    doubled = guidance(model, pad([[1, 2]], L), torch.tensor([[1.0, 1.0, 2.0, 2.0]]).double())
    torch.testing.assert_close(doubled, guidance(model, pad([[1, 2]], L)), msg="all alike: the same shares")


def test_a_window_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 4"):
        guidance(network(), torch.ones(1, 5, dtype=torch.int64))


def test_in_training_it_drops_and_the_padding_row_gets_no_gradient() -> None:
    model = network("dropout=0.5", "input_dropout=0.5").train()
    assert not torch.allclose(model.guidance(HISTORY, None), model.guidance(HISTORY, None))
    model.guidance(HISTORY, None).sum().backward()
    gradient = model.item_embedding.weight.grad
    assert gradient is not None and not gradient[0].any()
    assert bool(gradient[2].any())
