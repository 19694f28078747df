"""What DreamRec, TDM and CARD share: a Transformer turns the history into guidance, a diffusion model generates the
embedding of the next item from it (DreamRec, NeurIPS 2023, arXiv 2310.20453), and items are ranked by that embedding.

Each paper's own idea is *how the history is edited or weighed before it is read*: ``prepare_history`` of its file.

Why this is not the released training (which fills every list with items that were never trained): there the diffusion
target is the item embedding itself, with its gradient, so all trained embeddings shrink to one point and the
untouched ones win every inner product. Here the target is a constant (stop-gradient, fixed length ``target_scale`` *
sqrt(D)), the generated vector is trained to rank by cross-entropy over all items, and embeddings start small.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.diffusion import NoiseSchedule, cosine_betas, exp_betas, guided, linear_betas, sample, sqrt_betas
from demo_core.layers import CausalEncoder, embedding_table, step_embedding, unit, window, with_start
from demo_core.models.base import Controls, Recommender, RecommenderConfig, item_scores, seeded
from demo_core.sequences import PADDING, Batch

SCHEDULES: dict[str, Callable[[int], Tensor]] = {
    "linear": linear_betas,
    "exp": exp_betas,
    "cosine": cosine_betas,
    "sqrt": sqrt_betas,
}


@dataclass(frozen=True, kw_only=True)
class GuidedDiffusionConfig(RecommenderConfig):
    """Shared fields of the guided family.

    ``inference_steps`` of ``diffusion_steps`` are walked, from ``noise_samples`` common noises whose results are
    averaged. ``guidance_strength`` w >= 0 (0: conditional only). ``unconditional_rate``: share of training rows whose
    guidance is replaced by a learned null. ``target_scale``: length of the diffusion target per sqrt(D); small values
    hide the target in the noise, so that the denoiser has to use the guidance. ``noisy_input_scale`` multiplies x_t on
    its way into the denoiser. The last three weigh the loss terms.
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    schedule: str = "linear"
    diffusion_steps: int = 1000
    inference_steps: int = 2
    noise_samples: int = 8
    guidance_strength: float = 0.0
    unconditional_rate: float = 0.1
    target_scale: float = 0.05
    noisy_input_scale: float = 1.0
    ranking_weight: float = 1.0
    error_weight: float = 0.1
    guidance_ranking_weight: float = 0.0


class Denoiser(nn.Module):
    """x_0 from x_t, the guidance and the step: g + MLP([c x_t ; g ; step]). It starts as the guidance itself."""

    def __init__(self, dim: int, noisy_input_scale: float) -> None:
        super().__init__()
        self.noisy_input_scale = noisy_input_scale
        self.step = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        correction = nn.Linear(2 * dim, dim)
        nn.init.zeros_(correction.weight)
        nn.init.zeros_(correction.bias)
        self.mix = nn.Sequential(nn.Linear(3 * dim, 2 * dim), nn.GELU(), correction)

    def forward(self, noisy: Tensor, guidance: Tensor, time: Tensor) -> Tensor:
        """``noisy`` (..., D), ``guidance`` (..., D), ``time`` (B,) or (1,) -> (..., D)."""
        step = self.step(step_embedding(time, guidance.shape[-1]).to(guidance.dtype)).expand_as(guidance)
        return guidance + self.mix(torch.cat([self.noisy_input_scale * noisy, guidance, step], dim=-1))


class GuidedDiffusion(Recommender):
    """Abstract. A final class says how a history is prepared before it is read."""

    config: GuidedDiffusionConfig

    def __init__(self, config: GuidedDiffusionConfig) -> None:
        super().__init__(config)
        if config.schedule not in SCHEDULES:
            raise ValueError(f"schedule: expected one of {sorted(SCHEDULES)}, got {config.schedule!r}.")
        dim = config.embedding_dim
        self.item_embedding = embedding_table(config.num_items + 2, dim)  # last row: [start]
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.encoder = CausalEncoder(
            dim, config.max_length, config.layers, config.heads, config.dropout, config.input_dropout
        )
        self.no_guidance = nn.Parameter(torch.randn(dim) * 0.02)
        self.denoiser = Denoiser(dim, config.noisy_input_scale)
        self.noise_schedule = NoiseSchedule(SCHEDULES[config.schedule](config.diffusion_steps))

    @abstractmethod
    def prepare_history(
        self, history: Tensor, generator: Generator | None, controls: Controls
    ) -> tuple[Tensor, Tensor | None]:
        """The window (B, L) as it is to be read, and the attention weight of each slot (B, L), ``None`` = all 1.

        In training mode it may draw from ``generator``; in evaluation it must not.
        """

    def guidance(self, history: Tensor, weights: Tensor | None) -> Tensor:
        """(B, L) ids and (B, L) weights -> guidance (B, D): the newest state of the encoder."""
        tokens = with_start(history, self.config.num_items + 1)
        return self.encoder(self.item_embedding(tokens), tokens != PADDING, weights, last_only=True)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Ranking and squared error of the generated vector (and the ranking of the guidance itself, if weighed)."""
        generator = seeded(generator)
        history = window(batch.history, self.config.max_length)
        guidance = self.guidance(*self.prepare_history(history, generator, Controls()))
        clean = self.target_vector(batch.target)
        estimate = self.denoise_training(clean, guidance, generator)
        config = self.config
        loss = config.ranking_weight * F.cross_entropy(self.rank(estimate), batch.target)
        loss = loss + config.error_weight * (unit(estimate) - unit(clean)).square().sum(dim=-1).mean()
        if config.guidance_ranking_weight:
            loss = loss + config.guidance_ranking_weight * F.cross_entropy(self.rank(guidance), batch.target)
        return loss

    def target_vector(self, target: Tensor) -> Tensor:
        """x_0 (B, D): the target's direction at a fixed length, without gradient."""
        return self._to_length(self.item_embedding(target).detach())

    def denoise_training(self, clean: Tensor, guidance: Tensor, generator: Generator) -> Tensor:
        """The denoiser's x_0 (B, D) at a random step, with a share of the rows left without guidance."""
        rows, device = len(clean), clean.device
        time = torch.randint(len(self.noise_schedule), (rows,), generator=generator).to(device)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        dropped = (torch.rand(rows, 1, generator=generator) < self.config.unconditional_rate).to(device)
        noisy = self.noise_schedule.add_noise(clean, time, noise)
        return self.denoiser(noisy, torch.where(dropped, self.no_guidance, guidance), time)

    def generate(
        self,
        guidance: Tensor,
        generator: Generator | None,
        controls: Controls,
        callback: Callable[[int, Tensor, Tensor], None] | None = None,
    ) -> Tensor:
        """The next item's embedding (B, D), averaged over ``noise_samples`` noises that all rows share."""
        config = self.config
        steps = config.inference_steps if controls.steps is None else controls.steps
        strength = config.guidance_strength if controls.guidance_strength is None else controls.guidance_strength
        noise = torch.randn(config.noise_samples, 1, config.embedding_dim, generator=seeded(generator)).to(guidance)
        spread = guidance.expand(config.noise_samples, *guidance.shape)  # (N, B, D)
        nothing = self.no_guidance.expand_as(spread)

        def estimate(state: Tensor, time: int) -> Tensor:
            at = torch.full((1,), time, device=guidance.device)
            clean = self.denoiser(state, spread, at)
            return guided(clean, self.denoiser(state, nothing, at), strength) if strength else clean

        times = self.noise_schedule.spaced_times(steps)
        return sample(
            self.noise_schedule, estimate, noise.expand_as(spread), times, project=self._to_length, callback=callback
        ).mean(dim=0)

    def rank(self, vector: Tensor) -> Tensor:
        """(B, D) -> (B, M + 1) scores."""
        return item_scores(vector, self.item_embedding, self.config.num_items, self.item_bias)

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        controls = controls or Controls()
        prepared = self.prepare_history(window(history, self.config.max_length), None, controls)
        return self.rank(self.generate(self.guidance(*prepared), generator, controls))

    def _to_length(self, vector: Tensor) -> Tensor:
        return unit(vector) * (self.config.target_scale * math.sqrt(self.config.embedding_dim))
