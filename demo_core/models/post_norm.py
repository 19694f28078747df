"""What LightSANs and AC-TSR share: the two blocks of a Transformer that normalises behind every residual sum."""

from __future__ import annotations

from torch import Tensor, nn

from demo_core.layers import GELU, Dropout


class AddAndNorm(nn.Module):
    """LayerNorm(x + dropout(update)), both (..., D)."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, update: Tensor) -> Tensor:
        normed: Tensor = self.norm(x + self.dropout(update))
        return normed


class FeedForward(nn.Module):
    """A GELU feed-forward four times as wide, added and normalised: (N, D) -> (N, D)."""

    def __init__(self, dim: int, dropout: float) -> None:
        super().__init__()
        self.update = nn.Sequential(nn.Linear(dim, 4 * dim), GELU(), nn.Linear(4 * dim, dim))
        self.add = AddAndNorm(dim, dropout)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.add(x, self.update(x))
        return added


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(..., L, D) -> (..., h, L, D / h)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def merge_heads(x: Tensor) -> Tensor:
    """The inverse of :func:`split_heads`."""
    return x.transpose(-3, -2).flatten(-2)
