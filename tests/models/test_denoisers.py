import pytest
import torch

from demo_core.models.denoisers import DENOISERS, LinearDenoiser


@pytest.mark.parametrize("kind", sorted(DENOISERS))
def test_the_scale_is_that_of_the_noisy_vector_alone(kind: str) -> None:
    torch.manual_seed(0)
    whole, small = DENOISERS[kind](8, 1.0), DENOISERS[kind](8, 0.1)
    for parameter in whole.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    small.load_state_dict(whole.state_dict())
    noisy, guidance, time = torch.randn(3, 8), torch.randn(3, 8), torch.tensor([0, 7, 40])
    told = small(noisy, guidance, time)
    torch.testing.assert_close(told, whole(0.1 * noisy, guidance, time))
    assert not torch.allclose(told, whole(noisy, guidance, time))


def test_a_linear_denoiser_is_the_maps_and_offsets_that_it_names() -> None:
    torch.manual_seed(0)
    linear, times = LinearDenoiser(8, 0.1).double(), [0, 7, 40]
    noisy, guidance = torch.randn(2, 3, 8, dtype=torch.float64)
    of_noisy, of_guidance = linear.maps()
    expected = noisy @ of_noisy.T + guidance @ of_guidance.T + linear.offsets(times)
    torch.testing.assert_close(linear(noisy, guidance, torch.tensor(times)), expected)
