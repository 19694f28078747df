"""Which item of a training sequence GlobalDiff masks, and what else of the sequence is altered."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.augment import hide
from demo_core.layers import items_before
from demo_core.sequences import PADDING


@dataclass(frozen=True)
class MaskedRows:
    """Training samples: ``sequence`` (B, L) with the masked item at ``position`` (B,)."""

    sequence: Tensor
    position: Tensor

    @property
    def item(self) -> Tensor:
        """(B,) the masked items."""
        return self.sequence.gather(1, self.position[:, None]).squeeze(1)

    @property
    def prefix(self) -> Tensor:
        """(B, L - 1) what stands before the mask, newest last: all that a causal backbone may see."""
        return items_before(self.sequence, self.position)[:, 1:]


def mask_one_item(history: Tensor, target: Tensor, generator: Generator, newest_share: float = 0.0) -> MaskedRows:
    """Masks one random real slot of history (B, L) + target (B,).

    ``newest_share`` of the rows have the newest slot masked instead, which is what a recommendation asks for.
    """
    sequence = torch.cat([history, target[:, None]], dim=1)
    length = sequence.shape[1]
    real = (sequence != PADDING).sum(dim=1)
    chance = torch.rand(len(sequence), generator=generator).to(sequence.device)
    newest = torch.rand(len(sequence), generator=generator).to(sequence.device) < newest_share
    back = (chance * real).long().clamp(max=length - 1).masked_fill(newest, 0)  # 0 = the target
    return MaskedRows(sequence, length - 1 - back)


def altered(masked: MaskedRows, rate: float, mask_token: int, generator: Generator) -> Tensor:
    """The sequence (B, L) as the backbone gets it: every slot but the masked one is altered with chance ``rate``, as
    BERT does it (80 % ``mask_token``, 10 % a random item, 10 % as it was). ``mask_token`` is M + 1.
    """
    sequence = masked.sequence
    chosen = torch.rand(sequence.shape, generator=generator).to(sequence.device) < rate
    chosen = chosen.scatter(1, masked.position[:, None], False) & (sequence != PADDING)
    return hide(sequence, chosen, mask_token, generator, random_share=0.1, kept_share=0.1)
