"""Altered copies of item sequences for training: which slots are hidden, and what stands in their place.

Letters: B batch, L sequence length, M items. All draws are made on the CPU, so that devices agree.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from demo_core.sequences import PADDING


def choose_hidden(sequence: Tensor, rate: float, last_share: float, generator: Generator) -> Tensor:
    """Which slots of (B, L) a cloze task hides, (B, L) bool: each real slot with chance ``rate``, at least one a row.

    In a share ``last_share`` of the rows it is the newest slot alone, as at inference. Padding is never hidden.
    """
    device = sequence.device
    draw = torch.rand(sequence.shape, generator=generator).to(device)
    draw = draw.masked_fill(sequence == PADDING, 2.0)
    # The smallest draw is hidden in any case: a row in which none fell below the rate loses one slot at random.
    chosen = (draw < rate) | (draw == draw.amin(dim=1, keepdim=True))
    newest = torch.arange(sequence.shape[1], device=device) == sequence.shape[1] - 1
    newest_alone = (torch.rand(len(sequence), 1, generator=generator) < last_share).to(device)
    return torch.where(newest_alone, newest, chosen) & (sequence != PADDING)


def hide(
    sequence: Tensor, hidden: Tensor, mask_token: int, generator: Generator, random_share: float, kept_share: float
) -> Tensor:
    """(B, L) ids with the slots ``hidden`` (B, L) bool replaced by ``mask_token`` = M + 1.

    Of these a share ``random_share`` becomes a random item instead, and ``kept_share`` stays as it is.
    """
    replacement = torch.full_like(sequence, mask_token)
    if random_share or kept_share:
        draw = torch.rand(sequence.shape, generator=generator).to(sequence.device)
        items = torch.randint(1, mask_token, sequence.shape, generator=generator).to(sequence.device)
        replacement = torch.where(draw < random_share + kept_share, sequence, replacement)
        replacement = torch.where(draw < random_share, items, replacement)
    return torch.where(hidden, replacement, sequence)
