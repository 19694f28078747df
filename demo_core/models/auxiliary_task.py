"""CARD's auxiliary task as a config reads it: what MLP_aux sees, what it is to guess, and the PER that results."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import unit
from demo_core.models.card_config import CARDConfig
from demo_core.models.future_predictor import (
    FutureErrors,
    FuturePredictor,
    Guess,
    future_mean,
    padded_future_mean,
    prediction_error_reduction,
)
from demo_core.sequences import PADDING


@dataclass(frozen=True)
class Sight:
    """One pass of MLP_aux: its ``guess`` from ``vectors`` (B, L, D) of the real slots ``mask`` (B, L), and what stands
    for ``padding`` (D,).
    """

    guess: Guess
    vectors: Tensor
    mask: Tensor
    padding: Tensor


class AuxiliaryTask:
    """Works on the model's own parts; it holds no parameters itself."""

    def __init__(self, config: CARDConfig, items: nn.Embedding, predictor: FuturePredictor) -> None:
        self.config, self.items, self.predictor = config, items, predictor

    def vectors(self, history: Tensor, attached: bool = False) -> Tensor:
        """(...,) ids -> (..., D): directions, or the embeddings themselves; constants if not ``attached``."""
        embedded = self.items(history)
        if not attached:
            embedded = embedded.detach()
        return embedded if self.config.raw_vectors else unit(embedded)

    def see(self, history: Tensor, attached: bool = False, wanted: Tensor | None = None) -> Sight:
        """(B, L) ids -> one pass of MLP_aux, for the ``wanted`` (B, L) slots or for all of them."""
        mask = history != PADDING
        embedded = self.vectors(F.pad(history.flatten(), (0, 1), value=PADDING), attached)  # one more: padding itself
        vectors = embedded[:-1].unflatten(0, history.shape)
        return Sight(self.predictor(vectors, mask, wanted), vectors, mask, embedded[-1])

    def errors(self, sight: Sight, target: Tensor | None = None) -> FutureErrors:
        """Of the guesses about what the window holds and, in the own reading, the ``target`` (B,) as one more item."""
        config, length = self.config, sight.mask.shape[1]
        if config.padded_future:
            wanted = padded_future_mean(sight.vectors, sight.mask, config.future_window, sight.padding)
            return sight.guess.errors(wanted, sight.mask)
        vectors, mask = sight.vectors, sight.mask
        if target is not None:
            vectors = torch.cat([vectors, self.vectors(target)[:, None]], dim=1)
            mask = F.pad(mask, (0, 1), value=True)
        wanted, has_future = future_mean(vectors, mask, config.future_window)
        return sight.guess.errors(wanted[:, :length], has_future[:, :length])

    def reduction(self, errors: FutureErrors) -> Tensor:
        """PER (B, L) in the config's unit, 0 where there is no future to predict."""
        per = prediction_error_reduction(errors.not_knowing, errors.knowing).masked_fill(~errors.has_future, 0.0)
        return per / self.config.embedding_dim if self.config.per_mean else per

    def loss(self, errors: FutureErrors) -> Tensor:
        """Squared error, mean over the slots that have a future; both guesses learn. ()."""
        total = torch.where(errors.has_future, errors.knowing + errors.not_knowing, 0.0).sum()
        return total / (2 * errors.has_future.sum().clamp(min=1))
