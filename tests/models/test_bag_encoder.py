import pytest
import torch

from demo_core.models import create, preset
from demo_core.models.bag_encoder import BagEncoder
from demo_core.models.guided_diffusion import GuidedDiffusion
from demo_core.sequences import pad

HISTORY = pad([[3, 5, 2], [4], []], 5)


def bag() -> BagEncoder:
    torch.manual_seed(0)
    return BagEncoder(items=6, dim=8, dropout=0.0).eval()


def test_every_item_adds_its_vector_times_its_weight_and_its_recency() -> None:
    encoder = bag()
    weights = torch.tensor([[1.0, 1.0, 0.5, 2.0, 1.5]]).repeat(3, 1)
    table, decay = encoder.table.weight, encoder.decay.sigmoid()
    expected = encoder.norm(1.5 * table[2] + 2.0 * decay * table[5] + 0.5 * decay**2 * table[3])
    torch.testing.assert_close(encoder(HISTORY, weights)[0], expected)
    torch.testing.assert_close(encoder(HISTORY, None)[1], encoder.norm(table[4]))
    assert not encoder(HISTORY, None)[2].any(), "nobody says anything about an empty history"


@pytest.mark.parametrize("name", ["dreamrec", "tdm", "card"])
def test_the_bag_is_added_to_the_guidance_and_learns(name: str) -> None:
    config = preset(name, "default", "toy", 12).override("embedding_dim=8", "bag_guidance=True")
    model = create(name, config, seed=0).eval()
    assert isinstance(model, GuidedDiffusion) and model.bag is not None
    history = pad([[1, 2, 3], [7, 8]], config.max_length)
    whole = model.guidance(history, None)
    own = model.bag(history, None)
    without, model.bag = model.bag, None
    torch.testing.assert_close(whole, model.guidance(history, None) + own)
    model.bag = without
    model.guidance(history, None).square().sum().backward()
    assert without.table.weight.grad is not None and without.decay.grad is not None


def test_what_counts_is_which_items_weigh_more_than_others() -> None:
    encoder = bag()
    heavy = torch.ones(HISTORY.shape)
    heavy[0, -2] = heavy[1, -1] = 1.9
    told, plain = encoder(HISTORY, heavy).detach(), encoder(HISTORY, None).detach()
    assert float((told[0] - plain[0]).norm() / plain[0].norm()) > 0.1
    assert float((told[1] - plain[1]).norm() / plain[1].norm()) < 0.02, "a single item has nothing to outweigh"


def test_in_training_whole_items_are_missing_from_the_bag(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    encoder = BagEncoder(items=6, dim=8, dropout=0.5).train()
    monkeypatch.setattr(encoder, "norm", torch.nn.Identity())
    told = encoder(pad([[3, 5]], 5).repeat(200, 1), None).detach()
    older, newer = 2 * encoder.decay.sigmoid() * encoder.table.weight[3], 2 * encoder.table.weight[5]
    possible = torch.stack([0 * older, older, newer, older + newer]).detach()
    distance, which = (told[:, None] - possible).abs().amax(dim=2).min(dim=1)
    assert float(distance.max()) < 1e-5
    assert which.unique().tolist() == [0, 1, 2, 3]
