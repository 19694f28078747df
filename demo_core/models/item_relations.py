"""Which items follow, precede and avoid each other in the training sequences, and the layer in which an item hears of
them: the first stage of SSDRec.

Of every item only the strongest neighbours of a kind are kept, which is what a bundle can hold without shipping
anybody's sequences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.models.item_votes import largest_entries
from demo_core.sequences import PADDING

KINDS = BEFORE, AFTER, INCOMPATIBLE = range(3)


class Transitions(NamedTuple):
    """Item i some slots before item j, (M + 1, M + 1): how near, summed, and how often."""

    weight: sparse.csr_array
    count: sparse.csr_array


def transitions(sequences: Sequence[Sequence[int]], num_items: int, window: int) -> Transitions:
    """Every ordered pair of different items at distance d < w adds (w - d) / w, where w is the length of its sequence,
    but at most ``window``.
    """
    items: NDArray[np.int64] = np.fromiter(chain.from_iterable(sequences), np.int64)
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    reach = np.minimum(lengths, window)[owner]
    first, second, weight = [], [], []
    for distance in range(1, min(window, int(lengths.max(initial=0)))):
        earlier, later = items[:-distance], items[distance:]
        pair = (owner[:-distance] == owner[distance:]) & (earlier != later)
        first.append(earlier[pair])
        second.append(later[pair])
        weight.append(1 - distance / reach[:-distance][pair])
    at = (np.concatenate([items[:0], *first]), np.concatenate([items[:0], *second]))
    values = np.concatenate([np.zeros(0), *weight])
    shape = (num_items + 1, num_items + 1)
    return Transitions(
        sparse.coo_array((values, at), shape).tocsr(), sparse.coo_array((np.ones(len(values)), at), shape).tocsr()
    )


def incompatible(count: sparse.csr_array, popularity: Tensor, more_than: int, popular_share: float) -> sparse.csr_array:
    """Pairs of much-read items that are never read together though both are read with a third one: (M + 1, M + 1).

    ``count`` as in :class:`Transitions`; an edge is a pair seen ``more_than`` times in one order. The weight of a pair
    is how often both of them were seen along edges with common neighbours. ``popularity`` (M + 1,): much-read is the
    ``popular_share`` of the items that come first by it.
    """
    number = math.ceil(popular_share * (len(popularity) - 1))
    popular = 1 + popularity[1:].argsort(descending=True, stable=True)[:number].numpy()
    edges = count.multiply(count > more_than)
    seen = sparse.csr_array(edges + edges.T)[popular]
    weight = seen @ (seen > 0).astype(np.float64).T
    together = sparse.csr_array(count + count.T)[popular][:, popular] > 0
    weight = sparse.coo_array((weight + weight.T).toarray() * (1 - together.toarray() - np.eye(number)).clip(min=0))
    at = (popular[weight.row], popular[weight.col])
    return sparse.coo_array((weight.data, at), count.shape).tocsr()


class ItemRelations(nn.Module):
    """Neighbours of ``rows`` items, row 0 padding; ``neighbours`` of each of the three :data:`KINDS`, none before
    :meth:`fill`.
    """

    neighbour: Tensor  # (3, rows, N) int32 ids, 0 where an item has fewer
    share: Tensor  # (3, rows, N) their weights, which sum to 1 or 0

    def __init__(self, rows: int, dim: int, neighbours: int) -> None:
        super().__init__()
        shape = (len(KINDS), rows, min(neighbours, rows))
        self.register_buffer("neighbour", torch.zeros(shape, dtype=torch.int32))
        self.register_buffer("share", torch.zeros(shape))
        self.agreement = nn.Linear(dim, dim, bias=False)
        self.combine = nn.ModuleList(nn.Linear(2, 1) for _ in range(2))
        self.kind = nn.ModuleList(nn.Linear(dim, dim) for _ in range(2))
        self.inner, self.outer = nn.Linear(dim, dim, bias=False), nn.Linear(dim, dim, bias=False)
        nn.init.zeros_(self.outer.weight)  # items begin as they are

    @torch.no_grad()
    def fill(
        self,
        sequences: Sequence[Sequence[int]],
        popularity: Tensor,
        window: int,
        more_than: int,
        popular_share: float,
    ) -> None:
        """Neighbours by the training ``sequences``; ``popularity`` (M + 1,)."""
        weight, count = transitions(sequences, len(popularity) - 1, window)
        after = sparse.csr_array(weight.multiply(count > more_than))
        avoided = incompatible(count, popularity.cpu(), more_than, popular_share)
        self.neighbour.zero_()
        self.share.zero_()
        for kind, matrix in zip(KINDS, (sparse.csr_array(after.T), after, avoided), strict=True):
            for rows, item, value in largest_entries(matrix, self.neighbour.shape[2]):
                total = value.sum(dim=1, keepdim=True)
                kept = item.shape[1]
                self.share[kind, rows, :kept] = (value / torch.where(total > 0, total, 1)).to(self.share)
                self.neighbour[kind, rows, :kept] = torch.where(value > 0, item, PADDING).to(self.neighbour)

    def forward(self, items: Tensor) -> Tensor:
        """Item vectors (rows, D) -> the same, each with what its neighbours add."""
        before, after, avoided = self.neighbour_means(items)
        others = [self.directed(items, before, after), avoided]
        kinds = [
            kind(combine(torch.stack([items, other], dim=2)).squeeze(2))
            for kind, combine, other in zip(self.kind, self.combine, others, strict=True)
        ]
        told = torch.sigmoid(self.inner((kinds[0] + kinds[1]) / 2))
        enriched: Tensor = items + self.outer(told - told[PADDING + 1 :].mean(dim=0))
        return enriched

    def neighbour_means(self, items: Tensor) -> Tensor:
        """Weighted means of each kind of neighbours, (3, rows, D), 0 where there are none."""
        bags, share = self.neighbour.flatten(0, 1), self.share.flatten(0, 1).to(items.dtype)
        return F.embedding_bag(bags, items, per_sample_weights=share, mode="sum").unflatten(0, (len(KINDS), -1))

    def directed(self, items: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """The two means (rows, D) as one, the more of each the better it agrees with the item."""
        means = torch.stack([before, after])
        agreement = F.leaky_relu(self.agreement(items * means)).sum(dim=2, keepdim=True) / math.sqrt(items.shape[1])
        return (agreement.softmax(dim=0) * means).sum(dim=0)
