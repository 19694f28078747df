"""The convolutional network that released GlobalDiff calls a U-Net: one level down and up, on one 16 x 16 image.

Its second level is built there but never run; here it is left out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import Dropout

SIDE = 16


class UNet2d(nn.Module):
    """(B, 1, 16, 16) -> (B, 1, 16, 16), values in (0, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = _block(1, 32)
        self.down = nn.Sequential(nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.LeakyReLU())
        self.second = _block(32, 64)
        self.up = nn.Conv2d(64, 32, 1)
        self.third = _block(64, 32)
        self.last = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        # Channels last: a third faster on a CPU.
        opened = self.first[0](image).contiguous(memory_format=torch.channels_last)
        fine = self.first[1:](opened)
        coarse = self.second(self.down(fine))
        raised = self.up(F.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        return torch.sigmoid(self.last(self.third(torch.cat([raised, fine], dim=1))))


def _block(before: int, after: int) -> nn.Sequential:
    """Two 3 x 3 convolutions with batch norm; dropout 0.3, then 0.4."""
    return nn.Sequential(*_convolution(before, after, 0.3), *_convolution(after, after, 0.4))


def _convolution(before: int, after: int, dropout: float) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect")
    return [convolution, nn.BatchNorm2d(after), Dropout(dropout), nn.LeakyReLU()]
