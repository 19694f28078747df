"""What GlobalDiff learns from: which items are globally alike, and training samples with one item masked.

Step 1 and Eq. 2, 3 of "Enhancing Sequential Recommendation with Global Diffusion" (Luo, Li, Lin, AAAI 2025). The
departures are listed in ``globaldiff.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.models.item_knn import item_cosine
from demo_core.sequences import PADDING


def item_similarity(histories: Sequence[Sequence[int]], num_items: int, window: int | None = None) -> Tensor:
    """A (Step 1): cosine between item columns of the sequence-item matrix, (M + 1, M + 1) float32, diagonal 1.

    Only the newest ``window`` items of each history count (``None``: all). Row and column 0 (padding) are 0; an item
    that nobody has is like itself alone.
    """
    cut = [[item for item in history if item != PADDING] for history in histories]
    cosine = item_cosine(cut if window is None else [history[-window:] for history in cut], num_items)
    similarity = torch.from_numpy(cosine.toarray()).float()
    similarity.fill_diagonal_(1.0)
    similarity[PADDING, PADDING] = 0.0
    return similarity


def position_adjusted(
    similarity_row: Tensor, history: Tensor, masked_position: int | Tensor, zeta: float = 1.5, delta: float = 1.0
) -> Tensor:
    """q (Eq. 2, 3): the row of the masked item, raised to min(1, (zeta / |i - j| + delta) A) at the sequence's items.

    ``similarity_row`` (M + 1,) or (B, M + 1), ``history`` (L,) or (B, L) with the masked item still in it, 0 =
    padding, ``masked_position`` an index into L or (B,). A repeated item counts at its nearest occurrence; the masked
    item itself is left alone wherever it stands. Values in [0, 1].
    """
    rows, items = torch.atleast_2d(similarity_row), torch.atleast_2d(history)
    at = torch.as_tensor(masked_position, device=items.device).reshape(-1, 1).expand(len(items), 1)
    distance = (torch.arange(items.shape[1], device=items.device) - at).abs()  # (B, L)
    factor = (zeta / distance.clamp(min=1) + delta).to(rows.dtype)
    other = (items != PADDING) & (items != items.gather(1, at))
    # Of several occurrences the nearest has the largest factor; 0 marks items that are not in the sequence.
    boost = torch.zeros_like(rows).scatter_reduce(1, items, torch.where(other, factor, 0.0), "amax")
    adjusted = torch.where(boost > 0, rows * boost, rows).clamp(0.0, 1.0)
    return adjusted.reshape(similarity_row.shape)


@dataclass(frozen=True)
class MaskedRows:
    """Training samples: ``prefix`` (B, L) before the mask, ``sequence`` (B, L + 1) with the masked item at
    ``position`` (B,).
    """

    prefix: Tensor
    sequence: Tensor
    position: Tensor

    @property
    def item(self) -> Tensor:
        """(B,) the masked items."""
        return self.sequence.gather(1, self.position[:, None]).squeeze(1)


def mask_one_item(history: Tensor, target: Tensor, generator: Generator, newest_share: float = 0.0) -> MaskedRows:
    """Masks one random real slot of history (B, L) + target (B,); the prefix is what a causal backbone may see.

    ``newest_share`` of the rows have the newest slot masked instead, which is what a recommendation asks for.
    """
    sequence = torch.cat([history, target[:, None]], dim=1)
    length = sequence.shape[1]
    real = (sequence != PADDING).sum(dim=1)
    chance = torch.rand(len(sequence), generator=generator).to(sequence.device)
    newest = torch.rand(len(sequence), generator=generator).to(sequence.device) < newest_share
    back = (chance * real).long().clamp(max=length - 1).masked_fill(newest, 0)  # 0 = the target
    source = torch.arange(length - 1, device=sequence.device) - back[:, None]
    prefix = torch.where(source >= 0, sequence.gather(1, source.clamp(min=0)), PADDING)
    return MaskedRows(prefix, sequence, length - 1 - back)
