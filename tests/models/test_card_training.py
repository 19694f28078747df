"""What CARD's training does beside the weights and the thinning themselves."""

import pytest
import torch

from demo_core.datasets import toy_world
from demo_core.models.base import Controls
from demo_core.sequences import Batch
from tests.models.test_card import HISTORY, model, seeded

BATCH = Batch(HISTORY, torch.tensor([7, 2, 6, 9, 5, 3]), torch.ones(6, dtype=torch.bool))


def test_every_epoch_begins_with_a_threshold_of_the_embeddings_as_they_are_now() -> None:
    """At the threshold that a model is made with, 1, nothing turns and no weight is ever used."""
    card, world = model(threshold=1.0), toy_world()
    begin = card.phases()[0].before_epoch
    assert begin is not None
    history = world.train.history(torch.arange(len(world.train)), 6)
    for _ in range(2):
        begin(world, seeded())
        steps = card.read_steps(history)
        turning = (steps.evenness > card.threshold)[steps.routed]
        assert float(turning.double().mean()) == pytest.approx(0.5, abs=0.1)
        torch.nn.init.normal_(card.item_embedding.weight)


def test_the_loss_adds_the_auxiliary_one_as_it_is_weighed_with_the_target_as_future() -> None:
    plain, twice = (model(f"auxiliary_weight={weight}") for weight in (0.0, 2.0))
    added = twice.loss(BATCH, seeded()) - plain.loss(BATCH, seeded())
    torch.testing.assert_close(added, 2 * plain.auxiliary_loss(BATCH))


def test_only_the_chosen_share_of_the_stable_histories_is_thinned() -> None:
    card = model("removal_rate=1.0", "sequence_rate=0.25", threshold=2.0).train()
    history = HISTORY[:1].repeat(8000, 1)
    edited, _ = card.prepare_history(history, seeded(), Controls())
    assert float((edited != history).any(dim=1).double().mean()) == pytest.approx(0.25, abs=0.02)
