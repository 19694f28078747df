"""What AdaRanker adapts itself with: the summary of a candidate list, and output layers that it patches.

Letters: B batch, C candidates, D width, I and O inputs and outputs of a layer.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout

FIRST_LOG_VARIANCE = -10.0


class DistributionEncoder(nn.Module):
    """A set of items -> mean and log variance of z; their order does not count, nor how often all of them stand. Items
    are normalised first, and z begins with little noise: short vectors would be lost in it.
    """

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.item = nn.Sequential(nn.Linear(dim, dim), Dropout(dropout), nn.ReLU(), nn.Linear(dim, dim))
        self.whole = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(dim, dim), nn.Linear(dim, dim)
        nn.init.constant_(self.log_variance.bias, FIRST_LOG_VARIANCE)

    def forward(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, D) -> (B, D), (B, D)."""
        whole = self.whole(self.item(F.layer_norm(items, items.shape[-1:])).mean(dim=1))
        return self.mean(whole), self.log_variance(whole)


class MemoryUnit(nn.Module):
    """softmax(z ``index``^T) ``array``: (B, D) -> (B, size), a mixture of learned patches."""

    def __init__(self, slots: int, dim: int, size: int) -> None:
        super().__init__()
        self.index, self.array = nn.Parameter(torch.empty(slots, dim)), nn.Parameter(torch.empty(slots, size))
        nn.init.xavier_normal_(self.index)
        nn.init.xavier_normal_(self.array)

    def forward(self, z: Tensor) -> Tensor:
        return (z @ self.index.T).softmax(dim=1) @ self.array


class AdaptiveLayer(nn.Module):
    """A linear layer whose weight is multiplied by ``start`` + a patch, and to whose bias another patch is added."""

    def __init__(self, inputs: int, outputs: int, dim: int, slots: int, start: float) -> None:
        super().__init__()
        self.start, self.layer = start, nn.Linear(inputs, outputs)
        self.of_weight = MemoryUnit(slots, dim, inputs * outputs)
        self.of_bias = MemoryUnit(slots, dim, outputs)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """``x`` (B, C, I), ``z`` (B, D) -> (B, C, O)."""
        weight = self.layer.weight * (self.start + self.of_weight(z).unflatten(1, self.layer.weight.shape))
        bias = self.layer.bias + self.of_bias(z)
        return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
