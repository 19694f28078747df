"""Item-kNN: items whose training audience is similar to that of the recent history (Sarwar et al., WWW 2001).

S(i, j) = cos(i, j) over the columns of the binary sequence-item matrix; how S votes, and what departs: ``item_votes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from demo_core.datasets import Dataset
from demo_core.models.item_votes import ItemVotes, ItemVotesConfig
from demo_core.sequences import PADDING


@dataclass(frozen=True, kw_only=True)
class ItemKNNConfig(ItemVotesConfig):
    """No field of its own."""


class ItemKNN(ItemVotes):
    config: ItemKNNConfig

    def matrix(self, dataset: Dataset) -> sparse.csr_array:
        cosine = item_cosine(dataset.train.sequences(), self.config.num_items)
        cosine.setdiag(0)
        return cosine


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
