"""Only the real slots of padded histories are computed: they are packed into one matrix, and padded where needed.

Letters: B batch, L history length, N real slots of all rows together, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from torch import Tensor


@dataclass(frozen=True)
class Slots:
    """Which slots of (B, L) are real. ``index`` (N,) numbers them row by row, ``last`` (B,) is each row's newest one
    among the N. ``None`` for both: all of them are.
    """

    shape: tuple[int, int]
    index: Tensor | None
    last: Tensor | None

    @classmethod
    def of(cls, mask: Tensor) -> Self:
        """Real slots ``mask`` (B, L) bool. A row without any keeps its newest slot, so that it has a state at all.

        On an accelerator every slot is computed: to count them would make it wait for the CPU.
        """
        shape = (mask.shape[0], mask.shape[1])
        if mask.device.type != "cpu" or bool(mask.all()):
            return cls(shape, None, None)
        real = mask.clone()
        real[:, -1] |= ~mask.any(dim=1)
        return cls(shape, real.flatten().nonzero().squeeze(1), real.sum(dim=1).cumsum(0) - 1)

    def pack(self, x: Tensor) -> Tensor:
        """(B, L, D) -> (N, D)."""
        flat = x.flatten(0, 1)
        return flat if self.index is None else flat[self.index]

    def pad(self, x: Tensor) -> Tensor:
        """(N, D) -> (B, L, D) with zeros where nothing stands."""
        if self.index is None:
            return x.unflatten(0, self.shape)
        empty = x.new_zeros(self.shape[0] * self.shape[1], x.shape[1])
        return empty.index_copy_(0, self.index, x).unflatten(0, self.shape)

    def newest(self, x: Tensor) -> Tensor:
        """(N, D) -> (B, D), the last slot of every row."""
        return x.unflatten(0, self.shape)[:, -1] if self.last is None else x[self.last]
