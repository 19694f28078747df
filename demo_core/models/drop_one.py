"""Weights from what leaving an item out does to the model's own answer: a variant beside CARD's PER, in no paper.

PER says what an item did for the items after it *in the window*. What a list depends on is another question: leave the
item out, ask again, and see how far the distribution of the next item moves (KL divergence). That effect is exact but
costs one more reading per item. Here a small head learns to guess it: in every training step it is shown the true
effects, measured with the present model without dropout and without weights (or a weight would confirm itself), for a
few random rows. All is stop-gradient: the head teaches the model nothing.

Weight: 1 + tanh(z / T), where z is the guessed log effect minus its mean over the history and T a multiple of the
usual size (RMS) of the true z. The head starts by guessing the same for all, so that weights are 1 until it knows.

Letters: B batch, L history length, D width, M items, N pairs of a history and one of its items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from demo_core.layers import EncoderLayer, attention_logits
from demo_core.sequences import PADDING
from demo_core.slots import Slots
from demo_core.stability import remove

SMALLEST_EFFECT = 1e-4  # nats; whatever moves the answer less is not told apart
SMALLEST_PROBABILITY = 1e-12  # keeps a divergence finite where a softmax has run out of digits


@dataclass(frozen=True)
class Variants:
    """Every history without each of its items: ``history`` (N, L) ids, from row ``row`` (N,) without slot ``slot``
    (N,).
    """

    history: Tensor
    row: Tensor
    slot: Tensor


def leave_each_out(history: Tensor) -> Variants:
    """(B, L) ids -> one variant for each item, row by row, gaps closed to the right."""
    row, slot = (history != PADDING).nonzero(as_tuple=True)
    without = F.one_hot(slot, history.shape[1]).bool()
    return Variants(remove(history[row], without), row, slot)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Sum of p ln(p / q) in nats over the last axis, never below 0; a probability of q counts as at least 1e-12."""
    terms = torch.special.xlogy(p, p) - p * q.clamp(min=SMALLEST_PROBABILITY).log()
    return terms.sum(dim=-1).clamp(min=0.0)


def drop_one_divergence(history: Tensor, probabilities: Callable[[Tensor], Tensor]) -> Tensor:
    """KL from the whole history's answer to that without each item, (B, L) nats, 0 at padding.

    ``probabilities`` maps histories (., L) to distributions (., M + 1); it is asked once.
    """
    variants = leave_each_out(history)
    answers = probabilities(torch.cat([history, variants.history]))
    whole, without = answers[: len(history)], answers[len(history) :]
    effect = torch.zeros(history.shape, dtype=answers.dtype, device=history.device)
    effect[variants.row, variants.slot] = kl_divergence(whole[variants.row], without)
    return effect


def sample_rows(history: Tensor, number: int, generator: Generator | None) -> Tensor:
    """(B, L) -> (R, L): up to ``number`` random rows with at least two items, whose effects can be compared."""
    rows = ((history != PADDING).sum(dim=1) >= 2).nonzero().squeeze(1)
    chosen = torch.randperm(len(rows), generator=generator)[:number]
    return history[rows[chosen.to(rows.device)]]


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """``module`` in evaluation mode for a while."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


def centred(values: Tensor, mask: Tensor) -> Tensor:
    """(B, L) minus the row's mean over the real slots; 0 at padding."""
    count = mask.sum(dim=1, keepdim=True).clamp(min=1)
    mean = values.masked_fill(~mask, 0.0).sum(dim=1, keepdim=True) / count
    return (values - mean).masked_fill(~mask, 0.0)


def effect_weights(log_effect: Tensor, mask: Tensor, temperature: float | Tensor) -> Tensor:
    """Weights 1 + tanh(z / T) in (0, 2), (B, L): 1 for an item of average effect, a single item, and padding."""
    return 1 + torch.tanh(centred(log_effect, mask) / temperature)


class EffectPredictor(nn.Module):
    """Guesses the log effect of leaving each item out from the whole window, in one pass.

    Its last layer speaks in standard units: ``typical`` is what it guesses at first, ``scale`` how far effects are
    usually from their history's mean.
    """

    typical: Tensor  # () running mean of the true log effects
    scale: Tensor  # () running root mean square of the true log effects about their history's mean

    def __init__(self, dim: int, max_length: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(max_length, dim) * 0.02)
        self.layer = EncoderLayer(dim, heads=1, dropout=0.0)
        self.norm = nn.LayerNorm(dim)
        self.difference = nn.Linear(dim, 1)
        nn.init.zeros_(self.difference.weight)
        nn.init.zeros_(self.difference.bias)
        self.register_buffer("typical", torch.tensor(0.01).log())
        self.register_buffer("scale", torch.tensor(1.0))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Vectors (B, L, D), mostly unit ones, and their real slots (B, L) -> log effects (B, L), 0 at padding."""
        slots, length = Slots.of(mask), mask.shape[1]
        x = 0.25 * vectors.shape[-1] ** 0.5 * vectors + self.position[:length].flip(0)
        x = self.layer(slots.pack(x), attention_logits(mask, x.dtype, causal=False), slots)
        difference = slots.pad(self.difference(self.norm(x))).squeeze(-1)
        return (self.typical + self.scale * difference).masked_fill(~mask, 0.0)

    def loss(self, vectors: Tensor, mask: Tensor, effect: Tensor) -> Tensor:
        """Mean squared error of the log effects over the real slots in standard units, (), which it follows while
        training.
        """
        wanted = effect.clamp(min=SMALLEST_EFFECT).log().to(vectors.dtype)
        count = mask.sum().clamp(min=1)
        if self.training:
            self.typical.lerp_(wanted.masked_fill(~mask, 0.0).sum() / count, 0.02)
            self.scale.lerp_((centred(wanted, mask).square().sum() / count).sqrt(), 0.02)
        error = (self(vectors, mask) - wanted).masked_fill(~mask, 0.0) / self.scale
        return error.square().sum() / count
