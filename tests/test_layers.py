"""The shared blocks, against loops over heads, slots and frequencies in float64."""

import math

import pytest
import torch
from torch import Tensor

from demo_core import layers

MASK = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]], dtype=torch.bool)


def encoder(depth: int = 2) -> layers.CausalEncoder:
    torch.manual_seed(0)
    return layers.CausalEncoder(dim=8, max_length=7, layers=depth, heads=2, dropout=0.3, input_dropout=0.3).eval()


@pytest.fixture
def embedded() -> Tensor:
    return torch.randn(*MASK.shape, 8, generator=torch.Generator().manual_seed(1))


def test_attention_equals_a_loop_over_heads_and_queries() -> None:
    torch.manual_seed(0)
    attention = layers.SelfAttention(dim=6, heads=2, dropout=0.0).double()
    queries, memory = torch.randn(1, 2, 6).double(), torch.randn(1, 3, 6).double()
    logits = torch.tensor([[0.0, -math.inf, 0.3], [0.1, 0.2, -0.5]]).double()
    query = attention.query(queries)[0].detach()
    key, value = attention.key_value(memory)[0].detach().chunk(2, dim=-1)
    mixed = torch.zeros(2, 6, dtype=torch.float64)
    for head in (slice(0, 3), slice(3, 6)):
        for q in range(2):
            strength = [
                math.exp(float(query[q, head] @ key[n, head]) / math.sqrt(3) + float(logits[q, n])) for n in range(3)
            ]
            for n in range(3):
                mixed[q, head] += strength[n] / sum(strength) * value[n, head]
    torch.testing.assert_close(attention(queries, memory, logits[None, None])[0], attention.out(mixed))


def test_attention_refuses_a_width_that_the_heads_do_not_divide() -> None:
    with pytest.raises(ValueError, match="divisible"):
        layers.SelfAttention(dim=8, heads=3, dropout=0.0)


def test_attention_logits_allow_real_older_slots_and_the_slot_itself() -> None:
    logits = layers.attention_logits(MASK, torch.float32)
    for row, query, key in ((r, q, k) for r in range(3) for q in range(5) for k in range(5)):
        allowed = (key <= query and bool(MASK[row, key])) or key == query
        assert float(logits[row, 0, query, key]) == (0.0 if allowed else -math.inf)


def test_a_weight_multiplies_the_attention_that_a_slot_gets() -> None:
    weights = torch.tensor([[0.5, 1.0, 1.6, 0.2, 1.0]])
    full = torch.ones(1, 5, dtype=torch.bool)
    similarity = torch.randn(5, generator=torch.Generator().manual_seed(2))
    shares = (similarity + layers.attention_logits(full, torch.float32, weights)[0, 0, -1]).softmax(dim=0)
    plain = similarity.exp() * weights[0]
    torch.testing.assert_close(shares, plain / plain.sum())


def test_the_last_slot_alone_equals_the_last_slot_of_all(embedded: Tensor) -> None:
    model = encoder()
    torch.testing.assert_close(model(embedded, MASK, last_only=True), model(embedded, MASK)[:, -1])


def test_a_newer_item_does_not_change_older_states(embedded: Tensor) -> None:
    model = encoder()
    changed = embedded.clone()
    changed[:, -1] = embedded[:, -1].flip(-1)
    torch.testing.assert_close(model(changed, MASK)[:, :-1][MASK[:, :-1]], model(embedded, MASK)[:, :-1][MASK[:, :-1]])
    assert not torch.allclose(model(changed, MASK)[:, -1], model(embedded, MASK)[:, -1])


def test_what_stands_in_a_padded_slot_is_never_read(embedded: Tensor) -> None:
    model = encoder()
    changed = torch.where(MASK[..., None], embedded, embedded + 100.0)
    torch.testing.assert_close(model(changed, MASK)[MASK], model(embedded, MASK)[MASK])


def test_more_left_padding_changes_nothing(embedded: Tensor) -> None:
    model = encoder()
    longer = torch.cat([torch.randn(3, 2, 8), embedded], dim=1)
    mask = torch.cat([torch.zeros(3, 2, dtype=torch.bool), MASK], dim=1)
    torch.testing.assert_close(model(longer, mask, last_only=True), model(embedded, MASK, last_only=True))


def test_weights_of_one_change_nothing_and_other_weights_do(embedded: Tensor) -> None:
    model, ones = encoder(), torch.ones(MASK.shape)
    torch.testing.assert_close(model(embedded, MASK, weights=ones), model(embedded, MASK))
    ones[:, 3] = 1.9
    assert not torch.allclose(model(embedded, MASK, ones)[0, -1], model(embedded, MASK)[0, -1])


def test_a_weight_of_zero_hides_a_slot_from_the_others(embedded: Tensor) -> None:
    model, weights, hidden = encoder(depth=1), torch.ones(MASK.shape), MASK.clone()
    weights[:, 3], hidden[:, 3] = 0.0, False
    seen = model(embedded, MASK, weights, last_only=True)
    torch.testing.assert_close(seen, model(embedded, hidden, last_only=True), atol=1e-4, rtol=0)


def test_a_row_of_padding_alone_comes_out_finite_with_finite_gradients() -> None:
    model = encoder()
    x = torch.zeros(1, 5, 8, requires_grad=True)
    state = model(x, torch.zeros(1, 5, dtype=torch.bool), last_only=True)
    state.sum().backward()
    assert torch.isfinite(state).all()
    assert x.grad is not None and torch.isfinite(x.grad).all()


def test_the_encoder_refuses_more_slots_than_it_has_positions() -> None:
    with pytest.raises(ValueError, match="at most 7"):
        encoder()(torch.zeros(1, 8, 8), torch.ones(1, 8, dtype=torch.bool))


def test_window_keeps_the_newest_and_pads_on_the_left() -> None:
    history = torch.tensor([[1, 2, 3]])
    assert layers.window(history, 2).tolist() == [[2, 3]]
    assert layers.window(history, 5).tolist() == [[0, 0, 1, 2, 3]]
    assert layers.window(history[:, :0], 2).tolist() == [[0, 0]]


def test_the_start_token_fills_empty_rows_only() -> None:
    history = torch.tensor([[0, 0, 0], [0, 0, 4]])
    assert layers.with_start(history, 9).tolist() == [[0, 0, 9], [0, 0, 4]]
    assert history.tolist() == [[0, 0, 0], [0, 0, 4]], "the history that came in stays as it was"


def test_items_before_a_slot_move_to_the_right_end() -> None:
    sequence = torch.tensor([[0, 5, 6, 7], [1, 2, 3, 4], [0, 0, 0, 9]])
    moved = layers.items_before(sequence, torch.tensor([3, 1, 3]))
    assert moved.tolist() == [[0, 0, 5, 6], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_a_causal_encoder_may_be_told_to_look_both_ways(embedded: Tensor) -> None:
    torch.manual_seed(0)
    model = layers.CausalEncoder(dim=8, max_length=7, layers=1, heads=2, dropout=0.0, causal=False).eval()
    changed = embedded.clone()
    changed[:, -1] = embedded[:, -1].flip(-1)
    real = MASK[:, :-1]
    assert not torch.allclose(model(changed, MASK)[:, :-1][real], model(embedded, MASK)[:, :-1][real])


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropout = layers.Dropout(0.3)
    result = dropout(torch.ones(400, 1001))
    dropped = round(256 * 0.3) / 256
    assert float((result == 0).double().mean()) == pytest.approx(dropped, abs=0.002)
    assert result.unique().tolist() == pytest.approx([0.0, 1 / (1 - dropped)])
    assert float(result.mean()) == pytest.approx(1.0, abs=0.005)


def test_dropout_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    gone = (layers.Dropout(0.5)(torch.ones(200, 1000)) == 0).double()
    together = float((gone[:, 1:] * gone[:, :-1]).mean())
    assert together == pytest.approx(0.25, abs=0.005)


def test_dropout_leaves_everything_alone_outside_training_and_at_rate_zero() -> None:
    x = torch.randn(3, 4)
    assert layers.Dropout(0.5).eval()(x) is x
    assert layers.Dropout(0.0)(x) is x
    with pytest.raises(ValueError, match="rate"):
        layers.Dropout(1.0)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_gelu_and_its_gradient_are_those_of_pytorch(shape: tuple[int, ...]) -> None:
    own, other = (torch.linspace(-3, 3, math.prod(shape)).reshape(shape).requires_grad_() for _ in range(2))
    ours, theirs = layers.GELU()(own), torch.nn.functional.gelu(other)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*torch.autograd.grad([ours.square().sum(), theirs.square().sum()], [own, other]))


@pytest.mark.parametrize("columns", [1, 10, 16, 17])
def test_a_softmax_over_rows_is_that_of_pytorch(columns: int) -> None:
    logits = torch.linspace(-2, 2, 3 * columns).reshape(3, columns)
    torch.testing.assert_close(layers.row_softmax(logits), logits.softmax(dim=-1))


def test_step_embedding_equals_a_loop_over_frequencies() -> None:
    result = layers.step_embedding(torch.tensor([0, 7, 999]), 8)
    for row, time in enumerate((0, 7, 999)):
        angles = [time * 10000.0 ** (-k / 3) for k in range(4)]
        expected = [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
        assert result[row].tolist() == pytest.approx(expected, abs=2e-4)


def test_unit_vectors_have_length_one_and_zero_stays_zero() -> None:
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    assert layers.unit(vectors).flatten().tolist() == pytest.approx([0.6, 0.8, 0.0, 0.0])


def test_item_tables_start_small_with_a_zero_row_for_padding() -> None:
    torch.manual_seed(0)
    table = layers.embedding_table(2000, 16)
    assert float(table.weight[1:].std().detach()) == pytest.approx(0.02, rel=0.05)
    assert not table.weight[0].any()
    table(torch.tensor([0, 5])).sum().backward()
    assert table.weight.grad is not None and not table.weight.grad[0].any(), "padding is never trained"


def sines(frequency: float) -> Tensor:
    return torch.sin(torch.arange(1, 13, dtype=torch.float64) * frequency).reshape(3, 4)


def test_nt_xent_is_that_of_the_released_code() -> None:
    """Numbers of hw-du/CBiT (commit 41b5721, ``NTXENTloss`` with cosine similarity, no projection, temperature 0.3)."""
    second = torch.cos(torch.arange(1, 13, dtype=torch.float64) * 0.7).reshape(3, 4)
    assert float(layers.nt_xent(sines(1.0), second, 0.3)) == pytest.approx(1.3341667169264568, rel=1e-12)
    assert float(layers.nt_xent(sines(1.0), sines(1.3), 0.3)) == pytest.approx(3.597598620067147, rel=1e-12)


def test_nt_xent_asks_every_row_for_its_partner_among_all_other_rows() -> None:
    first, second = sines(1.0), sines(1.3)
    rows = torch.cat([first, second])
    cosine = torch.cosine_similarity(rows[:, None], rows[None], dim=2).tolist()
    losses = []
    for i in range(6):
        others = [math.exp(cosine[i][j] / 0.5) for j in range(6) if j != i]
        losses.append(math.log(sum(others)) - cosine[i][(i + 3) % 6] / 0.5)
    assert float(layers.nt_xent(first, second, 0.5)) == pytest.approx(sum(losses) / 6, rel=1e-12)


def test_nt_xent_of_all_pairs_is_that_of_each_pair_and_its_gradient_is_exact() -> None:
    views = torch.stack([sines(1.0), sines(1.3), sines(0.4)]).requires_grad_()
    together = layers.nt_xent_pairs(views, 0.3).detach()
    for j, k in [(0, 1), (0, 2), (1, 2)]:
        torch.testing.assert_close(together[j, k], layers.nt_xent(views[j], views[k], 0.3).detach())
    torch.testing.assert_close(together, together.T)
    assert not bool(together.diagonal().any())
    assert torch.autograd.gradcheck(lambda x: layers.nt_xent_pairs(x, 0.3), views)
