"""What GlobalDiff learns from: which items are globally alike, and 0/1 vectors drawn from it.

Step 1 and Eq. 2, 3 of "Enhancing Sequential Recommendation with Global Diffusion" (Luo, Li, Lin, AAAI 2025). The
departures are listed in ``globaldiff_config.py``. A is sparse, and so is all that is made of it: a training step never
touches a (B, M + 1) matrix before the network's last layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import torch
from scipy import sparse
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.models.base import on_device
from demo_core.models.item_knn import item_cosine
from demo_core.sequences import PADDING


def item_similarity(histories: Sequence[Sequence[int]], num_items: int, window: int | None = None) -> Tensor:
    """A (Step 1): cosine between item columns of the sequence-item matrix, (M + 1, M + 1) float32, diagonal 1.

    Only the newest ``window`` items of each history count (``None``: all). Row and column 0 (padding) are 0; an item
    that nobody has is like itself alone.
    """
    return torch.from_numpy(sparse_similarity(histories, num_items, window).toarray()).float()


def sparse_similarity(
    histories: Sequence[Sequence[int]], num_items: int, window: int | None, zero_support_diagonal: bool = True
) -> sparse.csr_array:
    """:func:`item_similarity` as a sparse float64 matrix. Without ``zero_support_diagonal`` an item that nobody has is
    like nothing, as in the released code.
    """
    cosine = item_cosine(newest(histories, window), num_items)
    own = cosine.diagonal()
    diagonal = (own > 0) | zero_support_diagonal
    diagonal[PADDING] = False
    exact = sparse.csr_array(cosine + sparse.dia_array(((diagonal - own)[None], [0]), shape=cosine.shape))
    exact.eliminate_zeros()
    return exact


def newest(histories: Sequence[Sequence[int]], window: int | None) -> list[list[int]]:
    """The last ``window`` items of each history, padding left out (``None``: all)."""
    real = [[item for item in history if item != PADDING] for history in histories]
    return real if window is None else [history[-window:] for history in real]


@dataclass(frozen=True)
class Pairs:
    """Entries of a (B, M + 1) matrix that may differ from 0: ``row``, ``item`` (P,) int64, ``value`` (P,) float32."""

    row: Tensor
    item: Tensor
    value: Tensor


class GlobalStructure(Protocol):
    """Where Eq. 2 gets a masked item's row of A from."""

    def draw(self, item: Tensor, sequence: Tensor, most: float | Tensor, generator: Generator) -> tuple[Pairs, Tensor]:
        """A uniform number in [0, 1) for every entry of the rows of the masked ``item`` (B,) of ``sequence`` (B, L).

        Returns the entries whose number (P,) lies below ``most`` times their value, row after row, with that number.
        ``generator`` is of the device.
        """
        ...

    def to(self, device: torch.device) -> GlobalStructure: ...


@dataclass(frozen=True)
class SparseRows:
    """A square sparse matrix: the entries of row i are those from ``start[i]`` to ``start[i + 1]`` (M + 2,)."""

    start: Tensor
    column: Tensor  # (nnz,) int32
    value: Tensor  # (nnz,) float32

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> Self:
        return cls(
            torch.from_numpy(matrix.indptr).long(),
            torch.from_numpy(matrix.indices).int(),
            torch.from_numpy(matrix.data).float(),
        )

    def to(self, device: torch.device) -> Self:
        return type(self)(self.start.to(device), self.column.to(device), self.value.to(device))

    def draw(self, item: Tensor, sequence: Tensor, most: float | Tensor, generator: Generator) -> tuple[Pairs, Tensor]:
        row, at = self._entries(item)
        value = self.value[at]
        chance = torch.rand(value.shape, generator=generator, device=value.device)
        kept = (chance < most * value).nonzero().squeeze(1)
        return Pairs(row[kept], self.column[at[kept]].long(), value[kept]), chance[kept]

    def dense(self, item: Tensor) -> Tensor:
        """The rows ``item`` (B,) as (B, M + 1)."""
        row, at = self._entries(item)
        rows = self.value.new_zeros(len(item), len(self.start) - 1)
        return rows.index_put_((row, self.column[at].long()), self.value[at])

    def _entries(self, item: Tensor) -> tuple[Tensor, Tensor]:
        """Of the rows ``item`` (B,): position in ``item`` and in the matrix, both (P,)."""
        first, count = self.start[item], self.start[item + 1] - self.start[item]
        row = torch.repeat_interleave(torch.arange(len(item), device=item.device), count)
        shift = first - (count.cumsum(0) - count)
        return row, shift[row] + torch.arange(len(row), device=item.device)


def neighbour_boost(
    items: Tensor, position: Tensor, size: int, zeta: float, delta: float, adjustment: str = "paper"
) -> Tensor:
    """Eq. 3's factor of every item, (B, ``size``); 0 stands for items that it leaves alone.

    ``items`` (B, L) with the masked item at ``position`` (B,). "paper": zeta / |i - j| + delta for all items but the
    masked one, a repeated item counts at its nearest occurrence. "released": zeta / (|i - j| + 1) + delta, for the
    masked item too, and multiplied for every occurrence.
    """
    at = position.reshape(-1, 1)
    distance = (torch.arange(items.shape[1], device=items.device) - at).abs()  # (B, L)
    empty = torch.zeros(len(items), size, device=items.device)
    if adjustment == "released":
        factor = torch.where(items != PADDING, zeta / (distance + 1) + delta, 1.0)
        return empty.add_(1.0).scatter_reduce(1, items, factor, "prod")
    other = (items != PADDING) & (items != items.gather(1, at))
    # Of several occurrences the nearest has the largest factor.
    return empty.scatter_reduce(1, items, torch.where(other, zeta / distance.clamp(min=1) + delta, 0.0), "amax")


def position_adjusted(
    similarity_row: Tensor,
    history: Tensor,
    masked_position: int | Tensor,
    zeta: float = 1.5,
    delta: float = 1.0,
    adjustment: str = "paper",
) -> Tensor:
    """q (Eq. 2, 3): the row of the masked item, raised to min(1, factor * A) at the sequence's items.

    ``similarity_row`` (M + 1,) or (B, M + 1), ``history`` (L,) or (B, L) with the masked item still in it, 0 =
    padding, ``masked_position`` an index into L or (B,). The factor is :func:`neighbour_boost`; with "paper" the masked
    item itself is left alone wherever it stands. Values in [0, 1].
    """
    rows, items = torch.atleast_2d(similarity_row), torch.atleast_2d(history)
    at = torch.as_tensor(masked_position, device=items.device).reshape(-1).expand(len(items))
    boost = neighbour_boost(items, at, rows.shape[1], zeta, delta, adjustment).to(rows.dtype)
    adjusted = torch.where(boost > 0, rows * boost, rows).clamp(0.0, 1.0)
    return adjusted.reshape(similarity_row.shape)


@dataclass(frozen=True)
class Ones:
    """0/1 vectors x_0 (B, M + 1) by their ones, row after row: ``row``, ``item`` (Q,) int64; ``shape`` = (B, M + 1)."""

    row: Tensor
    item: Tensor
    shape: tuple[int, int]

    @property
    def flat(self) -> Tensor:
        """(Q,) where the ones stand in the flattened vectors."""
        return self.row * self.shape[1] + self.item

    @property
    def count(self) -> Tensor:
        """(B,) float32: ones of each row."""
        return torch.bincount(self.row, minlength=self.shape[0]).to(torch.get_default_dtype())

    def dense(self) -> Tensor:
        return torch.zeros(self.shape, device=self.row.device).index_put_((self.row, self.item), torch.tensor(1.0))

    def sum_of(self, values: Tensor) -> Tensor:
        """(B,) sums of ``values`` (B, M + 1) over the ones."""
        picked = values.flatten().index_select(0, self.flat)
        return picked.new_zeros(self.shape[0]).index_add(0, self.row, picked)

    def project(self, weight: Tensor) -> Tensor:
        """x_0 W^T for ``weight`` (H, M + 1): (B, H)."""
        first = torch.searchsorted(self.row, torch.arange(self.shape[0], device=self.row.device))
        return F.embedding_bag(self.item, weight.T.contiguous(), first, mode="sum")


def draw_ones(
    structure: GlobalStructure,
    sequence: Tensor,
    position: Tensor,
    size: int,
    generator: Generator,
    zeta: float,
    delta: float,
    adjustment: str,
) -> Ones:
    """x_0 ~ Bernoulli(q) with q of Eq. 2, 3, for ``sequence`` (B, L) masked at ``position`` (B,); ``size`` = M + 1.

    Only entries of A that are not 0 are drawn, and only those are looked at again that the largest factor could lift.
    """
    device = sequence.device
    boost = neighbour_boost(sequence, position, size, zeta, delta, adjustment)
    most = boost.amax().clamp(min=1.0) if adjustment == "released" else max(1.0, zeta + delta)
    item = sequence.gather(1, position[:, None]).squeeze(1)
    near, chance = structure.draw(item, sequence, most, on_device(generator, device))
    factor = boost[near.row, near.item]
    kept = (chance < torch.where(factor > 0, near.value * factor, near.value)).nonzero().squeeze(1)
    return Ones(near.row[kept], near.item[kept], (len(sequence), size))
