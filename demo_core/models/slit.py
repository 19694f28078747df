"""SLIT: which item comes next, as a linear function of the items before it, in closed form ("Session-aware Linear
Item-Item Models for Session-based Recommendation", Choi et al., WWW 2021, arXiv 2103.16104).

B = argmin |T - X B|^2 + lambda |B|^2 = (X^T X + lambda I)^-1 X^T T

A row of X is a training history, its items weighted by recency; the row of T is the item that came next. Unlike a
cosine, B knows the direction of time, and an item that merely goes along with another one gets no credit of its own.

Departures: X holds the newest ``max_length`` items alone (paper: all there are), T the next item alone (paper: all
items to come, the nearer the heavier), every row counts the same, and the largest entries of B are kept
(``item_votes``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from demo_core.datasets import Dataset
from demo_core.models.item_votes import ItemVotes, ItemVotesConfig, recency
from demo_core.sequences import PADDING, Batch, batches

ROWS_AT_ONCE = 100_000


@dataclass(frozen=True, kw_only=True)
class SLITConfig(ItemVotesConfig):
    """``ridge`` lambda > 0, in squared weights of X: how much evidence a tie between two items needs."""

    neighbours: int = 200
    ridge: float = 100.0

    def __post_init__(self) -> None:
        if not self.ridge > 0:
            raise ValueError(f"ridge: expected a number above 0, got {self.ridge}: without it ties are not determined.")


class SLIT(ItemVotes):
    config: SLITConfig

    def matrix(self, dataset: Dataset) -> Tensor:
        config = self.config
        return transitions(dataset, config.num_items, config.max_length, config.recency_decay, config.ridge)


def transitions(dataset: Dataset, num_items: int, max_length: int, recency_decay: float, ridge: float) -> Tensor:
    """B of the training rows, (M + 1, M + 1) float32; row and column 0 (padding) are 0."""
    size = num_items + 1
    among = following = sparse.csr_array((size, size), dtype=np.float32)
    for index in batches(len(dataset.train), ROWS_AT_ONCE):
        past, following_item = design(dataset.train.batch(index, max_length), size, recency_decay)
        among, following = among + past.T @ past, following + past.T @ following_item
    left = torch.from_numpy(among.toarray())
    left.diagonal().add_(ridge)
    factor = torch.linalg.cholesky(left)
    return torch.cholesky_solve(torch.from_numpy(following.toarray()), factor)


def design(batch: Batch, size: int, recency_decay: float) -> tuple[sparse.csr_array, sparse.csr_array]:
    """X and T of some training rows, each (B, ``size``) float32, sparse. The weights of a repeated item add up."""
    history, target = batch.history.numpy(), batch.target.numpy()
    row, slot = np.nonzero(history != PADDING)
    weight = recency(history.shape[1], recency_decay).numpy().astype(np.float32)[slot]
    past = sparse.csr_array((weight, (row, history[row, slot])), shape=(len(history), size))
    ones = np.ones(len(target), dtype=np.float32)
    return past, sparse.csr_array((ones, (np.arange(len(target)), target)), shape=(len(target), size))
