"""Recommenders without training: every item of the recent history votes for the items that it is tied to.

score(j) = sum over history items i of decay^age(i) * S(i, j). What S says is the subclass's own idea: the cosine of
two audiences (``item_knn``), or by how much one item makes another the next one (``slit``).

Of every row of S only the ``neighbours`` largest entries (by size, whatever the sign) are kept, which is what a bundle
can hold without shipping anybody's sequences. Items without a vote, and all of them after an empty history, are ranked
by popularity.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy import sparse
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.models.base import Controls, Phase, Recommender, RecommenderConfig, Validation, mask_padding
from demo_core.sequences import PADDING, Batch


@dataclass(frozen=True, kw_only=True)
class ItemVotesConfig(RecommenderConfig):
    """``recency_decay`` in (0, 1]: what one step back in the window still counts (1: all items count the same)."""

    neighbours: int = 500
    recency_decay: float = 0.8


class ItemVotes(Recommender):
    """Abstract. A final class makes S out of the training rows."""

    config: ItemVotesConfig
    neighbour: Tensor  # (M + 1, N) int32 ids, 0 where an item has fewer neighbours
    similarity: Tensor  # (M + 1, N) what S says of them
    popularity: Tensor  # (M + 1,) share of the training targets

    def __init__(self, config: ItemVotesConfig) -> None:
        super().__init__(config)
        kept = min(config.neighbours, config.num_items)
        # No smaller type: training in several processes sends buffers around, and 16-bit integers cannot be sent.
        self.register_buffer("neighbour", torch.zeros(config.num_items + 1, kept, dtype=torch.int32))
        self.register_buffer("similarity", torch.zeros(config.num_items + 1, kept))
        self.register_buffer("popularity", torch.zeros(config.num_items + 1))

    @abstractmethod
    def matrix(self, dataset: Dataset) -> sparse.csr_array | Tensor:
        """S of the training rows, (M + 1, M + 1), sparse or dense; row and column 0 (padding) are 0."""

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Negative mean score of the targets; nothing is trained by it."""
        return -self.score(batch.history).gather(1, batch.target[:, None]).mean()

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return mask_padding(self._add_votes((1e-6 * self.popularity).repeat(len(history), 1), history))

    def votes(self, history: Tensor) -> Tensor:
        """(B, L) ids -> (B, M + 1): the sums of the votes alone, column 0 is 0."""
        votes = self._add_votes(self.popularity.new_zeros(len(history), self.config.num_items + 1), history)
        votes[:, PADDING] = 0.0
        return votes

    def phases(self) -> list[Phase]:
        return [Phase("count", None, [], prepare=self.count)]

    @torch.no_grad()
    def count(self, dataset: Dataset, validate: Validation | None = None) -> None:
        """Fills the tables from the training rows."""
        counts = dataset.train.target_counts(self.config.num_items)
        self.popularity.copy_(counts / counts.sum().clamp(min=1))
        matrix = self.matrix(dataset)
        self.neighbour.zero_()
        self.similarity.zero_()
        for rows, item, value in largest_entries(matrix, self.neighbour.shape[1]):
            self.similarity[rows] = value.to(self.similarity)
            self.neighbour[rows] = torch.where(value == 0, PADDING, item).to(self.neighbour)

    def _add_votes(self, scores: Tensor, history: Tensor) -> Tensor:
        history = history[:, -self.config.max_length :]
        weight = (history != PADDING) * recency(history.shape[1], self.config.recency_decay, history.device)  # (B, L)
        votes = self.similarity[history] * weight[..., None]  # (B, L, N)
        return scores.scatter_add(1, self.neighbour[history].flatten(1).long(), votes.flatten(1))


def largest_entries(matrix: sparse.csr_array | Tensor, count: int) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Of every row of (M + 1, M + 1), a block of rows at a time: which rows, and the ids and values (B, ``count``) of
    their largest entries by size, whatever the sign. Of equals the smaller id comes first, on every machine.
    """
    for first in range(0, matrix.shape[0], 1024):
        rows = slice(first, min(first + 1024, matrix.shape[0]))
        part = matrix[rows]
        dense = part if isinstance(part, Tensor) else torch.from_numpy(part.toarray())
        item = dense.abs().sort(dim=1, descending=True, stable=True).indices[:, :count]
        yield rows, item, dense.gather(1, item)


def recency(length: int, decay: float | Tensor, device: torch.device | None = None) -> Tensor:
    """decay^age of each slot, (L,); the newest, which is the last, counts 1."""
    return torch.as_tensor(decay, device=device) ** torch.arange(length - 1, -1, -1, device=device)
