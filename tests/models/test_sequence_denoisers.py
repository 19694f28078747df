"""The networks that predict the noise in several item vectors."""

import pytest
import torch

from demo_core.models.sequence_denoisers import DENOISERS, UNet


@pytest.mark.parametrize("name", sorted(DENOISERS))
@pytest.mark.parametrize(("items", "dim"), [(10, 64), (2, 16), (5, 256)])
def test_noise_has_the_shape_of_the_vectors_and_depends_on_step_and_guide(name: str, items: int, dim: int) -> None:
    torch.manual_seed(0)
    network = DENOISERS[name](items, dim, 32).eval()
    noisy, time, guide = torch.randn(3, items * dim), torch.tensor([0, 500, 999]), torch.randn(3, dim)
    noise = network(noisy, time, guide)
    assert noise.shape == noisy.shape
    assert not torch.allclose(noise, network(noisy, time + 7, guide))
    assert not torch.allclose(noise, network(noisy, time, guide + 1))
    torch.testing.assert_close(network(noisy[:1], time[:1], guide[:1]), noise[:1])


def test_the_unet_reads_the_vectors_as_channels_of_one_image() -> None:
    network = UNet(10, 64, 0)
    assert network.inward(torch.randn(1, 640).unflatten(1, (-1, 8, 8))).shape == (1, 8, 8, 8)
    assert len(network.down) == len(network.up) == 4, "8, 4, 2 and 1"


@pytest.mark.parametrize("dim", [4, 32, 36])
def test_a_width_that_makes_no_such_image_is_refused(dim: int) -> None:
    with pytest.raises(ValueError, match="16, 64, 256"):
        UNet(5, dim, 0)
