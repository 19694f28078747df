"""CARD's auxiliary predictor (MLP_aux), the prediction error reduction that it measures, and the weights made of it.

MLP_aux guesses, after each item, the mean vector m_n of what follows. An item whose sight makes that guess better has a
positive prediction error reduction (PER).

Two readings: our own predictor is trained by its own loss, knows positions, and takes the items there are for the
future; the released one (``released``, ``padded_future_mean``) has neither positions nor a norm, and lets padding stand
for future items.

Letters: B batch, L history length, D width, W items of the future.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import GELU, EncoderLayer, attention_logits
from demo_core.slots import Slots


def prediction_error_reduction(loss_without: Tensor, loss_with: Tensor) -> Tensor:
    """PER (CARD Eq. 4): squared error of the prediction without the item minus with it; positive: the item helps."""
    return loss_without - loss_with


def importance_weights(per: Tensor, temperature: float | Tensor) -> Tensor:
    """Weights (CARD Eq. 5): 1 + tanh(PER / T) in (0, 2), 1 where PER is 0. ``temperature`` > 0, in PER's unit."""
    return 1 + torch.tanh(per / temperature)


def future_mean(vectors: Tensor, mask: Tensor, window_size: int) -> tuple[Tensor, Tensor]:
    """m_n: mean of the up to ``window_size`` real items after slot n. (B, L, D), (B, L) -> (B, L, D), has-a-future
    (B, L).

    Slots without a future item get the zero vector and ``False``.
    """
    ahead = _ahead(vectors, window_size)
    count = mask.to(vectors.dtype) @ ahead.T
    return ahead @ (vectors * mask[..., None]) / count.clamp(min=1)[..., None], (count > 0) & mask


def padded_future_mean(vectors: Tensor, mask: Tensor, window_size: int, padding: Tensor) -> Tensor:
    """m_n of the items as the released code has it: the sum over the next W slots divided by W, whatever stands there,
    (B, L, D). It means nothing for padding.

    There the padding follows the items, so that the vector ``padding`` (D,) is summed for every slot of the
    window that the items do not fill; slots past the window add zero.
    """
    length = mask.shape[1]
    total = _ahead(vectors, window_size) @ vectors  # after an item stand only items
    items_after = torch.arange(length - 1, -1, -1, device=mask.device)  # (L,)
    unfilled = length - mask.sum(dim=1, keepdim=True)  # (B, 1)
    pads = torch.minimum((window_size - items_after).clamp(min=0), unfilled).to(total.dtype)
    return (total + pads[..., None] * padding) / window_size


def _ahead(vectors: Tensor, window_size: int) -> Tensor:
    """(L, L) for (B, L, D): row n has ones in the next ``window_size`` columns; a product with it sums the future."""
    length = vectors.shape[1]
    return torch.ones(length, length, dtype=vectors.dtype, device=vectors.device).triu(1).tril(window_size)


@dataclass(frozen=True)
class FutureErrors:
    """Squared error (norm) of the predicted future ``knowing`` slot n and ``not_knowing`` it, and ``has_future``, all
    (B, L).
    """

    knowing: Tensor
    not_knowing: Tensor
    has_future: Tensor


@dataclass(frozen=True)
class Guess:
    """MLP_aux' predictions for the packed ``slots``, (M, D) each: ``knowing`` the slot, and only those before it."""

    knowing: Tensor
    not_knowing: Tensor
    slots: Slots

    def errors(self, future: Tensor, has_future: Tensor) -> FutureErrors:
        """Against ``future`` (B, L, D). They mean nothing at slots that were not asked for."""
        wanted = self.slots.pack(future)
        knowing, not_knowing = (
            self.slots.pad((guess - wanted).square().sum(dim=-1, keepdim=True)).squeeze(-1)
            for guess in (self.knowing, self.not_knowing)
        )
        return FutureErrors(knowing, not_knowing, has_future)


class FuturePredictor(nn.Module):
    """MLP_aux on a causal encoding. ``input_scale`` multiplies the vectors: our own are unit vectors, brought to a
    quarter of the length that a vector of D standard normals has.

    ``released``: a plain layer with the initial values of ``torch.nn.TransformerEncoderLayer``, no positions, no last
    norm, and zeros for the state before the first item. Its pads follow the items, so a causal layer never shows them
    to an item: masking them here changes nothing.
    """

    before_any: Tensor  # (D,) the state h_0 before the first item

    def __init__(
        self,
        dim: int,
        max_length: int,
        *,
        released: bool = False,
        dropout: float = 0.0,
        input_scale: float | None = None,
    ) -> None:
        super().__init__()
        self.input_scale = 0.25 * dim**0.5 if input_scale is None else input_scale
        self.position = None if released else nn.Parameter(torch.randn(max_length, dim) * 0.02)
        self.layer = EncoderLayer(dim, heads=1, dropout=dropout)
        self.norm = nn.Identity() if released else nn.LayerNorm(dim)
        if released:
            _initialise_as_released(self.layer)
            self.register_buffer("before_any", torch.zeros(dim), persistent=False)
        else:
            self.before_any = nn.Parameter(torch.zeros(dim))
        self.mlp = nn.Sequential(nn.Linear(dim, dim), GELU(), nn.Linear(dim, dim))

    def forward(self, vectors: Tensor, mask: Tensor, wanted: Tensor | None = None) -> Guess:
        """``vectors`` (B, L, D) of the real slots ``mask`` (B, L) -> the guesses for those of them that are ``wanted``
        (B, L), ``None`` = all. Only the states that these need are computed.
        """
        slots = Slots.of(mask)
        x = self.input_scale * slots.pack(vectors)
        if self.position is not None:
            newest_last = self.position[: mask.shape[1]].flip(0)
            x = x + slots.pack(newest_last.expand(len(mask), -1, -1))
        needed = None if wanted is None else Slots.of((wanted | F.pad(wanted[:, 1:], (0, 1))) & mask)
        states = self.norm(self.layer(x, attention_logits(mask, x.dtype), slots, wanted=needed))
        guesses = self.mlp(torch.cat([self.before_any[None], states]))
        asked = slots if wanted is None else Slots.of(wanted)
        own = (needed or slots).find(asked, x.device) + 1
        is_first = asked.pack(mask & ~F.pad(mask[:, :-1], (1, 0)))
        before = torch.where(is_first, 0, own - 1)  # the item before it is the one before it in the packed order, too
        return Guess(guesses.index_select(0, own), guesses.index_select(0, before), asked)


def _initialise_as_released(layer: EncoderLayer) -> None:
    """Glorot for the stacked map to queries, keys and values; no bias in the attention at first."""
    attention = layer.attention
    bound = math.sqrt(6 / (4 * attention.query.in_features))
    for weight in (attention.query.weight, attention.key_value.weight):
        nn.init.uniform_(weight, -bound, bound)
    for linear in (attention.query, attention.key_value, attention.out):
        nn.init.zeros_(linear.bias)
