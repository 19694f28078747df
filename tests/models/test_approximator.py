"""GlobalDiff's networks. Numbers marked as the authors' come from running XMUDM/GlobalDiff 2fc1de9 with the weights of
``fill``, on a CPU in single precision.
"""

import pytest
import torch
from torch import nn

from demo_core.layers import Dropout
from demo_core.models.approximator import Approximator, ReleasedApproximator, create_approximator
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.restoration import seen_input
from demo_core.models.unet2d import UNet2d

KINDS = ["unet2d", "mlp1", "mlp2"]
AT = [0, 12, 13, 30, 51]


@torch.no_grad()
def fill(network: nn.Module) -> None:
    """Weights that anybody can make again."""
    for i, parameter in enumerate(network.parameters()):
        number = torch.arange(parameter.numel(), dtype=torch.float64)
        parameter.copy_((0.2 * torch.sin(0.7 * number + i)).view(parameter.shape))
    for i, statistic in enumerate(buffer for buffer in network.buffers() if buffer.dim()):
        statistic.copy_(0.5 + 0.3 * torch.cos(torch.arange(statistic.numel(), dtype=torch.float64) + i))


def released(kind: str) -> ReleasedApproximator:
    network = ReleasedApproximator(13, 16, 8, kind, dropout=0.0)
    fill(network)
    return network.eval()


def released_inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x_t (4, 13), t (4,) and the context (4, 16) of states masked at 9, 3, 0 and 5."""
    states = torch.cos(0.2 * torch.arange(320.0)).view(4, 10, 8)
    masked = states[torch.arange(4), torch.tensor([9, 3, 0, 5])]
    context = torch.cat([masked, states.mean(dim=1)], dim=1)
    return torch.sin(1.1 * torch.arange(52.0)).view(4, 13), torch.tensor([0, 7, 19, 3]), context


@torch.no_grad()
def test_the_unet_gives_the_authors_numbers() -> None:
    network = UNet2d()
    fill(network)
    image = torch.sin(0.3 * torch.arange(768.0)).view(3, 1, 16, 16)
    out = network.eval()(image)
    expected = [0.6283604, 0.4389251, 0.3114434, 0.6105751, 0.3104580, 0.3121760]
    assert out.flatten()[[0, 100, 255, 256, 511, 767]].tolist() == pytest.approx(expected, abs=1e-5)
    assert out.shape == image.shape


@torch.no_grad()
def test_in_training_the_unet_takes_the_statistics_of_its_batch() -> None:
    """The authors' numbers, with their dropout set to 0."""
    network = UNet2d()
    fill(network)
    for part in network.train().modules():
        if isinstance(part, Dropout):
            part.rate = 0.0
    out = network(torch.sin(0.3 * torch.arange(768.0)).view(3, 1, 16, 16))
    expected = [0.8536389, 0.7146914, 0.2986383, 0.8250474, 0.2816633, 0.2862093]
    assert out.flatten()[[0, 100, 255, 256, 511, 767]].tolist() == pytest.approx(expected, abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("unet2d", [-0.0298251, 0.3235938, -0.0298382, 0.1491405, 0.3235026]),
        ("mlp1", [0.0574177, 0.3632033, 0.1033709, 0.4210262, 0.4345056]),
        ("mlp2", [0.1175971, 0.1417770, 0.1245972, -0.0472084, 0.1517706]),
    ],
)
def test_a_released_network_gives_the_authors_numbers(kind: str, expected: list[float]) -> None:
    network = released(kind)
    x, time, context = released_inputs()
    out = network.outward(network.hidden(network.inward(seen_input(x, "sign")), time, context))
    assert out.flatten()[AT].tolist() == pytest.approx(expected, abs=1e-5)


def test_the_released_step_embedding_and_normalisation_are_seen_through_its_slip() -> None:
    x = torch.tensor([[0.3, -2.0, 0.0]])
    assert seen_input(x, "sign").tolist() == [[1.0, -1.0, 0.0]]
    assert seen_input(x, "l2").norm().item() == pytest.approx(1.0)
    assert seen_input(x, "x_t") is x


@pytest.mark.parametrize("network", ["mlp", *KINDS])
@pytest.mark.parametrize("guidance", ["both", "state", "none"])
def test_every_network_takes_every_guidance(network: str, guidance: str) -> None:
    config = GlobalDiffConfig(num_items=12, embedding_dim=6, hidden_dim=8, network=network, guidance=guidance)
    built = create_approximator(config).eval()
    width = {"both": 12, "state": 6, "none": 0}[guidance]
    x, context = torch.rand(3, 13), torch.rand(3, width)
    hidden = built.hidden(built.inward(x), torch.tensor([4]), context)
    assert hidden.shape == (3, 8) and built.outward(hidden).shape == (3, 13)
    if width:
        assert not torch.equal(built.hidden(built.inward(x), torch.tensor([4]), context + 1), hidden)


@pytest.mark.parametrize("network", ["mlp", *KINDS])
def test_every_network_is_told_the_step_of_each_row(network: str) -> None:
    config = GlobalDiffConfig(num_items=12, embedding_dim=6, hidden_dim=8, network=network)
    built = create_approximator(config).eval()
    inward, context = torch.randn(3, 8), torch.randn(3, 12)
    one, other, each = (built.hidden(inward, torch.tensor(steps), context) for steps in ([4], [17], [4, 17, 4]))
    assert not torch.allclose(one, other)
    torch.testing.assert_close(each, torch.stack([one[0], other[1], one[2]]))


def test_guidance_dropout_acts_on_all_but_the_step() -> None:
    torch.manual_seed(0)
    network = ReleasedApproximator(13, 16, 8, "mlp1", dropout=0.5).train()
    assert not torch.equal(*(network.hidden(torch.ones(2, 8), torch.tensor([1]), torch.ones(2, 16)) for _ in range(2)))
    network.eval()
    assert torch.equal(*(network.hidden(torch.ones(2, 8), torch.tensor([1]), torch.ones(2, 16)) for _ in range(2)))


def test_the_default_network_is_the_residual_one() -> None:
    assert isinstance(create_approximator(GlobalDiffConfig(num_items=12)), Approximator)
