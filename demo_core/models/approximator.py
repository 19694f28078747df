"""GlobalDiff's network: restores a 0/1 vector of items. Only its two linear ends grow with the number of items."""

from __future__ import annotations

from torch import Tensor, nn

from demo_core.layers import step_embedding


class Approximator(nn.Module):
    """f(x_t, t, c): x_0 from the noised vector, the step and the backbone's context.

    Both ends are linear, so u = W_in x_t is all it needs of x_t, and the reverse chain can run on u (B, H).
    """

    def __init__(self, items: int, context: int, hidden: int, blocks: int, dropout: float) -> None:
        """``items`` = M + 1 columns, ``context`` numbers of context, ``hidden`` = H."""
        super().__init__()
        self.inward = nn.Linear(items, hidden, bias=False)
        nn.init.normal_(self.inward.weight, std=0.02)
        self.context = nn.Linear(context, hidden)
        self.step = nn.Linear(64, hidden)
        self.blocks = nn.ModuleList(_residual_block(hidden, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(hidden)
        self.outward = nn.Linear(hidden, items)
        nn.init.normal_(self.outward.weight, std=0.02)
        nn.init.zeros_(self.outward.bias)

    def hidden(self, inward: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """``inward`` (B, H) = W_in x_t, ``time`` (B,) or (1,), ``context`` (B, C) -> (B, H)."""
        h = inward + self.context(context) + self.step(step_embedding(time, 64).to(inward.dtype))
        for block in self.blocks:
            h = h + block(h)
        return self.norm(h)


def _residual_block(dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Dropout(dropout), nn.Linear(2 * dim, dim)
    )
