"""What DreamRec, TDM and CARD share: a Transformer turns the history into guidance, a diffusion model generates the
embedding of the next item from it (DreamRec, NeurIPS 2023, arXiv 2310.20453), and items are ranked by that embedding.

Each paper's own idea is *how the history is edited or weighed before it is read*: ``prepare_history`` of its file.
The table of departures is in ``guided_config``.

Why ``default`` is not the released training (which fills every list with items that were never trained): there the
diffusion target is the item embedding itself, with its gradient, so all trained embeddings shrink to one point and the
untouched ones win every inner product. Here the target is a constant (stop-gradient, fixed length ``target_scale`` *
sqrt(D)), the generated vector is trained to rank by cross-entropy over all items, and embeddings start small.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.diffusion import NoiseSchedule
from demo_core.layers import CausalEncoder, embedding_table, unit, window, with_start
from demo_core.models.bag_encoder import BagEncoder
from demo_core.models.base import Controls, DenoisingStep, mask_padding, next_item_loss, seeded
from demo_core.models.denoisers import DENOISERS
from demo_core.models.guidance_encoder import ReleasedEncoder
from demo_core.models.guided_config import SCHEDULES, GuidedDiffusionConfig
from demo_core.models.guided_sampling import GuidedSampling
from demo_core.models.neighbour_targets import LearnsFromNeighbours
from demo_core.sequences import PADDING, Batch
from demo_core.stability import lose_at_random


def contrastive_loss(guidance: Tensor, clean: Tensor, temperature: float) -> Tensor:
    """CARD's ``cl`` term: each guidance (B, D) has to tell its own target (B, D) from the others of the batch by
    cosine; equal targets count as different.
    """
    logits = unit(guidance) @ unit(clean).T / temperature
    return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


class GuidedDiffusion(LearnsFromNeighbours, GuidedSampling):
    """Abstract. A final class says how a history is prepared before it is read."""

    config: GuidedDiffusionConfig
    is_trained: Tensor  # (M + 1,) bool, with ``trained_items_only``: has been a training target

    def __init__(self, config: GuidedDiffusionConfig) -> None:
        super().__init__(config)
        config.require_known_choices()
        dim, rows = config.embedding_dim, config.num_items + 1
        rows += config.empty_history == "start"  # last row: [start]
        self.item_embedding = embedding_table(rows, dim, config.initial_scale, config.trained_padding)
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1)) if config.item_bias else None
        self.encoder = _encoder(config)
        self.bag = BagEncoder(config.num_items, dim, config.bag_dropout) if config.bag_guidance else None
        self.no_guidance = nn.Parameter(torch.randn(dim) * config.initial_scale)
        self.denoiser = DENOISERS[config.denoiser](dim, config.noisy_input_scale)
        self.noise_schedule = NoiseSchedule(SCHEDULES[config.schedule](config.diffusion_steps))
        if config.trained_items_only:
            self.register_buffer("is_trained", torch.zeros(config.num_items + 1, dtype=torch.bool))

    @abstractmethod
    def prepare_history(
        self, history: Tensor, generator: Generator | None, controls: Controls
    ) -> tuple[Tensor, Tensor | None]:
        """The window (B, L) as it is to be read, and the weight of each slot (B, L), ``None`` = all 1.

        It may draw from ``generator``; in evaluation, the same for every row.
        """

    def guidance(self, history: Tensor, weights: Tensor | None) -> Tensor:
        """(B, L) ids and (B, L) weights -> guidance (B, D): the newest state of the encoder, and what the bag adds."""
        guidance = self._newest_state(history, weights)
        return guidance if self.bag is None else guidance + self.bag(history, weights)

    def _newest_state(self, history: Tensor, weights: Tensor | None) -> Tensor:
        if self.config.empty_history == "start":
            history = with_start(history, self.config.num_items + 1)
        if isinstance(self.encoder, ReleasedEncoder):
            return self.encoder(history, self.item_embedding, weights)
        x = self.item_embedding(history)
        if weights is not None and self.config.weights_on != "attention":
            x, weights = self._weighed(x, weights[..., None]), None
        return self.encoder(x, history != PADDING, weights, last_only=True)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """The weighed terms of :class:`GuidedDiffusionConfig` for a batch."""
        generator = seeded(generator)
        history = self.training_history(batch, generator)
        return self.diffusion_loss(*self.prepare_history(history, generator, Controls()), batch.target, generator)

    def training_history(self, batch: Batch, generator: Generator) -> Tensor:
        """The window (B, L) of a batch, of which items go missing if the config says so."""
        history = window(batch.history, self.config.max_length)
        if self.training and self.config.missing_rate:
            return lose_at_random(history, self.config.missing_rate, generator)
        return history

    def diffusion_loss(self, history: Tensor, weights: Tensor | None, target: Tensor, generator: Generator) -> Tensor:
        """The same for histories (B, L) that are prepared, with the weights of their slots."""
        config = self.config
        if config.trained_items_only and self.training:
            self.is_trained[target] = True
        target, guidance = self.training_target(target, generator), self.guidance(history, weights)
        clean = self.target_vector(target)
        estimate, given = self.denoise_training(clean, guidance, generator)
        loss = clean.new_zeros(())
        if config.ranking_weight:
            loss = loss + config.ranking_weight * self.ranking_loss(estimate, target)
        if config.error_weight:
            loss = loss + config.error_weight * self.error(estimate, clean)
        if config.guidance_ranking_weight:
            loss = loss + config.guidance_ranking_weight * self.ranking_loss(guidance, target)
        if config.contrastive_weight:
            loss = loss + config.contrastive_weight * contrastive_loss(given, clean, config.contrastive_temperature)
        return loss

    def target_vector(self, target: Tensor) -> Tensor:
        """x_0 (B, D): the target's embedding, or its direction at a fixed length; a constant unless the config says."""
        vector = self.item_embedding(target)
        if not self.config.target_gradient:
            vector = vector.detach()
        return vector if self.config.diffusion_target == "embedding" else self.to_length(vector)

    def ranking_loss(self, vector: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy of the targets (B,) among all items as (B, D) ``vector`` ranks them, shape ()."""
        if self.config.scoring == "inner":
            return next_item_loss(vector, target, self.item_embedding, self.config.num_items, self.item_bias)
        return F.cross_entropy(self.rank(vector), target)

    def error(self, estimate: Tensor, clean: Tensor) -> Tensor:
        """How far the estimates (B, D) are from x_0 (B, D), shape ()."""
        if self.config.error == "direction":
            return (unit(estimate) - unit(clean)).square().sum(dim=-1).mean()
        squared = (estimate - clean).square()
        return squared.mean() if self.config.error == "mean_square" else squared.sum(dim=-1).mean()

    def denoise_training(self, clean: Tensor, guidance: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """The denoiser's x_0 (B, D) at a random step, and the guidance it got: a share of the rows is left without."""
        rows, device = len(clean), clean.device
        time = torch.randint(len(self.noise_schedule), (rows,), generator=generator).to(device)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        dropped = (torch.rand(rows, 1, generator=generator) < self.config.unconditional_rate).to(device)
        noisy = self.noise_schedule.add_noise(clean, time, noise)
        given = torch.where(dropped, self.no_guidance, guidance)
        return self.denoiser(noisy, given, time), given

    def embedding(self) -> Tensor:
        return self.item_embedding.weight[: self.config.num_items + 1]

    def rank(self, vector: Tensor) -> Tensor:
        """(B, D) -> (B, M + 1) scores."""
        return mask_padding(self.similarities(vector))

    def similarities(self, vector: Tensor) -> Tensor:
        """(B, D) -> (B, M + 1): likeness of a generated vector to every item and, in column 0, to the padding row."""
        items = self.embedding()
        if self.config.scoring == "inner" and self.item_bias is not None:
            return torch.addmm(self.item_bias, vector, items.T)
        if self.config.scoring == "inner":
            scores = vector @ items.T
        elif self.config.scoring == "cosine":
            scores = unit(vector) @ unit(items).T
        else:
            scores = -torch.cdist(vector, items)
        return scores if self.item_bias is None else scores + self.item_bias

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        scores = self._scores(history, generator, controls)
        scores[:, PADDING] = -torch.inf  # in place: one pass over the largest matrix less
        return scores

    def score_with_padding(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> Tensor:
        scores = self._scores(history, generator, controls)
        return scores if self.config.trained_padding else mask_padding(scores)

    @torch.inference_mode()
    def denoising(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> list[DenoisingStep]:
        controls = controls or Controls()
        prepared = self.prepare_history(window(history, self.config.max_length), generator, controls)
        vectors = self.generate_visibly(self.guidance(*prepared), generator, controls)
        return [DenoisingStep(vector, mask_padding(self._ranked(vector))) for vector in vectors]

    def _scores(self, history: Tensor, generator: Generator | None, controls: Controls | None) -> Tensor:
        controls = controls or Controls()
        prepared = self.prepare_history(window(history, self.config.max_length), generator, controls)
        return self._ranked(self.generate(self.guidance(*prepared), generator, controls))

    def _ranked(self, vector: Tensor) -> Tensor:
        scores = self.similarities(vector)
        if self.config.trained_items_only:
            below_all = scores.amin(dim=1, keepdim=True) - 1
            scores = torch.where(self.is_trained, scores, below_all)
        return scores

    def _weighed(self, x: Tensor, weights: Tensor) -> Tensor:
        """Embeddings (B, L, D) times ``weights`` (B, L, 1), the position included where the config says "input"."""
        if self.config.weights_on == "embedding":
            return weights * x
        # The encoder adds the position itself, and its dropout is a factor like the weight.
        position = self.encoder.position[: x.shape[1]].flip(0)
        return weights * (x + position) - position


def _encoder(config: GuidedDiffusionConfig) -> CausalEncoder | ReleasedEncoder:
    dim, length, rates = config.embedding_dim, config.max_length, (config.dropout, config.input_dropout)
    if config.encoder == "transformer":
        return CausalEncoder(dim, length, config.layers, config.heads, *rates)
    return ReleasedEncoder(dim, length, *rates, config.initial_scale, config.weights_on, config.exact_zero_masks)
