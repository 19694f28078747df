"""Denoisers of the guided family: x_0 from x_t, the guidance and the step.

The released codes offer two, a single linear map (``mlp1``, all that their instructions use) and an MLP (``mlp2``).
Letters: D width, S steps.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from demo_core.layers import step_embedding


class Denoiser(nn.Module):
    """Abstract: x_0 = ``mix`` of [c x_t ; g ; step], with c = ``noisy_input_scale``."""

    mix: nn.Module

    def __init__(self, dim: int, noisy_input_scale: float) -> None:
        super().__init__()
        self.noisy_input_scale = noisy_input_scale
        self.step = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))

    def forward(self, noisy: Tensor, guidance: Tensor, time: Tensor) -> Tensor:
        """``noisy`` (..., D), ``guidance`` (..., D), ``time`` (B,) or (1,) -> (..., D)."""
        step = self.step_vector(time, guidance).expand_as(guidance)
        return self.mix(torch.cat([self.noisy_input_scale * noisy, guidance, step], dim=-1))

    def step_vector(self, time: Tensor, like: Tensor) -> Tensor:
        """Times (S,) -> (S, D) in the precision of ``like`` (..., D)."""
        return self.step(step_embedding(time, like.shape[-1]).to(like.dtype))


class ResidualDenoiser(Denoiser):
    """g + MLP([c x_t ; g ; step]). It starts as the guidance itself."""

    def __init__(self, dim: int, noisy_input_scale: float) -> None:
        super().__init__(dim, noisy_input_scale)
        correction = nn.Linear(2 * dim, dim)
        nn.init.zeros_(correction.weight)
        nn.init.zeros_(correction.bias)
        self.mix = nn.Sequential(nn.Linear(3 * dim, 2 * dim), nn.GELU(), correction)

    def forward(self, noisy: Tensor, guidance: Tensor, time: Tensor) -> Tensor:
        return guidance + super().forward(noisy, guidance, time)


class LinearDenoiser(Denoiser):
    """One linear map (``mlp1``). Sampling with it is affine in the guidance: ``diffusion.sample_affine``."""

    mix: nn.Linear

    def __init__(self, dim: int, noisy_input_scale: float) -> None:
        super().__init__(dim, noisy_input_scale)
        self.mix = nn.Linear(3 * dim, dim)

    def maps(self) -> tuple[Tensor, Tensor]:
        """What x_t and what the guidance is multiplied by, both (D, D) in float64."""
        of_noisy, of_guidance, _ = self.mix.weight.double().chunk(3, dim=1)
        return self.noisy_input_scale * of_noisy, of_guidance

    def offsets(self, times: Sequence[int]) -> Tensor:
        """What the step and the bias add, (S, D) in float64."""
        at = torch.tensor(times, device=self.mix.weight.device)
        _, _, of_step = self.mix.weight.double().chunk(3, dim=1)
        return self.step_vector(at, self.mix.bias).double() @ of_step.T + self.mix.bias.double()


class MLPDenoiser(Denoiser):
    """Two layers (``mlp2``)."""

    def __init__(self, dim: int, noisy_input_scale: float) -> None:
        super().__init__(dim, noisy_input_scale)
        self.mix = nn.Sequential(nn.Linear(3 * dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))


DENOISERS: dict[str, type[Denoiser]] = {"residual": ResidualDenoiser, "linear": LinearDenoiser, "mlp": MLPDenoiser}
