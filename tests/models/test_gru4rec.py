"""GRU4Rec: the recurrence over left-padded rows, sampled candidates, and the two losses by hand."""

import math

import pytest
import torch
from torch import Generator, Tensor, nn

from demo_core.models.gated_recurrent import RecurrentEncoder, RecurrentLayer, begun_rows, gru_step
from demo_core.models.gru4rec import GRU4Rec, GRU4RecConfig, bpr_max, cross_entropy
from demo_core.sequences import PADDING, Batch, pad
from tests.models.judging import UNJUDGED
from tests.models.test_contract import steps, world

M, D, L = 9, 4, 6
SCORES = torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.0, 3.0]])
OWN = torch.tensor([0, 1])
NEITHER = torch.tensor([[True, False, False], [False, True, False]])


def model(*settings: str) -> GRU4Rec:
    torch.manual_seed(0)
    built = GRU4Rec(GRU4RecConfig(num_items=M, max_length=L, embedding_dim=D).override(*settings))
    with torch.no_grad():
        built.item_embedding.weight[1:].normal_()
        built.item_bias.normal_()
    return built.eval()


def batch(targets: list[int]) -> Batch:
    history = pad([[3, 1, 4], [5], [], [7, 8]][: len(targets)], L)
    return Batch(history, torch.tensor(targets), torch.ones(len(targets), dtype=torch.bool))


def seeded(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# The recurrence


def test_a_step_by_hand() -> None:
    told, recalled = torch.tensor([0.3, -0.4, 0.5]), torch.tensor([0.2, 0.1, -0.6])
    reset, update = sigmoid(0.5), sigmoid(-0.3)
    candidate = math.tanh(0.5 - 0.6 * reset)
    new = gru_step(told, recalled, torch.tensor([0.7]))
    assert float(new) == pytest.approx((1 - update) * 0.7 + update * candidate, rel=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_it_is_the_gru_of_pytorch_on_the_real_items_alone(layers: int) -> None:
    torch.manual_seed(0)
    encoder, reference = RecurrentEncoder(D, layers, dropout=0.0), nn.GRU(D, D, layers, batch_first=True)
    # PyTorch's z says how much of the old state stays, the paper's how much of it goes.
    sign = torch.tensor([1.0, -1.0, 1.0]).repeat_interleave(D)
    with torch.no_grad():
        for number, layer in enumerate(encoder.layers):
            assert isinstance(layer, RecurrentLayer)
            for name, own in (("ih", layer.told), ("hh", layer.recalled)):
                own.weight.copy_(sign[:, None] * reference.get_parameter(f"weight_{name}_l{number}"))
                own.bias.copy_(sign * reference.get_parameter(f"bias_{name}_l{number}").normal_())
    lengths = [2, 6, 1, 4, 6]
    mask = torch.arange(L) >= L - torch.tensor(lengths)[:, None]
    x = torch.randn(len(lengths), L, D)  # what stands in the slots of padding must not matter
    states, newest = encoder(x, mask), encoder(x, mask, last_only=True)
    for row, length in enumerate(lengths):
        expected = reference(x[row : row + 1, L - length :])[0][0]
        torch.testing.assert_close(states[row, L - length :], expected)
        torch.testing.assert_close(newest[row], expected[-1])
        assert not states[row, : L - length].any()


def test_the_state_of_a_prefix_is_the_earlier_state_of_the_longer_history() -> None:
    gru = model()
    tokens = pad([[2, 7, 5]], L)
    states = gru.encoder(gru.item_embedding(tokens), tokens != PADDING)
    torch.testing.assert_close(gru.encode(pad([[2, 7]], L)), states[:, -2])
    torch.testing.assert_close(gru.encode(tokens), states[:, -1])


def test_rows_that_begin_first_stand_on_top_and_an_accelerator_takes_all() -> None:
    mask = torch.tensor([[False, False, True], [True, True, True], [False, True, True]])
    order, begun = begun_rows(mask)
    assert order.tolist() == [1, 2, 0] and begun == [1, 2, 3]
    order, begun = begun_rows(mask.to("meta"))
    assert order.shape == (3,) and begun == [3, 3, 3]


def test_both_ways_of_counting_rows_end_in_the_same_states(monkeypatch: pytest.MonkeyPatch) -> None:
    gru, asked = model("layers=2"), pad([[1], [3, 2, 9, 9, 4, 1, 8], [], [6, 5]], L)
    expected = gru.encode(asked)

    def all_rows(mask: Tensor) -> tuple[Tensor, list[int]]:
        return torch.arange(len(mask)), [len(mask)] * mask.shape[1]

    monkeypatch.setattr("demo_core.models.gated_recurrent.begun_rows", all_rows)
    torch.testing.assert_close(gru.encode(asked), expected)


def test_what_stands_in_the_padding_row_is_never_read() -> None:
    gru, asked = model(), pad([[3, 1], [], [5, 4, 4, 2, 1, 9]], L)
    expected = gru.score(asked)
    with torch.no_grad():
        gru.item_embedding.weight[PADDING] = 100.0
    torch.testing.assert_close(gru.score(asked), expected)


def test_a_hidden_item_is_told_of_by_what_stands_before_it() -> None:
    gru = model()
    sequence, position = pad([[2, 7, 5, 1], [8, 3]], L), torch.tensor([4, 4])
    state, mean = gru.masked_context(sequence, position)
    first, second = gru.encode(pad([[2], [8]], L)), gru.encode(pad([[2, 7]], L))
    torch.testing.assert_close(state, torch.stack([second[0], gru.encode(pad([[]], L))[0]]))
    torch.testing.assert_close(mean[0], (first[0] + second[0]) / 2)


def test_gradients_through_one_step_leave_the_older_items_alone() -> None:
    asked = pad([[2, 7, 5]], L)
    for setting, reached in (("one_step_gradient=False", [2, 5, 7]), ("one_step_gradient=True", [5])):
        gru = model(setting)
        state = gru.encode(asked)
        state.sum().backward()
        gradient = gru.item_embedding.weight.grad
        assert gradient is not None and gradient.any(dim=1).nonzero().flatten().tolist() == reached
        torch.testing.assert_close(state, model().encode(asked))


def test_dropout_that_is_carried_on_acts_on_what_the_next_step_recalls() -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(64, 1, dropout=0.5, carried_dropout=True).train()
    (layer,) = encoder.layers
    assert isinstance(layer, RecurrentLayer)
    x, mask = torch.randn(3, 2, 64), torch.ones(3, 2, dtype=torch.bool)
    first, second = encoder(x, mask).unbind(dim=1)
    expected = 2 * gru_step(layer.told(x[:, 1]), layer.recalled(first), first)
    assert bool((first == 0).any())
    torch.testing.assert_close(second, torch.where(second == 0, 0.0, expected))


def test_dropout_is_not_carried_on_by_default() -> None:
    torch.manual_seed(0)
    encoder = RecurrentEncoder(64, 1, dropout=0.5)
    x, mask = torch.randn(3, 4, 64), torch.ones(3, 4, dtype=torch.bool)
    expected = 2 * encoder.eval()(x, mask)
    told = encoder.train()(x, mask)
    torch.testing.assert_close(told, torch.where(told == 0, 0.0, expected))


# The losses


def test_cross_entropy_of_two_rows_and_three_candidates_by_hand() -> None:
    first = math.log(math.exp(2.0) + math.exp(0.5) + math.exp(-1.0)) - 2.0
    second = math.log(math.exp(0.0) + math.exp(1.0) + math.exp(3.0)) - 1.0
    assert float(cross_entropy(SCORES, OWN, NEITHER)) == pytest.approx((first + second) / 2, rel=1e-6)


def test_bpr_max_of_two_rows_and_three_candidates_by_hand() -> None:
    expected = 0.0
    for target, negatives in ((2.0, (0.5, -1.0)), (1.0, (0.0, 3.0))):
        total = sum(math.exp(r) for r in negatives)
        ahead = sum(math.exp(r) / total * sigmoid(target - r) for r in negatives)
        penalty = sum(math.exp(r) / total * r**2 for r in negatives)
        expected += -math.log(ahead) + 0.9 * penalty
    assert float(bpr_max(SCORES, OWN, NEITHER, 0.9)) == pytest.approx(expected / 2, rel=1e-6)


def test_bpr_max_with_one_negative_and_no_penalty_is_bpr() -> None:
    excluded = torch.tensor([[True, False, True]])
    found = bpr_max(SCORES[:1], OWN[:1], excluded, 0.0)
    assert float(found) == pytest.approx(-math.log(sigmoid(2.0 - 0.5)), rel=1e-6)


def test_a_row_whose_candidates_are_all_its_own_target_has_a_finite_loss_and_gradient() -> None:
    scores = torch.tensor([[0.4, 0.4]], requires_grad=True)
    both = torch.ones(1, 2, dtype=torch.bool)
    assert cross_entropy(scores, OWN[:1], both).item() == pytest.approx(0.0, abs=1e-6)
    loss = bpr_max(scores, OWN[:1], both, 0.0)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)
    assert scores.grad is not None and bool(scores.grad.isfinite().all())


def test_without_sampling_bpr_max_compares_with_every_other_item_after_the_activation() -> None:
    gru = model("loss=bpr_max", "score_penalty=0.5", "elu=0.7")
    asked = batch([2, 9, 1])
    scores = nn.functional.elu(gru.score(asked.history)[:, 1:], 0.7)
    own = asked.target - 1
    expected = bpr_max(scores, own, nn.functional.one_hot(own, M).bool(), 0.5)
    torch.testing.assert_close(gru.loss(asked), expected)
    flat = model("loss=bpr_max", "score_penalty=0.5", "elu=0.0")
    raw = bpr_max(flat.score(asked.history)[:, 1:], own, nn.functional.one_hot(own, M).bool(), 0.5)
    torch.testing.assert_close(flat.loss(asked), raw)


def test_a_repeated_target_is_a_negative_only_as_released() -> None:
    asked = batch([3, 3, 5])
    for setting, sizes in (("own_target_as_negative=False", (2, 2, 3)), ("own_target_as_negative=True", (3, 3, 3))):
        gru = model("negatives=0", setting)
        nn.init.zeros_(gru.item_embedding.weight)
        nn.init.zeros_(gru.item_bias)
        expected = sum(math.log(size) for size in sizes) / 3
        assert gru.loss(asked, seeded()).item() == pytest.approx(expected, rel=1e-6)


# Sampling


def counted(counts: list[float], *settings: str) -> GRU4Rec:
    gru = model(*settings)
    gru.counts.copy_(torch.tensor([0.0, *counts]))
    return gru


def test_negatives_are_drawn_in_proportion_to_a_power_of_their_counts() -> None:
    gru = counted([1, 4, 0, 9, 16, 0, 0, 0, 0], "negatives=40000", "popularity_power=0.5")
    items, own = gru.candidates(torch.tensor([7, 3]), seeded())
    assert items[:2].tolist() == [7, 3] and own.tolist() == [0, 1] and len(items) == 40002
    share = torch.bincount(items[2:], minlength=M + 1) / 40000
    assert share.tolist() == pytest.approx([0, 0.1, 0.2, 0, 0.3, 0.4, 0, 0, 0, 0], abs=0.01)


def test_with_power_zero_every_item_is_as_likely() -> None:
    gru = counted([1, 4, 0, 9, 16, 0, 0, 0, 0], "negatives=45000", "popularity_power=0.0")
    share = torch.bincount(gru.candidates(torch.tensor([7]), seeded())[0][1:], minlength=M + 1) / 45000
    assert share[1:].tolist() == pytest.approx([1 / M] * M, abs=0.01)


def test_popularity_is_that_of_the_training_targets() -> None:
    gru, toy = GRU4Rec(GRU4RecConfig(num_items=12)), world()
    (phase,) = gru.phases()
    assert phase.prepare is not None
    phase.prepare(toy, UNJUDGED)
    assert gru.counts.tolist() == toy.train.target_counts(12).tolist()
    assert "counts" not in gru.state_dict()


def test_the_correction_takes_off_the_log_of_how_often_a_candidate_comes() -> None:
    gru = counted([1, 4, 0, 9, 16, 0, 0, 0, 0], "negatives=2", "popularity_power=0.5", "logq=0.5")
    found = gru.correction(torch.tensor([4, 5, 2, 5]), 2)
    expected = [0.5 * math.log(9), 0.5 * math.log(16), 0.5 * math.log(2), 0.5 * math.log(4)]
    assert found.tolist() == pytest.approx(expected, rel=1e-6)


def test_the_correction_changes_the_loss_unless_all_items_are_as_popular() -> None:
    uniform, skewed = [1.0] * M, [float(i) for i in range(1, M + 1)]
    asked, settings = batch([2, 9, 1, 3]), ("negatives=5", "popularity_power=1.0")
    for counts, changes in ((uniform, False), ([7.0] * M, False), (skewed, True)):
        plain = counted(counts, *settings).loss(asked, seeded())
        corrected = counted(counts, *settings, "logq=1.0").loss(asked, seeded())
        assert math.isclose(plain.item(), corrected.item(), rel_tol=1e-5) is not changes


@pytest.mark.parametrize("loss", ["cross_entropy", "bpr_max"])
def test_a_sampled_loss_follows_its_generator_and_leaves_the_batch_alone(loss: str) -> None:
    gru, asked = model(f"loss={loss}", "negatives=3"), batch([2, 9, 1, 3])
    before: list[Tensor] = [asked.history.clone(), asked.target.clone()]
    assert torch.equal(gru.loss(asked, seeded()), gru.loss(asked, seeded()))
    assert not torch.equal(gru.loss(asked, seeded(1)), gru.loss(asked, seeded(2)))
    assert torch.equal(asked.history, before[0]) and torch.equal(asked.target, before[1])


@pytest.mark.parametrize("settings", [("negatives=4",), ("negatives=4", "loss=bpr_max", "score_penalty=0.1")])
def test_sampled_losses_learn_what_follows_what(settings: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    config = GRU4RecConfig(num_items=12, max_length=6, embedding_dim=16, batch_size=128).override(*settings)
    gru, rows = GRU4Rec(config), world().test
    for _ in steps(gru.phases()[0], gru, world(), 15):
        pass
    first, _ = gru.eval().recommend(rows.history(torch.arange(len(rows)), 6), 1)
    assert float((first[:, 0] == rows.target).double().mean()) >= 0.95


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="cross_entropy, bpr_max"):
        model("loss=top1")
