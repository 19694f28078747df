"""CARD's routing threshold, learned with everything else: a variant beside the fixed quantile, in no paper.

A hard threshold has no gradient. Here a history is turning by degrees: with u, the share of training histories that
are less even than it, and the threshold's own place q among them,

    turning share = sigmoid((u - q) / softness)

and a weight counts by that share: 1 + share * (weight - 1). So the ranking loss moves q: down where weighing helps the
histories near the threshold, up where it hurts them. Places are used because evenness itself lies in a narrow band that
moves while the embeddings are trained. What is thinned remains a decision: the histories on the stable side.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LEVELS = 101  # evenness of the least even training history, of those one, two, ... percent up, and of the most even
PACE = 10.0  # one number at the step size of the vectors would hardly move: this many of their steps at once


class LearnedThreshold(nn.Module):
    """``start`` in (0, 1) is the place q at first, ``softness`` > 0 is in places too."""

    levels: Tensor  # (LEVELS,) evenness, ascending

    def __init__(self, start: float, softness: float) -> None:
        super().__init__()
        if not 0 < start < 1 or softness <= 0:
            raise ValueError(
                f"LearnedThreshold: expected 0 < threshold_quantile < 1 and threshold_softness > 0, got {start} and "
                f"{softness}."
            )
        self.softness = softness
        self.logit = nn.Parameter(torch.tensor(math.log(start / (1 - start)) / PACE))
        self.register_buffer("levels", torch.linspace(0.0, 1.0, LEVELS))

    @property
    def quantile(self) -> Tensor:
        """q, ()."""
        return torch.sigmoid(PACE * self.logit)

    def place(self, evenness: Tensor) -> Tensor:
        """(B,) -> (B,) in [0, 1]: the share of training histories that are less even, linear between the levels."""
        above = torch.searchsorted(self.levels, evenness.contiguous()).clamp(1, LEVELS - 1)
        low, high = self.levels[above - 1], self.levels[above]
        within = ((evenness - low) / (high - low).clamp(min=1e-12)).clamp(0.0, 1.0)
        return (above - 1 + within) / (LEVELS - 1)

    def turning_share(self, evenness: Tensor, threshold: float | None = None) -> Tensor:
        """(B,) -> (B,) in (0, 1). An evenness as ``threshold`` takes the learned one's place."""
        quantile = self.quantile if threshold is None else self.place(evenness.new_tensor([threshold]))
        return torch.sigmoid((self.place(evenness) - quantile) / self.softness)

    def read(self, evenness: Tensor) -> None:
        """Takes the levels from training histories, (N,) with N > 0."""
        self.levels.copy_(evenness.quantile(torch.linspace(0.0, 1.0, LEVELS).to(evenness)))

    def threshold(self) -> Tensor:
        """The evenness at q, ()."""
        at = self.quantile.detach() * (LEVELS - 1)
        below = at.floor().long().clamp(max=LEVELS - 2)
        return torch.lerp(self.levels[below], self.levels[below + 1], at - below)


def soften(weights: Tensor, share: Tensor) -> Tensor:
    """Weights (B, L) that count by ``share`` (B,): 1 + share * (weight - 1)."""
    return 1 + share[:, None] * (weights - 1)
