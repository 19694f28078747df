"""The training rows, to be found by what they hold: a batch does not say which rows of the data set it is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from demo_core.layers import window
from demo_core.sequences import PADDING, Rows

FINGERPRINT_BITS = 40  # of an int64; the rest is for the target


class TrainingRows(nn.Module):
    """R training rows with at least one item, sorted by target; none before :meth:`fill`. No part of a saved model.

    ``key`` (R,) int64: the target and a fingerprint of the history, ascending. ``history`` (R, L) ids, L the window.
    Rows with the same history and target have the same key, and each stands for all of them.
    """

    key: Tensor
    history: Tensor
    multiplier: Tensor  # (L,) what a fingerprint is made with

    def __init__(self, length: int) -> None:
        super().__init__()
        fixed = torch.Generator().manual_seed(0)
        multiplier = torch.randint(2**63 - 1, (length,), generator=fixed) | 1
        self.register_buffer("multiplier", multiplier, persistent=False)
        self.register_buffer("key", torch.zeros(0, dtype=torch.int64), persistent=False)
        self.register_buffer("history", torch.zeros(0, length, dtype=torch.int32), persistent=False)

    def fill(self, rows: Rows) -> None:
        """Takes the place of what was there, where it was."""
        device = self.multiplier.device
        history = rows.history(torch.arange(len(rows)), len(self.multiplier))
        real = (history != PADDING).any(dim=1)
        history = history[real].to(device)
        self.key, order = self.keys(history, rows.target[real].to(device)).sort(stable=True)
        self.history = history[order].int()

    def keys(self, history: Tensor, target: Tensor) -> Tensor:
        """(B, any) and (B,) ids -> (B,). Two histories of one target have the same key by an accident of 2^-40."""
        product = window(history, len(self.multiplier)) * self.multiplier
        fingerprint = (product.sum(dim=1) >> (64 - FINGERPRINT_BITS)) & ((1 << FINGERPRINT_BITS) - 1)
        return (target << FINGERPRINT_BITS) + fingerprint

    def find(self, history: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """(B, any) and (B,) ids -> where that row stands (B,), in 0..R - 1, and whether it does at all, (B,) bool.
        There have to be rows.
        """
        key = self.keys(history, target)
        at = torch.searchsorted(self.key, key).clamp(max=len(self.key) - 1)
        return at, self.key[at] == key

    def with_target(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """(B,) ids -> the rows with that target: the first one (B,) and how many there are (B,)."""
        bounds = torch.searchsorted(self.key, torch.stack([target, target + 1]) << FINGERPRINT_BITS)
        return bounds[0], bounds[1] - bounds[0]
