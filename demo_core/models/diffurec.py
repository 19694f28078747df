"""DiffuRec: "DiffuRec: A Diffusion Model for Sequential Recommendation" (Li, Sun, Li, ACM TOIS 2024, arXiv 2304.00686).

The idea: an item is no fixed vector but a distribution. The target's embedding is noised, a little of it is added to
every item of the history, and a Transformer restores the target from that; at inference it begins with pure noise and
feeds its own estimate back. Unlike DreamRec, the history is not guidance for a separate denoiser: the Transformer that
reads it is the denoiser, and it is trained by cross-entropy alone.

| equation | function |
| --- | --- |
| schedule, "truncated linear" | ``truncated_linear_betas`` |
| forward process q(x_t, x_0), x_0 the target's embedding | ``NoiseSchedule.add_noise`` |
| items as distributions: z_i = e_i + lambda_i (x_t + d_t), lambda_i ~ N(delta, delta) | ``draw_shares``, ``blend`` |
| approximator: Transformer, its newest state is x_0 | ``DiffuRec.approximate`` |
| loss: cross-entropy of x_0 against all items, no error of vectors | ``DiffuRec.loss`` |
| reverse process, rounding by inner product | ``posterior_walk``, ``diffusion.sample``, ``rank`` |

With delta = 0.001 the noised target is a thousandth of what the Transformer reads, and the loss can be brought down
from the history alone: lists hardly depend on the noise, nor on the number of steps. There are no positions, as
released: of the order of a history only which item is the newest matters.

The departures from paper and released code, and why: the table in ``diffurec_config``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.diffusion import NoiseSchedule, sample
from demo_core.layers import (
    Dropout,
    EncoderLayer,
    attention_logits,
    embedding_table,
    step_embedding,
    window,
    with_start,
)
from demo_core.models.base import (
    Controls,
    DenoisingStep,
    mask_padding,
    next_item_loss,
    seeded,
)
from demo_core.models.diffurec_config import LEAST_STEPS, DiffuRecConfig
from demo_core.models.neighbour_targets import LearnsFromNeighbours
from demo_core.models.posterior_walk import posterior_steps
from demo_core.models.ranking_loss import full_cross_entropy
from demo_core.sequences import PADDING, Batch
from demo_core.slots import Slots

TIME_RANGE = 1000  # steps are told to the network as if there were so many
EVENLY = -1e30  # so low that nothing of a similarity is left, but finite: a softmax over it is even


def truncated_linear_betas(T: int) -> Tensor:
    """(T,) float64: equally spaced noise rates from 0.1 / T + 0.01 to 20 / T + 0.01, which asks for 21 steps at least.

    ``ValueError`` for fewer: the last rate would not be below 1.
    """
    if T < LEAST_STEPS:
        raise ValueError(f"diffusion_steps: this schedule needs at least {LEAST_STEPS}, got {T}.")
    return torch.linspace(0.1 / T + 0.01, 20 / T + 0.01, T, dtype=torch.float64)


def blend(items: Tensor, share: Tensor, push: Tensor) -> Tensor:
    """Items (B, L, D) as distributions: e + lambda (x_t + d), of lambda (B or 1, L, 1 or D) and ``push`` (B, D)."""
    return items + share * push[:, None]


@dataclass(frozen=True)
class Reading:
    """A history as all steps of sampling read it: embedded items (B, L, D), the slots that are computed, and what is
    added to the attention logits.
    """

    items: Tensor
    slots: Slots
    logits: Tensor


class DiffuRec(LearnsFromNeighbours):
    config: DiffuRecConfig

    def __init__(self, config: DiffuRecConfig) -> None:
        super().__init__(config)
        dim, rows = config.embedding_dim, config.num_items + 1
        rows += not config.padding_as_item  # last row: [start]
        self.item_embedding = embedding_table(rows, dim, config.initial_scale, config.padding_as_item)
        self.input_dropout, self.input_norm = Dropout(config.input_dropout), nn.LayerNorm(dim)
        self.step = nn.Sequential(nn.Linear(dim, 4 * dim), nn.SiLU(), nn.Linear(4 * dim, dim))
        self.layers = nn.ModuleList(EncoderLayer(dim, config.heads, config.dropout) for _ in range(config.layers))
        self.dropout, self.norm = Dropout(config.dropout), nn.LayerNorm(dim)
        self.noise_schedule = NoiseSchedule(truncated_linear_betas(config.diffusion_steps))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Cross-entropy of the targets as they are restored from random steps; they have a gradient on both sides."""
        generator = seeded(generator)
        target = self.training_target(batch.target, generator)
        clean = self.item_embedding(target)
        time = torch.randint(len(self.noise_schedule), (len(clean),), generator=generator).to(clean.device)
        noise = torch.randn(clean.shape, generator=generator).to(clean)
        noisy = self.noise_schedule.add_noise(clean, time, noise)
        shares = self.draw_shares(len(clean), generator).to(clean)
        restored = self.approximate(self.read(batch.history), noisy, time, shares)
        if self.config.rank_padding:
            return full_cross_entropy(restored, self.embedding(), target)
        return next_item_loss(restored, target, self.item_embedding, self.config.num_items)

    def read(self, history: Tensor) -> Reading:
        """(B, any) ids -> the window that is read; an empty one holds the item [start]."""
        tokens = window(history, self.config.max_length)
        if not self.config.padding_as_item:
            tokens = with_start(tokens, self.config.num_items + 1)
        mask = tokens != PADDING
        items = self.input_norm(self.input_dropout(self.item_embedding(tokens)))
        if self.config.padding_as_item:
            return Reading(items, Slots.of(torch.ones_like(mask)), queries_of_padding(mask, items.dtype))
        return Reading(items, Slots.of(mask), attention_logits(mask, items.dtype, causal=False))

    def draw_shares(self, rows: int, generator: Generator) -> Tensor:
        """lambda ~ N(delta, delta), (rows, L, 1), or (rows, L, D) with ``elementwise_share``; on the CPU."""
        config = self.config
        width = config.embedding_dim if config.elementwise_share else 1
        return config.noise_share * (1 + torch.randn(rows, config.max_length, width, generator=generator))

    def approximate(self, reading: Reading, noisy: Tensor, time: Tensor, shares: Tensor) -> Tensor:
        """x_0 (B, D) from x_t (B, D) at ``time`` (B,) or (1,), ``shares`` (B or 1, L, 1 or D) of it in every item."""
        told = step_embedding(time * (TIME_RANGE / len(self.noise_schedule)), noisy.shape[1]).to(noisy.dtype)
        slots = reading.slots
        x = slots.pack(blend(reading.items, shares, noisy + self.step(told)))
        for layer in self.layers[:-1]:
            x = self.dropout(layer(x, reading.logits, slots))
        newest = self.dropout(self.layers[-1](x, reading.logits, slots, last_only=True))
        return self.norm(self.dropout(newest))

    def generate(
        self,
        history: Tensor,
        generator: Generator | None,
        controls: Controls | None,
        callback: Callable[[int, Tensor, Tensor], None] | None = None,
    ) -> Tensor:
        """The next item's embedding (B, D) from (B, any) ids, sampled from pure noise; all rows share every draw."""
        generator, reading = seeded(generator), self.read(history)
        asked = self.config.inference_steps if controls is None or controls.steps is None else controls.steps
        steps = posterior_steps(self.noise_schedule, asked, self.config.forward_noise)

        def draw() -> Tensor:
            return torch.randn(1, self.config.embedding_dim, generator=generator).to(reading.items)

        def estimate(state: Tensor, time: int) -> Tensor:
            at = torch.full((1,), time, device=state.device)
            return self.approximate(reading, state, at, self.draw_shares(1, generator).to(state))

        return sample(steps, estimate, draw().expand(len(history), -1), draw, callback=callback)

    def rank(self, vector: Tensor) -> Tensor:
        """Rounding: (B, D) -> (B, M + 1), inner products with all items and, in column 0, with the padding row."""
        return vector @ self.embedding().T

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        scores = self.rank(self.generate(history, generator, controls))
        scores[:, PADDING] = -torch.inf
        return scores

    def score_with_padding(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> Tensor:
        scores = self.rank(self.generate(history, generator, controls))
        return scores if self.config.padding_as_item else mask_padding(scores)

    @torch.inference_mode()
    def denoising(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> list[DenoisingStep]:
        vectors: list[Tensor] = []

        def watch(number: int, state: Tensor, estimate: Tensor) -> None:
            if not vectors:
                vectors.append(state)
            vectors.append(estimate)

        self.generate(history, generator, controls, watch)
        return [DenoisingStep(vector, mask_padding(self.rank(vector))) for vector in vectors]

    def embedding(self) -> Tensor:
        return self.item_embedding.weight[: self.config.num_items + 1]


def queries_of_padding(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """The released mask as additive logits, (B, L) bool -> (B, 1, L, L): real queries see every key, padding included;
    those of padding see all keys evenly (and here pass on a gradient all the same, which changes its fifth digit).
    """
    silenced = (~mask)[:, None, :, None].expand(-1, 1, -1, mask.shape[1])
    return torch.zeros(silenced.shape, dtype=dtype, device=mask.device).masked_fill(silenced, EVENLY)
