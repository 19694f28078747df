"""Only the real slots of padded histories are computed: they are packed into one matrix, and padded where needed.

Letters: B batch, L history length, N real slots of all rows together, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
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
        """(B, L, ...) -> (N, ...)."""
        flat = x.flatten(0, 1)
        # ``flat[index]`` says the same in twice the time: it is made for index tensors in any of the dimensions.
        return flat if self.index is None else flat.index_select(0, self.index)

    def pad(self, x: Tensor, empty: float = 0.0) -> Tensor:
        """(N, ...) -> (B, L, ...) with ``empty`` where nothing stands."""
        if self.index is None:
            return x.unflatten(0, self.shape)
        padded = x.new_full((self.shape[0] * self.shape[1], *x.shape[1:]), empty)
        return padded.index_copy_(0, self.index, x).unflatten(0, self.shape)

    def find(self, part: Slots, device: torch.device) -> Tensor:
        """Where the M slots of ``part``, all of them among these N, stand in the packed order: (M,)."""
        wanted = torch.arange(part.shape[0] * part.shape[1], device=device) if part.index is None else part.index
        return wanted if self.index is None else torch.searchsorted(self.index, wanted)

    def newest(self, x: Tensor) -> Tensor:
        """(N, D) -> (B, D), the last slot of every row."""
        return x.unflatten(0, self.shape)[:, -1] if self.last is None else x.index_select(0, self.last)
