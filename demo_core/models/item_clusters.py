"""GlobalDiff with M x K numbers instead of M x M: items are like clusters of items (Section 4.5, Table 3).

How a row of K similarities becomes a vector over M items is not said. "representative": the released code's
(commented-out) way, the exact columns of one item per cluster, its first, and nothing for the others. "centroid": an
item is as like another as it is like the centre of that one's cluster; items of the same sequence keep their exact
cosine, which Eq. 3 raises.

Letters: N sequences, K clusters.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Generator, Tensor

from demo_core.models.global_structure import Pairs, SparseRows, newest, sparse_similarity
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.item_knn import occurrences
from demo_core.sequences import PADDING

ITERATIONS = 20
SEED = 42
MOST_DIMENSIONS = 8192
PROJECTION = 1024


@dataclass(frozen=True)
class ClusterRows:
    """``similarity`` (M + 1, K) of items to centroids, ``cluster`` (M + 1,) of each item, ``exact``: A."""

    similarity: Tensor
    cluster: Tensor
    exact: SparseRows

    def to(self, device: torch.device) -> Self:
        return type(self)(self.similarity.to(device), self.cluster.to(device), self.exact.to(device))

    def draw(self, item: Tensor, sequence: Tensor, most: float | Tensor, generator: Generator) -> tuple[Pairs, Tensor]:
        rows = self.dense(item, sequence)
        chance = torch.rand(rows.shape, generator=generator, device=rows.device)
        row, column = (chance < most * rows).nonzero(as_tuple=True)
        return Pairs(row, column, rows[row, column]), chance[row, column]

    def dense(self, item: Tensor, sequence: Tensor) -> Tensor:
        """(B, M + 1): by cluster, but exact for the items of ``sequence`` (B, L) and 1 for ``item`` (B,) itself."""
        rows = self.similarity[item][:, self.cluster]
        rows = rows.scatter(1, sequence, self.exact.dense(item).gather(1, sequence)).scatter(1, item[:, None], 1.0)
        rows[:, PADDING] = 0.0
        return rows


def clustered_similarity(
    histories: Sequence[Sequence[int]],
    num_items: int,
    window: int | None,
    clusters: int,
    rule: str,
    zero_support_diagonal: bool = True,
) -> SparseRows | ClusterRows:
    """A with ``clusters`` K columns, by ``rule`` "centroid" or "representative"; at most as many as there are
    different items (more are not made).
    """
    exact = sparse_similarity(histories, num_items, window, zero_support_diagonal)
    columns = occurrences(newest(histories, window), num_items)  # (N, M + 1)
    supported = np.flatnonzero(np.asarray(columns.sum(axis=0)).ravel())
    labels = k_means(columns[:, supported].T, clusters)
    if rule == "representative":
        _, first = np.unique(labels, return_index=True)
        kept = np.isin(np.arange(num_items + 1), supported[first])
        return SparseRows.of(sparse.csr_array(exact @ sparse.dia_array((kept[None] * 1.0, [0]), shape=exact.shape)))
    cluster = np.full(num_items + 1, labels.max() + 1)  # the last: items without support
    cluster[supported] = labels
    member = sparse.csr_array((np.ones(len(cluster)), (np.arange(num_items + 1), cluster)))
    similarity = torch.from_numpy(_cosine(columns, columns @ member))
    return ClusterRows(similarity, torch.from_numpy(cluster), SparseRows.of(exact))


def global_structure(histories: Sequence[Sequence[int]], config: GlobalDiffConfig) -> SparseRows | ClusterRows:
    """A of the training sequences as ``config`` wants it."""
    size = (config.num_items, config.similarity_window)
    if config.clusters is None:
        return SparseRows.of(sparse_similarity(histories, *size, config.zero_support_diagonal))
    return clustered_similarity(histories, *size, config.clusters, config.cluster_rule, config.zero_support_diagonal)


def k_means(points: sparse.csr_array, clusters: int) -> np.ndarray:
    """The cluster 0, 1, ... of each row of ``points`` (items, N); equal rows can leave some of the K clusters empty.

    Where N is large it is done on a random projection of the rows, which keeps their distances within a few percent.
    """
    random = np.random.default_rng(SEED)
    if points.shape[1] > MOST_DIMENSIONS:
        dense = points @ random.standard_normal((points.shape[1], PROJECTION)) / np.sqrt(PROJECTION)
    else:
        dense = points.toarray()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        single = dense.astype(np.float32)
        from scipy.cluster.vq import kmeans2  # slow to import, and only counting needs it

        return kmeans2(single, min(clusters, len(single)), ITERATIONS, minit="points", rng=random)[1]


def _cosine(first: sparse.csr_array, second: sparse.csr_array) -> np.ndarray:
    """Between the columns of (N, A) and (N, B): (A, B) float32, 0 where one of them is 0."""
    lengths = [np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel()) for matrix in (first, second)]
    norms, product = np.outer(*lengths), (first.T @ second).toarray()
    return np.divide(product, norms, out=np.zeros_like(product), where=norms > 0).astype(np.float32)
