import math

import pytest
import torch
from torch import Tensor

from demo_core.layers import unit
from demo_core.models.base import Controls
from demo_core.models.card import CARD
from demo_core.models.card_config import CARDConfig
from demo_core.models.drop_one import (
    SMALLEST_EFFECT,
    EffectPredictor,
    centred,
    drop_one_divergence,
    effect_weights,
    evaluating,
    kl_divergence,
    leave_each_out,
    sample_rows,
)
from demo_core.sequences import Batch, pad

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [5, 5, 5], [2, 8], [4], []], 6)
BATCH = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))


def model(*settings: str, threshold: float = 0.0) -> CARD:
    torch.manual_seed(0)
    built = CARD(
        CARDConfig(num_items=12, max_length=6, embedding_dim=8).override("weights_from=drop_one", *settings)
    ).eval()
    torch.nn.init.normal_(built.item_embedding.weight)
    built.threshold.fill_(threshold)
    return built


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_every_item_is_left_out_once_and_the_rest_closes_up() -> None:
    variants = leave_each_out(pad([[1, 2, 3], [], [9]], 4))
    assert variants.history.tolist() == [[0, 0, 2, 3], [0, 0, 1, 3], [0, 0, 1, 2], [0, 0, 0, 0]]
    assert variants.row.tolist() == [0, 0, 0, 2] and variants.slot.tolist() == [1, 2, 3, 3]


def test_a_repeated_item_is_left_out_where_it_stands() -> None:
    assert leave_each_out(torch.tensor([[5, 6, 5]])).history.tolist() == [[0, 6, 5], [0, 5, 5], [0, 5, 6]]


def test_the_divergence_is_that_of_the_definition_and_finite_without_digits() -> None:
    p, q = torch.tensor([0.0, 0.5, 0.5], dtype=torch.float64), torch.tensor([0.0, 0.25, 0.75], dtype=torch.float64)
    assert float(kl_divergence(p, q)) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert float(kl_divergence(p, p)) == 0.0
    assert float(kl_divergence(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0]))) == pytest.approx(math.log(1e12))


def test_an_item_that_the_answer_ignores_has_no_effect() -> None:
    def newest_only(histories: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(histories[:, -1], 13).double() * 0.9 + 0.1 / 13

    effect = drop_one_divergence(HISTORY, newest_only)
    assert effect.shape == HISTORY.shape and not effect[:, :-1].any()
    assert bool((effect[[0, 1, 3, 4], -1] > 1).all())
    assert effect[2, -1] == 0, "the item before is the same"
    assert effect[5].tolist() == [0.0] * 6, "nothing to leave out"


def test_rows_to_learn_from_have_two_items_and_follow_the_generator() -> None:
    chosen = sample_rows(HISTORY, 3, seeded())
    assert chosen.shape == (3, 6) and bool(((chosen != 0).sum(dim=1) >= 2).all())
    assert torch.equal(chosen, sample_rows(HISTORY, 3, seeded()))
    assert len(sample_rows(HISTORY, 100, seeded())) == 4
    assert len(sample_rows(HISTORY[4:], 100, seeded())) == 0


def test_weights_are_centred_graded_and_one_where_there_is_nothing_to_compare() -> None:
    log_effect = torch.tensor([[0.0, -4.0, -2.0, -3.0], [0.0, 0.0, 0.0, -7.0], [0.0] * 4])
    mask = torch.tensor([[False, True, True, True], [False, False, False, True], [False] * 4])
    assert centred(log_effect, mask).tolist() == [[0.0, -1.0, 1.0, 0.0], [0.0] * 4, [0.0] * 4]
    weights = effect_weights(log_effect, mask, 2.0)
    tanh = math.tanh(0.5)
    assert weights[0].tolist() == pytest.approx([1.0, 1 - tanh, 1 + tanh, 1.0])
    assert weights[1:].tolist() == [[1.0] * 4] * 2


def test_before_it_has_learned_anything_every_weight_is_one() -> None:
    told = model("candidate_level=None").explain(HISTORY)
    assert told.weight is not None and told.effect is not None and told.per is not None
    torch.testing.assert_close(told.weight, torch.ones(6, 6))
    assert told.effect[HISTORY != 0].tolist() == pytest.approx([0.01] * 16) and not told.effect[HISTORY == 0].any()
    assert bool(told.per.any()), "PER is still there to be seen beside it"


def test_the_loss_is_the_squared_error_of_the_log_effects_and_follows_their_spread() -> None:
    torch.manual_seed(0)
    head, mask = EffectPredictor(8, 3), torch.tensor([[True, True, True], [False, True, True]])
    directions = unit(torch.randn(2, 3, 8))
    effect = torch.tensor([[1.0, math.e**2, 0.0], [0.0, math.e, math.e]])
    logs = [0.0, 2.0, math.log(SMALLEST_EFFECT), 1.0, 1.0]
    typical = math.log(0.01)  # what it guesses at first
    first = head.eval().loss(directions, mask, effect)
    assert float(first.detach()) == pytest.approx(sum((v - typical) ** 2 for v in logs) / 5, rel=1e-5)
    assert float(head.scale) == 1.0
    mean = sum(logs[:3]) / 3
    spread = math.sqrt(sum((v - mean) ** 2 for v in logs[:3]) / 5)
    loss = float(head.train().loss(directions, mask, effect).detach())
    assert float(head.scale) == pytest.approx(1 + 0.02 * (spread - 1), rel=1e-5)
    assert float(head.typical) == pytest.approx(typical + 0.02 * (sum(logs) / 5 - typical), rel=1e-5)
    expected = sum((v - float(head.typical)) ** 2 for v in logs) / 5 / float(head.scale) ** 2
    assert loss == pytest.approx(expected, rel=1e-5), "in units of the usual spread"


def test_the_head_learns_the_effects_and_moves_nothing_else() -> None:
    card = model("candidate_level=None", "drop_one_rows=4").train()
    assert card.effects is not None
    card.effect_loss(BATCH, seeded()).backward()
    trained = {name for name, p in card.named_parameters() if p.grad is not None and bool(p.grad.any())}
    assert trained and all(name.startswith("effects.") for name in trained)
    optimiser = torch.optim.Adam(card.effects.parameters(), lr=1e-2)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        loss = card.effect_loss(BATCH, seeded())
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.05 * losses[0]

    def answer(histories: Tensor) -> Tensor:
        return card.probabilities(card.rank(card.generate(card.guidance(histories, None), seeded(), Controls())))

    card.eval()
    with torch.no_grad():
        true = drop_one_divergence(HISTORY[:2], answer)
    told = card.explain(HISTORY[:2])
    assert told.effect is not None and told.weight is not None
    mask = HISTORY[:2] != 0
    guessed = told.effect[mask].log()
    assert torch.corrcoef(torch.stack([guessed, true[mask].clamp(min=SMALLEST_EFFECT).log()]))[0, 1] > 0.8
    strongest = true[0].argmax()
    assert told.weight[0, strongest] > 1 > told.weight[0, true[0].argmin()]
    assert float(told.weight.min()) > 0.02 and float(told.weight.max()) < 1.98


def test_true_effects_are_measured_without_dropout_and_the_mode_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    card = model("dropout=0.5", "input_dropout=0.5", "drop_one_rows=4").train()
    assert card.effects is not None
    seen: list[Tensor] = []

    def note(vectors: Tensor, mask: Tensor, effect: Tensor) -> Tensor:
        seen.append(effect)
        return effect.sum()

    monkeypatch.setattr(card.effects, "loss", note)
    for _ in range(2):
        card.effect_loss(BATCH, seeded())
    torch.testing.assert_close(seen[0], seen[1])
    assert all(part.training for part in card.modules())
    with pytest.raises(RuntimeError), evaluating(card):
        assert not card.encoder.training
        raise RuntimeError
    assert card.encoder.training


def test_a_batch_without_two_items_teaches_nothing() -> None:
    card = model().train()
    few = Batch(HISTORY[4:], BATCH.target[4:], BATCH.is_last[4:])
    assert float(card.effect_loss(few, seeded())) == 0.0
    assert bool(torch.isfinite(card.loss(few, seeded())))


def test_without_the_variant_the_model_has_no_head() -> None:
    names = set(CARD(CARDConfig(num_items=12)).state_dict())
    assert not any(name.startswith("effects") for name in names)
