"""Popularity: everybody gets the items that are most often a training target. The bar every model has to clear."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig, Validation, mask_padding
from demo_core.sequences import Batch


@dataclass(frozen=True, kw_only=True)
class PopularityConfig(RecommenderConfig):
    """Nothing to set."""


class Popularity(Recommender):
    counts: Tensor  # (M + 1,) how often each item is a training target

    def __init__(self, config: PopularityConfig) -> None:
        super().__init__(config)
        self.register_buffer("counts", torch.zeros(config.num_items + 1))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Negative log share of the targets; nothing is trained by it."""
        share = (self.counts + 1) / (self.counts + 1).sum()
        return -share[batch.target].log().mean()

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return mask_padding(self.counts.expand(len(history), -1))

    def phases(self) -> list[Phase]:
        return [Phase("count", None, [], prepare=self._count)]

    def _count(self, dataset: Dataset, validate: Validation) -> None:
        self.counts.copy_(dataset.train.target_counts(self.config.num_items))
