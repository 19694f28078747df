"""Item-kNN: items whose training audience is similar to that of the recent history (Sarwar et al., WWW 2001).

score(j) = sum over history items i of decay^age(i) * cos(i, j), where cos is taken over the columns of the binary
sequence-item matrix. Departure: only the ``neighbours`` most similar items of each item are kept, which is what a
bundle can hold without shipping anybody's sequences. Items without a vote, and all of them after an empty history, are
ranked by popularity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig, mask_padding
from demo_core.sequences import PADDING, Batch


@dataclass(frozen=True, kw_only=True)
class ItemKNNConfig(RecommenderConfig):
    """``recency_decay`` in (0, 1]: what one step back in the window still counts (1: all items count the same)."""

    neighbours: int = 500
    recency_decay: float = 0.8


class ItemKNN(Recommender):
    config: ItemKNNConfig
    neighbour: Tensor  # (M + 1, N) ids in the smallest type that holds them, 0 where an item has fewer neighbours
    similarity: Tensor  # (M + 1, N) cosine in [0, 1]
    popularity: Tensor  # (M + 1,) share of the training targets

    def __init__(self, config: ItemKNNConfig) -> None:
        super().__init__(config)
        kept = min(config.neighbours, config.num_items - 1)
        id_type = torch.int16 if config.num_items <= torch.iinfo(torch.int16).max else torch.int32
        self.register_buffer("neighbour", torch.zeros(config.num_items + 1, kept, dtype=id_type))
        self.register_buffer("similarity", torch.zeros(config.num_items + 1, kept))
        self.register_buffer("popularity", torch.zeros(config.num_items + 1))

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Negative mean score of the targets; nothing is trained by it."""
        return -self.score(batch.history).gather(1, batch.target[:, None]).mean()

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        history = history[:, -self.config.max_length :]
        age = torch.arange(history.shape[1] - 1, -1, -1, device=history.device)
        weight = (history != PADDING) * self.config.recency_decay**age  # (B, L)
        votes = self.similarity[history] * weight[..., None]  # (B, L, N)
        scores = (1e-6 * self.popularity).repeat(len(history), 1)
        return mask_padding(scores.scatter_add(1, self.neighbour[history].flatten(1).long(), votes.flatten(1)))

    def phases(self) -> list[Phase]:
        return [Phase("count", None, [], prepare=self._count)]

    def _count(self, dataset: Dataset, validate: Callable[[], float]) -> None:
        counts = dataset.train.target_counts(self.config.num_items)
        self.popularity.copy_(counts / counts.sum().clamp(min=1))
        cosine = item_cosine(dataset.train.sequences(), self.config.num_items)
        cosine.setdiag(0)
        for item in range(1, self.config.num_items + 1):
            ids = cosine.indices[cosine.indptr[item] : cosine.indptr[item + 1]]
            values = cosine.data[cosine.indptr[item] : cosine.indptr[item + 1]]
            best = np.argsort(-values, kind="stable")[: self.neighbour.shape[1]]
            self.neighbour[item, : len(best)] = torch.from_numpy(ids[best].astype(np.int64))
            self.similarity[item, : len(best)] = torch.from_numpy(values[best].astype(np.float32))


def item_cosine(histories: Sequence[Sequence[int]], num_items: int) -> sparse.csr_array:
    """Cosine between the columns of the binary (sequence x item) matrix: (M + 1, M + 1) float64, sparse.

    Row and column 0 (padding) and those of items in no history are empty, their diagonal included.
    """
    seen = occurrences(histories, num_items)
    together = sparse.csr_array(seen.T @ seen)
    norm = np.sqrt(together.diagonal())
    inverse = sparse.dia_array(
        (np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)[None], [0]), shape=together.shape
    )
    return sparse.csr_array(inverse @ together @ inverse)


def occurrences(histories: Sequence[Sequence[int]], num_items: int) -> sparse.csr_array:
    """Which items each history holds: (sequences, M + 1) of 0 and 1, float64, sparse; column 0 (padding) is empty."""
    rows = np.repeat(np.arange(len(histories)), [len(history) for history in histories])
    items = np.fromiter((item for history in histories for item in history), dtype=np.int64, count=len(rows))
    real = items != PADDING
    shape = (len(histories), num_items + 1)
    seen = sparse.csr_array((np.ones(int(real.sum())), (rows[real], items[real])), shape=shape)
    seen.data[:] = 1.0  # an item that repeats in a history is there once
    return seen
