"""Repeat last: recommends the window's own items again, newest first, then popularity.

On data with immediate repeats (KuaiRec) this rule alone explains the published level; where history is excluded it has
nothing left but popularity.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.layers import window
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig, Validation, mask_padding
from demo_core.sequences import Batch


@dataclass(frozen=True, kw_only=True)
class RepeatLastConfig(RecommenderConfig):
    """Nothing to set."""


class RepeatLast(Recommender):
    popularity: Tensor  # (M + 1,) share of the training targets, in [0, 1)

    def __init__(self, config: RepeatLastConfig) -> None:
        super().__init__(config)
        self.register_buffer("popularity", torch.zeros(config.num_items + 1))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Share of targets that are not the last item; nothing is trained by it."""
        return (batch.history[:, -1] != batch.target).float().mean()

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        history = window(history, self.config.max_length)
        recency = torch.arange(1, history.shape[1] + 1, device=history.device, dtype=self.popularity.dtype)
        scores = self.popularity.expand(len(history), -1)
        return mask_padding(scores.scatter_reduce(1, history, recency.expand_as(history), "amax"))

    def phases(self) -> list[Phase]:
        return [Phase("count", None, [], prepare=self._count)]

    def _count(self, dataset: Dataset, validate: Validation) -> None:
        counts = dataset.train.target_counts(self.config.num_items)
        self.popularity.copy_(counts / (counts.sum() + 1))
