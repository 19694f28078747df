"""A flat picture of a model's item vectors: their directions on the two axes along which they differ most (PCA)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from demo_core.layers import unit


@dataclass(frozen=True)
class Projection:
    """``centre`` (D,), ``axes`` (2, D), and the ``share`` of the variance that the two axes hold, in [0, 1]."""

    centre: Tensor
    axes: Tensor
    share: float

    @classmethod
    @torch.inference_mode()
    def of(cls, items: Tensor) -> Self:
        """Of item vectors (M, D), M >= 2; axes point where their largest entry is positive, so that they are the same
        on every machine.
        """
        directions = unit(items.detach().cpu().double())
        centre = directions.mean(dim=0)
        _, size, axes = torch.linalg.svd(directions - centre, full_matrices=False)
        axes = axes[:2]
        largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
        variance = size.square()
        return cls(centre, axes * largest.sign(), float(variance[:2].sum() / variance.sum()))

    def places(self, vectors: Tensor) -> list[tuple[float, float]]:
        """(N, D) -> N points; only directions count."""
        flat = (unit(vectors.detach().cpu().double()) - self.centre) @ self.axes.T
        return [(x, y) for x, y in flat.tolist()]
