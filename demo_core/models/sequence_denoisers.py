"""Networks that look for the noise in m item vectors at once, for DiffuASR: a plain one, and the U-Net of the paper.

Letters: B batch, D width; the m vectors stand one after another in a row of m D numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout, step_embedding

STEP_WIDTH = 32
CHANNELS = (8, 16, 16, 16)
GROUPS = 8


class PlainDenoiser(nn.Module):
    """Two hidden layers of width ``hidden``."""

    def __init__(self, items: int, dim: int, hidden: int) -> None:
        super().__init__()
        self.inward = nn.Linear(items * dim + dim + STEP_WIDTH, hidden)
        self.middle = nn.Linear(hidden, hidden)
        self.outward = nn.Linear(hidden, items * dim)

    def forward(self, noisy: Tensor, time: Tensor, guide: Tensor) -> Tensor:
        """x_t (B, m D) at ``time`` (B,), ``guide`` (B, D) -> what is predicted of it (B, m D)."""
        told = step_embedding(time, STEP_WIDTH).to(noisy.dtype)
        hidden = F.silu(self.inward(torch.cat([noisy, guide, told], dim=1)))
        out: Tensor = self.outward(hidden + F.silu(self.middle(hidden)))
        return out


class ResidualBlock(nn.Module):
    """(B, C, S, S) -> (B, C', S, S): two convolutions, between which step and guide (B, 32) are added."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(GROUPS, before), nn.SiLU(), _convolution(before, after))
        self.told = nn.Sequential(nn.SiLU(), nn.Linear(STEP_WIDTH, after))
        self.second = nn.Sequential(nn.GroupNorm(GROUPS, after), nn.SiLU(), Dropout(0.1), _convolution(after, after))
        self.skip = nn.Identity() if before == after else nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        out: Tensor = self.skip(x) + self.second(self.first(x) + self.told(told)[:, :, None, None])
        return out


class UNet(nn.Module):
    """The m vectors as channels of images of sqrt(D) x sqrt(D); two residual blocks a level, on up to four levels, each
    half as fine as the one before. The paper's attention stands at 1 x 1 alone, where there is one place to attend to:
    it is left out.
    """

    def __init__(self, items: int, dim: int, hidden: int) -> None:
        super().__init__()
        self.side = math.isqrt(dim)
        if dim < 16 or self.side**2 != dim or self.side & (self.side - 1):
            raise ValueError(f"network 'unet': expected an embedding_dim of 16, 64, 256, ..., got {dim}.")
        channels = CHANNELS[: self.side.bit_length()]
        before = (channels[0], *channels[:-1])
        self.step = nn.Sequential(nn.Linear(8, STEP_WIDTH), nn.SiLU(), nn.Linear(STEP_WIDTH, STEP_WIDTH))
        self.guide = nn.Linear(dim, STEP_WIDTH)
        self.inward = _convolution(items, channels[0])
        self.down = nn.ModuleList(_level(a, b) for a, b in zip(before, channels, strict=True))
        self.up = nn.ModuleList(_level(2 * b, a) for a, b in zip(before, channels, strict=True))
        self.outward = nn.Sequential(nn.GroupNorm(GROUPS, channels[0]), nn.SiLU(), _convolution(channels[0], items))

    def forward(self, noisy: Tensor, time: Tensor, guide: Tensor) -> Tensor:
        """x_t (B, m D) at ``time`` (B,), ``guide`` (B, D) -> what is predicted of it (B, m D)."""
        told = self.step(step_embedding(time, 8).to(noisy.dtype)) + self.guide(guide)
        x = self.inward(noisy.unflatten(1, (-1, self.side, self.side)))
        levels: list[Tensor] = []
        for blocks in self.down:
            x = _run(blocks, F.avg_pool2d(x, 2) if levels else x, told)
            levels.append(x)
        for number in range(len(levels) - 1, -1, -1):
            x = _run(self.up[number], torch.cat([x, levels[number]], dim=1), told)
            x = F.interpolate(x, scale_factor=2.0, mode="nearest") if number else x
        out: Tensor = self.outward(x)
        return out.flatten(1)


DENOISERS: dict[str, type[PlainDenoiser] | type[UNet]] = {"mlp": PlainDenoiser, "unet": UNet}


def _run(blocks: nn.Module, x: Tensor, told: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, told)
    return x


def _level(before: int, after: int) -> nn.ModuleList:
    return nn.ModuleList([ResidualBlock(before, after), ResidualBlock(after, after)])


def _convolution(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, padding=1)
