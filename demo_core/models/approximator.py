"""GlobalDiff's networks f(x_t, t, c): x_0 from the noised 0/1 vector, the step and the backbone's context.

All of them begin with a linear map W_in of x_t (M + 1 -> H) and end with a linear map W_out (H -> M + 1); what lies
between needs only u = W_in x_t. So the reverse chain can run on u (B, H) whenever x_t itself is what the network sees.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from demo_core.layers import Dropout, step_embedding
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.unet2d import SIDE, UNet2d

STEP_WIDTH = 64


class Approximator(nn.Module):
    """ "mlp": residual blocks. ``items`` = M + 1 columns, ``context`` C numbers of context, ``hidden`` = H."""

    def __init__(self, items: int, context: int, hidden: int, blocks: int, dropout: float) -> None:
        super().__init__()
        self.inward = nn.Linear(items, hidden, bias=False)
        nn.init.normal_(self.inward.weight, std=0.02)
        self.context = nn.Linear(context, hidden) if context else None
        self.step = nn.Linear(STEP_WIDTH, hidden)
        self.blocks = nn.ModuleList(_residual_block(hidden, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(hidden)
        self.outward = nn.Linear(hidden, items)
        nn.init.normal_(self.outward.weight, std=0.02)
        nn.init.zeros_(self.outward.bias)

    def hidden(self, inward: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """``inward`` (B, H) = W_in x_t, ``time`` (B,) or (1,), ``context`` (B, C) -> (B, H)."""
        h = inward if self.context is None else inward + self.context(context)
        h = h + self.step(step_embedding(time, STEP_WIDTH).to(inward.dtype))
        for block in self.blocks:
            h = h + block(h)
        return self.norm(h)


class ReleasedApproximator(nn.Module):
    """The released code's "mlp1", "mlp2" and "unet2d": what lies between is fed [W_in x_t + b ; c ; step]."""

    def __init__(self, items: int, context: int, hidden: int, kind: str, dropout: float) -> None:
        """``dropout`` acts on the first two of the three parts."""
        super().__init__()
        self.inward = nn.Linear(items, hidden, bias=False)
        self.inward_bias = nn.Parameter(torch.empty(hidden).uniform_(-1, 1) / math.sqrt(items))
        self.dropout = Dropout(dropout)
        self.middle = _middle(kind, hidden + context + STEP_WIDTH, hidden)
        self.outward = nn.Linear(hidden, items)

    def hidden(self, inward: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """As :meth:`Approximator.hidden`."""
        seen = self.dropout(torch.cat([inward + self.inward_bias, context], dim=1))
        step = released_step_embedding(time, STEP_WIDTH).to(inward.dtype).expand(len(inward), -1)
        return self.middle(torch.cat([seen, step], dim=1))


def create_approximator(config: GlobalDiffConfig) -> Approximator | ReleasedApproximator:
    """The network that ``config`` names; its context is [state ; mean], the state alone, or nothing."""
    items = config.num_items + 1
    context = {"both": 2, "state": 1, "none": 0}[config.guidance] * config.embedding_dim
    if config.network == "mlp":
        return Approximator(items, context, config.hidden_dim, config.blocks, config.dropout)
    return ReleasedApproximator(items, context, config.hidden_dim, config.network, config.guidance_dropout)


def released_step_embedding(time: Tensor, dim: int) -> Tensor:
    """Sinusoids of the step as the released code has them: (B,) -> (B, dim), cosines then sines, frequencies
    10000^(-k / (dim/2)).
    """
    half = dim // 2
    angle = time[:, None].float() * torch.exp(-math.log(10000.0) * torch.arange(half, device=time.device) / half)
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def _middle(kind: str, width: int, hidden: int) -> nn.Sequential:
    if kind == "mlp1":
        return nn.Sequential(nn.Linear(width, hidden))
    if kind == "mlp2":
        return nn.Sequential(nn.Linear(width, 2 * hidden), nn.Tanh(), nn.Linear(2 * hidden, hidden))
    image = nn.Unflatten(1, (1, SIDE, SIDE))
    return nn.Sequential(nn.Linear(width, SIDE**2), image, UNet2d(), nn.Flatten(), nn.Linear(SIDE**2, hidden))


def _residual_block(dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.SiLU(), Dropout(dropout), nn.Linear(2 * dim, dim)
    )
