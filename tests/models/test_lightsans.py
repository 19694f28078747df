"""LightSANs: attention to latent interests, positions apart from items, both softmax axes, the authors' numbers."""

import math

import pytest
import torch
from torch import Tensor

from demo_core.layers import SelfAttention, attention_logits
from demo_core.models.lightsans import (
    InterestAttention,
    LightLayer,
    LightSANs,
    LightSANsConfig,
    attention_weights,
    interest_weights,
    position_logits,
)
from demo_core.models.post_norm import split_heads
from demo_core.sequences import PADDING, Batch, pad
from demo_core.slots import Slots

M, D, L = 9, 4, 5
FULL = [[3, 5, 3, 5, 7], [4, 8, 9, 1, 2]]
RAGGED = [[3, 5, 3, 5, 7], [2], [1, 1, 4], []]
EVERY_AXIS = pytest.mark.parametrize("axis", ["keys", "queries"])


def wave(shape: torch.Size, place: int) -> Tensor:
    number = torch.arange(1, math.prod(shape) + 1, dtype=torch.float64)
    return torch.sin(number * (1 + 0.1 * place)).reshape(shape)


def waves(axis: str = "keys") -> LightSANs:
    """A model whose parameters are sines, each with a frequency of its own."""
    torch.manual_seed(0)
    config = LightSANsConfig(num_items=M, max_length=L, embedding_dim=D, interests=2)
    built = LightSANs(config.override(f"softmax_axis={axis}")).double()
    places = [(0, built.item_embedding.weight[: M + 1]), (1, built.position)]
    for number, layer in enumerate(built.layers):
        assert isinstance(layer, LightLayer)
        attention, update = layer.attention, layer.feed_forward.update
        both, position = attention.key_value, attention.position_query_key
        parameters = [attention.query.weight, attention.query.bias, both.weight[:D], both.bias[:D]]
        parameters += [both.weight[D:], both.bias[D:], attention.key_interests, attention.value_interests]
        parameters += [position.weight[:D], position.bias[:D], position.weight[D:], position.bias[D:]]
        parameters += [attention.out.weight, attention.out.bias]
        parameters += [*update[0].parameters(), *update[2].parameters()]
        places += [(20 * number + 2 + place, parameter) for place, parameter in enumerate(parameters)]
    with torch.no_grad():
        for place, parameter in places:
            parameter.copy_(wave(parameter.shape, place))
        built.position.copy_(built.position.flip(0))
        built.item_embedding.weight[PADDING] = 0
    return built.eval()


def attention_of(interests: int, axis: str = "keys") -> InterestAttention:
    torch.manual_seed(0)
    return InterestAttention(8, 2, interests, 0.0, axis).double()


def test_scores_are_those_of_the_released_code() -> None:
    """Numbers of BELIEVEfxy/LightSANs (commit 94ce7e5, LightTransformerEncoder) for the same parameters in float64,
    with the LayerNorms' epsilon at PyTorch's 1e-5; its softmax is over the queries. Histories are full: it has no mask.
    """
    first = [-1.8458913390380678, 1.9770750749407413, -0.738713682368858, -1.0113641026905964, 2.0608570705571765]
    first += [-1.6827680526721416, 0.13900413548727908, 1.5010497198022992, -2.101307283383049]
    second = [-2.0991403407908686, 2.0232280187073957, -0.545799835170358, -1.3097108576523648, 2.257968129730915]
    second += [-1.6421020705715408, -0.11126904325888187, 1.7875626712230719, -2.2255888306188765]
    scores = waves("queries").score(pad(FULL, L)).detach()[:, 1:]
    torch.testing.assert_close(scores, torch.tensor([first, second], dtype=torch.float64), atol=1e-12, rtol=0)
    assert not torch.allclose(waves("keys").score(pad(FULL, L))[:, 1:], scores, atol=1e-3)


def test_with_as_many_interests_as_items_and_each_one_item_it_is_full_attention() -> None:
    """Theta that gives every item an interest of its own: keys (L, D) times the pseudo-inverse of the keys is the unit
    matrix, and 1,000 times it a softmax over one item.
    """
    attention, mask = attention_of(interests=4), torch.ones(1, 4, dtype=torch.bool)
    x = torch.randn(1, 4, 8, dtype=torch.float64)
    query = attention.query(x)
    key, value = attention.key_value(x).chunk(2, dim=-1)
    with torch.no_grad():
        attention.key_interests.copy_(1000 * torch.linalg.pinv(key[0]))
        attention.value_interests.copy_(1000 * torch.linalg.pinv(value[0]))
    identity = torch.eye(4, dtype=torch.float64)[None]
    torch.testing.assert_close(interest_weights(key, attention.key_interests, mask), identity)
    full = SelfAttention(8, 2, 0.0).double()
    expected = full.mix(query, torch.cat([key, value], dim=-1), attention_logits(mask, x.dtype, causal=False))
    found = attention.of_items(query, key, value, mask, mask)
    torch.testing.assert_close(found, split_heads(expected, 2))


def test_interests_are_softmax_mixtures_of_the_real_items() -> None:
    items = torch.tensor([[[9.0, 9.0], [0.0, 1.0], [math.log(3), 1.0]]])
    theta = torch.tensor([[1.0, 0.0], [0.0, 5.0]])  # one interest looks at the first number, one at the second
    weights = interest_weights(items, theta, torch.tensor([[False, True, True]]))
    torch.testing.assert_close(weights, torch.tensor([[[0.0, 0.25, 0.75], [0.0, 0.5, 0.5]]]))


def test_a_single_interest_is_the_same_for_every_query() -> None:
    attention, mask = attention_of(interests=1), torch.ones(1, 4, dtype=torch.bool)
    x = torch.randn(1, 4, 8, dtype=torch.float64)
    key, value = attention.key_value(x).chunk(2, dim=-1)
    found = attention.of_items(attention.query(x), key, value, mask, mask)
    torch.testing.assert_close(found, found[:, :, :1].expand_as(found))


def test_a_history_of_one_item_repeated_is_pooled_into_its_own_value() -> None:
    attention, mask = attention_of(interests=3), torch.tensor([[False, True, True, True]])
    x = torch.randn(1, 4, 8, dtype=torch.float64)
    x[:, 1:] = x[:, 1:2].clone()
    key, value = attention.key_value(x).chunk(2, dim=-1)
    found = attention.of_items(attention.query(x), key, value, mask, mask)
    torch.testing.assert_close(found, split_heads(value[:, 1:2], 2).expand_as(found))


def test_weights_sum_to_one_over_the_axis_and_unreal_slots_get_none() -> None:
    logits = torch.log(torch.tensor([[[[9.0, 9.0, 9.0], [9.0, 1.0, 4.0], [9.0, 3.0, 1.0]]]]))
    real = torch.tensor([[False, True, True]])
    over_keys = attention_weights(logits, "keys", real, real)[0, 0, 1:]
    torch.testing.assert_close(over_keys, torch.tensor([[0.0, 0.2, 0.8], [0.0, 0.75, 0.25]]))
    over_queries = attention_weights(logits, "queries", real, real)[0, 0]
    torch.testing.assert_close(over_queries, torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.25, 0.8], [0.0, 0.75, 0.2]]))


def test_over_the_queries_the_newest_items_weights_shrink_with_those_who_compete() -> None:
    sums = []
    for number in (1, 2, 4):
        real = torch.ones(1, number, dtype=torch.bool)
        sums.append(float(attention_weights(torch.zeros(1, 1, number, 3), "queries", real)[0, 0, -1].sum()))
    assert sums == pytest.approx([3.0, 1.5, 0.75])


def test_position_logits_are_scaled_twice() -> None:
    query, key = torch.tensor([[[1.0, 2.0, 0.0, 1.0]]]), torch.tensor([[[3.0, 1.0, 7.0, 1.0]]])
    assert float(position_logits(query, key)) == pytest.approx(6 / math.sqrt(2 * 4) / math.sqrt(4))


@EVERY_AXIS
def test_the_weights_of_positions_do_not_depend_on_the_items(axis: str) -> None:
    attention, mask = attention_of(2, axis), torch.tensor([[False, True, True, True], [False, True, True, True]])
    position = torch.randn(4, 8, dtype=torch.float64)
    value = torch.randn(2, 4, 8, dtype=torch.float64)
    both = attention.of_positions(position, value, mask, mask)
    total = attention.of_positions(position, value.sum(dim=0, keepdim=True), mask[:1], mask[:1])
    torch.testing.assert_close(both.sum(dim=0, keepdim=True), total)  # linear in the values, with the same weights
    value[:, 0] = 100
    torch.testing.assert_close(attention.of_positions(position, value, mask, mask)[:, :, 1:], both[:, :, 1:])


@EVERY_AXIS
def test_what_the_padding_row_holds_changes_nothing(axis: str) -> None:
    model = waves(axis)
    before = model.score(pad(RAGGED, L)).detach()
    with torch.no_grad():
        model.item_embedding.weight[PADDING] = 3.0
    torch.testing.assert_close(model.score(pad(RAGGED, L)), before)


@EVERY_AXIS
def test_computing_padding_too_changes_nothing(axis: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an accelerator, where nothing is packed."""
    model, history, at = waves(axis), pad(RAGGED, L), torch.tensor([4, 4, 3, 2])
    packed, context = model.score(history), model.masked_context(history, at)
    monkeypatch.setattr(Slots, "of", lambda mask: Slots(tuple(mask.shape), None, None))
    torch.testing.assert_close(model.score(history), packed)
    torch.testing.assert_close(model.masked_context(history, at), context)


@EVERY_AXIS
def test_the_newest_state_is_the_last_of_all_states(axis: str) -> None:
    model, history = waves(axis), pad(RAGGED[:3], L)
    torch.testing.assert_close(model.encode(history), model.states(history)[:, -1])
    assert not model.states(history)[history == PADDING].any()


def test_the_order_of_the_items_matters_and_those_outside_the_window_do_not() -> None:
    model = waves()
    assert not torch.allclose(model.score(pad([[1, 2, 3]], L))[:, 1:], model.score(pad([[2, 1, 3]], L))[:, 1:])
    longer = pad([[9, 8, 1, 2, 3, 4, 5]], 7)
    torch.testing.assert_close(model.score(longer), model.score(longer[:, -L:]))


def test_masked_context_is_read_from_what_stands_before_the_position() -> None:
    model, at = waves(), torch.tensor([3, 4])
    sequence = pad([[4, 8, 9, 8, 6], [1]], L)
    state, mean = model.masked_context(sequence, at)
    visible = pad([[4, 8, 9], []], L)
    torch.testing.assert_close(state, model.encode(visible))
    torch.testing.assert_close(mean[0], model.states(visible[:1])[0, -3:].mean(dim=0))
    changed = sequence.clone()
    changed[0, 3:], changed[1, 4:] = 7, 7
    torch.testing.assert_close(model.masked_context(changed, at), (state, mean))


def test_the_loss_is_the_cross_entropy_over_the_items_and_leaves_the_batch_alone() -> None:
    model = waves()
    batch = Batch(pad([[3, 1, 4], []], L), torch.tensor([2, 9]), torch.tensor([True, True]))
    before = batch.history.clone()
    scores = model.score(batch.history)[:, 1:]
    expected = torch.nn.functional.cross_entropy(scores, batch.target - 1)
    torch.testing.assert_close(model.loss(batch), expected)
    assert torch.equal(batch.history, before)


@pytest.mark.parametrize(
    ("setting", "told"), [("softmax_axis=rows", "keys, queries"), ("interests=0", "at least 1"), ("heads=3", "heads")]
)
def test_a_setting_that_means_nothing_is_refused(setting: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        LightSANs(LightSANsConfig(num_items=M, embedding_dim=8).override(setting))
