import pytest
import torch

from demo_core.datasets import toy_world
from demo_core.models.base import Controls
from demo_core.models.card import CARD
from demo_core.models.card_config import CARDConfig
from demo_core.sequences import Batch, pad
from demo_core.training import fit

HISTORY = pad([[1, 2, 3, 4, 5, 6], [7, 3, 9, 1], [5, 5, 5], [2, 8], [4], []], 6)
BATCH = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))


def model(*settings: str) -> CARD:
    torch.manual_seed(0)
    built = CARD(CARDConfig(num_items=12, max_length=6, embedding_dim=8).override(*settings)).eval()
    torch.nn.init.normal_(built.item_embedding.weight)
    if built.gate is not None:
        built.gate.read(torch.linspace(0.9, 1.0, 101))
    return built


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_learned_threshold_softens_the_weights_of_every_routed_history() -> None:
    soft = model("learned_threshold=True", "candidate_level=None")
    full = model("routing=attention", "candidate_level=None").explain(HISTORY)
    told = soft.explain(HISTORY)
    assert soft.gate is not None and told.weight is not None and full.weight is not None
    share = soft.gate.turning_share(told.steps.evenness).detach()
    expected = torch.where(told.steps.routed[:, None], 1 + share[:, None] * (full.weight - 1), 1.0)
    torch.testing.assert_close(told.weight, expected)
    assert told.threshold == pytest.approx(0.95)
    assert torch.equal(told.turning, told.steps.routed & (told.steps.evenness > 0.95))


def test_the_score_uses_the_weights_that_the_explanation_shows() -> None:
    soft = model("learned_threshold=True", "candidate_level=None")
    weight = soft.explain(HISTORY).weight
    vector = soft.generate(soft.guidance(HISTORY, weight), seeded(), Controls())
    torch.testing.assert_close(soft.score(HISTORY, seeded()), soft.rank(vector))


@pytest.mark.parametrize("training", [True, False])
def test_a_weight_stays_with_its_item_where_others_are_taken_out(training: bool) -> None:
    """A stable history near the learned threshold is both weighed and thinned."""
    soft = model("learned_threshold=True", "candidate_level=None", "removal_rate=0.5", "thin_at_inference=True")
    row = HISTORY[:1]
    evenness = float(soft.explain(row).steps.evenness)
    assert soft.gate is not None
    soft.gate.read(torch.linspace(evenness - 0.05, evenness + 0.06, 101))
    told = soft.explain(row)
    assert told.weight is not None and not bool(told.turning) and bool((told.weight[0, :-1] != 1).all())
    of_item = dict(zip(row[0].tolist(), told.weight[0].tolist(), strict=True))
    soft.train(training)
    shorter = 0
    for seed in range(20):
        edited, weights = soft.prepare_history(row, torch.Generator().manual_seed(seed), Controls())
        assert weights is not None
        shorter += int((edited != row).any())
        for item, weight in zip(edited[0].tolist(), weights[0].tolist(), strict=True):
            assert weight == pytest.approx(of_item[item] if item else 1.0, abs=1e-5)
    assert shorter > 10


def test_the_loss_moves_a_learned_threshold_and_nothing_else_of_the_route() -> None:
    soft = model("learned_threshold=True", "candidate_level=None", "removal_rate=0.0").train()
    soft.loss(BATCH, seeded()).backward()
    assert soft.gate is not None and soft.gate.logit.grad is not None and float(soft.gate.logit.grad) != 0
    assert torch.equal(soft.gate.levels, torch.linspace(0.9, 1.0, 101))


def test_the_threshold_of_a_trained_model_is_the_evenness_at_its_learned_place() -> None:
    data = toy_world(length=8)
    torch.manual_seed(0)
    config = CARDConfig(num_items=12, max_length=8, embedding_dim=16, max_epochs=2, learning_rate=0.02)
    card = CARD(config.override("learned_threshold=True", "neighbour_target_rate=0.0"))
    fit(card, data, seed=0, progress=False)
    assert card.gate is not None
    assert float(card.gate.quantile.detach()) != pytest.approx(0.5, abs=1e-3), "training moved it"
    assert float(card.threshold) == float(card.gate.threshold())
    evenness = card.read_steps(data.train.history(torch.arange(len(data.train)), 8))
    below = (evenness.evenness[evenness.routed] <= card.threshold).double().mean()
    assert float(below) == pytest.approx(float(card.gate.quantile.detach()), abs=0.1)


def test_a_threshold_that_is_asked_for_wins() -> None:
    soft = model("learned_threshold=True")
    assert soft.threshold_of(Controls(threshold=0.42)) == 0.42
    assert soft.threshold_of(Controls()) == pytest.approx(0.95)


@pytest.mark.parametrize("setting", ["routing=none", "threshold_entropy=1.0"])
def test_what_leaves_nothing_to_learn_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="learned_threshold"):
        model("learned_threshold=True", setting)
