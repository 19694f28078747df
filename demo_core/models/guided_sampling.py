"""How the guided family generates: the walk from noise to the next item's embedding."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from demo_core.diffusion import NoiseSchedule, ReverseStep, guided, sample, sample_affine
from demo_core.layers import unit
from demo_core.models.base import Controls, Recommender, seeded
from demo_core.models.denoisers import Denoiser, LinearDenoiser
from demo_core.models.guided_config import GuidedDiffusionConfig


class GuidedSampling(Recommender):
    """Abstract. What a final class needs to generate an embedding from its guidance."""

    config: GuidedDiffusionConfig
    denoiser: Denoiser
    no_guidance: nn.Parameter  # (D,)
    noise_schedule: NoiseSchedule

    def reverse_steps(self, number: int | None = None) -> list[ReverseStep]:
        """The walk of the config's sampler; ``number`` of steps, at most all, counts for "ddim" alone."""
        config, schedule = self.config, self.noise_schedule
        if config.sampler == "ddpm":
            return schedule.ddpm_steps()
        if config.sampler == "strided":
            return schedule.strided_steps(config.stride, config.late_time, config.misindexed_noise)
        asked = config.inference_steps if number is None else min(number, len(schedule))
        return schedule.ddim_steps(schedule.spaced_times(asked))

    def generate(
        self,
        guidance: Tensor,
        generator: Generator | None,
        controls: Controls,
        callback: Callable[[int, Tensor, Tensor], None] | None = None,
    ) -> Tensor:
        """The next item's embedding (B, D), averaged over ``noise_samples`` noises that all rows share.

        Where sampling is affine in the guidance and nobody watches the steps, they are all taken at once.
        """
        config, generator = self.config, seeded(generator)
        strength = config.guidance_strength if controls.guidance_strength is None else controls.guidance_strength
        steps = self.reverse_steps(controls.steps)

        def draw() -> Tensor:
            return torch.randn(config.noise_samples, 1, config.embedding_dim, generator=generator).to(guidance)

        if isinstance(self.denoiser, LinearDenoiser) and not config.project_estimates and callback is None:
            return self._generate_affine(self.denoiser, guidance, strength, steps, lambda: draw().squeeze(1))
        spread = guidance.expand(config.noise_samples, *guidance.shape)  # (N, B, D)
        nothing = self.no_guidance.expand_as(spread)

        def estimate(state: Tensor, time: int) -> Tensor:
            at = torch.full((1,), time, device=guidance.device)
            clean = self.denoiser(state, spread, at)
            return guided(clean, self.denoiser(state, nothing, at), strength) if strength else clean

        project = self.to_length if config.project_estimates else None
        return sample(steps, estimate, draw().expand_as(spread), draw, project, callback).mean(dim=0)

    def generate_visibly(self, guidance: Tensor, generator: Generator | None, controls: Controls) -> list[Tensor]:
        """:meth:`generate` step by step: x_T and the estimate of x_0 at every step, (B, D) each, averaged over the
        noises.
        """
        vectors: list[Tensor] = []

        def watch(number: int, state: Tensor, estimate: Tensor) -> None:
            if not vectors:
                vectors.append(state.mean(dim=0))
            vectors.append(estimate.mean(dim=0))

        self.generate(guidance, generator, controls, watch)
        return vectors

    def to_length(self, vector: Tensor) -> Tensor:
        """(..., D) -> (..., D): the direction, at the length of a target."""
        return unit(vector) * (self.config.target_scale * math.sqrt(self.config.embedding_dim))

    def _generate_affine(
        self,
        denoiser: LinearDenoiser,
        guidance: Tensor,
        strength: float,
        steps: list[ReverseStep],
        draw: Callable[[], Tensor],
    ) -> Tensor:
        # (1 + w) f(x, g) - w f(x, phi) = f(x, (1 + w) g - w phi) for an affine f.
        of_noisy, of_guidance = denoiser.maps()
        constant, gain = sample_affine(steps, of_noisy, denoiser.offsets([s.time for s in steps]), draw(), draw)
        push = guided(guidance, self.no_guidance, strength).double() @ of_guidance.T
        return (constant.mean(dim=0) + push @ gain.T).to(guidance)
