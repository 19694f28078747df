"""CL4SRec: "Contrastive Learning for Sequential Recommendation" (Xie et al., ICDE 2022, arXiv 2010.14395).

SASRec, in which two randomly altered copies of a history are also pulled together, and away from those of the other
histories of their batch.

| equation | function |
| --- | --- |
| item crop: a contiguous part | ``crop`` |
| item mask: some items become [mask] | ``mask_items`` |
| item reorder: a contiguous part is shuffled | ``reorder`` |
| two operators a row | ``draw_operators`` |
| multi-task loss: next item and contrastive, inner products | ``CL4SRec.loss``, ``nt_xent_of_products`` |

There is no code by the authors. The copy that most have used, in the repository of DuoRec, writes masked and reordered
items into the stored training rows: a view of the tensor is taken for a copy. ``in_place`` shows what that does.

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| post-norm layers, dropout 0.5, no item bias | the encoder of ``sasrec.py`` | one encoder for what is compared |
| mask and reorder do nothing with up to 3 items | at least 1 masked, 2 reordered | most histories of Zhihu are short |
| every history is compared | those of two items or more | a single item cannot be altered |
| a cropped history begins at position 1 | ends at the newest one | positions count from the end |
| two different operators (code) | the same one may come twice (paper) | ``distinct_operators`` has the other |
| batches of 256, best epoch by MRR@10 (code) | the training of all models | one training for what is compared |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.augment import hide
from demo_core.datasets import Dataset
from demo_core.layers import window
from demo_core.models.base import Phase, Validation, next_item_loss, seeded
from demo_core.models.contrastive_encoder import (
    ContrastiveEncoder,
    ContrastiveEncoderConfig,
    nt_xent_of_products,
)
from demo_core.models.training_rows import TrainingRows
from demo_core.sequences import PADDING, Batch

CROP, MASK, REORDER = range(3)


@dataclass(frozen=True, kw_only=True)
class CL4SRecConfig(ContrastiveEncoderConfig):
    """``crop_share`` eta of a history that a crop keeps, ``mask_share`` gamma that a mask hides, ``reorder_share`` beta
    that is shuffled, all in (0, 1] and rounded down. ``distinct_operators``: the two views of a row never come from the
    same one.

    ``in_place``: mask and reorder alter the stored training row itself, which is also what the next item is predicted
    from, for all epochs to come. A run that is resumed starts with the rows as they were.
    """

    crop_share: float = 0.6
    mask_share: float = 0.3
    reorder_share: float = 0.6
    distinct_operators: bool = False
    in_place: bool = False


def part_of(sequence: Tensor, share: float, least: int) -> Tensor:
    """Of the n real items of each row (B, L) a ``share``, rounded down, but ``least`` or more if n allows it: (B,)."""
    number = (sequence != PADDING).sum(dim=1)
    part = (number.double() * share).floor().long().clamp(min=least)
    return torch.minimum(part, number)


def first_slot(sequence: Tensor, size: Tensor, draw: Tensor) -> Tensor:
    """Where a part of ``size`` (B,) real items begins, every place as likely for a ``draw`` (B,) in [0, 1): (B,)."""
    number = (sequence != PADDING).sum(dim=1)
    return sequence.shape[1] - number + (draw * (number - size + 1)).long()


def crop(sequence: Tensor, share: float, generator: Generator) -> Tensor:
    """(B, L) ids -> a contiguous ``share`` of each row's items, at least one, moved to the right end: (B, L)."""
    length, device = sequence.shape[1], sequence.device
    size = part_of(sequence, share, least=1)
    first = first_slot(sequence, size, torch.rand(len(sequence), generator=generator).to(device))
    slot = torch.arange(length, device=device)
    source = slot + (first + size - length)[:, None]
    kept = slot >= length - size[:, None]
    return torch.where(kept, sequence.gather(1, source.clamp(min=0)), PADDING)


def mask_items(sequence: Tensor, share: float, mask_token: int, generator: Generator) -> Tensor:
    """(B, L) ids -> the same with a ``share`` of each row's items, at least one, replaced by ``mask_token``."""
    draw = torch.rand(sequence.shape, generator=generator).to(sequence.device)
    rank = draw.masked_fill(sequence == PADDING, 2.0).argsort(dim=1).argsort(dim=1)
    hidden = rank < part_of(sequence, share, least=1)[:, None]
    return hide(sequence, hidden, mask_token, generator, random_share=0.0, kept_share=0.0)


def reorder(sequence: Tensor, share: float, generator: Generator) -> Tensor:
    """(B, L) ids -> the same with a contiguous ``share`` of each row's items, at least two, in any order."""
    rows, length = sequence.shape
    start, shuffle = torch.rand(rows, length + 1, generator=generator).to(sequence.device).split([1, length], dim=1)
    size = part_of(sequence, share, least=2)
    first = first_slot(sequence, size, start.squeeze(1))[:, None]
    slot = torch.arange(length, device=sequence.device)
    inside = (slot >= first) & (slot < first + size[:, None])
    # Random places within the part, their own for all others: sorted, only the part changes.
    place = torch.where(inside, first + shuffle * size[:, None], slot.to(shuffle.dtype))
    return sequence.gather(1, place.argsort(dim=1, stable=True))


def draw_operators(rows: int, distinct: bool, generator: Generator) -> Tensor:
    """Two operators for each row, (2, B): independent of each other, or ``distinct`` ones."""
    first = torch.randint(3, (rows,), generator=generator)
    if distinct:
        return torch.stack([first, (first + torch.randint(1, 3, (rows,), generator=generator)) % 3])
    return torch.stack([first, torch.randint(3, (rows,), generator=generator)])


class CL4SRec(ContrastiveEncoder):
    config: CL4SRecConfig
    special_tokens = 2  # [start], [mask]

    def __init__(self, config: CL4SRecConfig) -> None:
        super().__init__(config)
        shares = (config.crop_share, config.mask_share, config.reorder_share)
        if not all(0 < share <= 1 for share in shares):
            raise ValueError(f"Expected crop_share, mask_share and reorder_share in (0, 1], got {shares}.")
        self.mask_token = config.num_items + 2
        self.stored = TrainingRows(config.max_length)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), prepare=self.prepare)]

    def prepare(self, dataset: Dataset, validate: Validation) -> None:
        self.find_neighbours(dataset, validate)
        if self.config.in_place:
            self.stored.fill(dataset.train)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Cross-entropy of the next item plus ``contrast_weight`` times the contrastive loss of two altered copies."""
        config, drawn = self.config, seeded(generator)
        history = window(batch.history, config.max_length)
        compared = (history != PADDING).sum(dim=1) > 1
        if config.in_place and self.training and len(self.stored.key):
            history, first, second = self.damage(history, batch.target, drawn)
        else:
            first, second = self.views(history, drawn)
        clean, one, other = self.encode(torch.cat([history, first, second])).chunk(3)
        target = self.training_target(batch.target, drawn)
        loss = next_item_loss(clean, target, self.item_embedding, config.num_items, self.item_bias)
        return loss + config.contrast_weight * nt_xent_of_products(one, other, compared, config.temperature)

    def views(self, history: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """(B, L) ids -> two altered copies, each (B, L). Rows of fewer than two items stay as they are."""
        one, other = draw_operators(len(history), self.config.distinct_operators, generator).to(history.device)
        return self.altered(history, one, generator), self.altered(history, other, generator)

    def altered(self, history: Tensor, operator: Tensor, generator: Generator) -> Tensor:
        """(B, L) ids -> a new (B, L), each row by its ``operator`` (B,)."""
        config = self.config
        results = {
            CROP: crop(history, config.crop_share, generator),
            MASK: mask_items(history, config.mask_share, self.mask_token, generator),
            REORDER: reorder(history, config.reorder_share, generator),
        }
        altered = history
        several = (history != PADDING).sum(dim=1) > 1
        for number, result in results.items():
            altered = torch.where(((operator == number) & several)[:, None], result, altered)
        return altered

    def damage(self, history: Tensor, target: Tensor, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """As released: what is left of the stored rows (B, L) that ``history`` (B, L) and ``target`` (B,) once were,
        and two views. A crop is a copy of what it finds; all else is written to the row, and that row is the view.
        """
        at, is_known = self.stored.find(history, target)
        row = torch.where(is_known[:, None], self.stored.history[at].long(), history)
        found, crops = [], []
        for operator in draw_operators(len(history), self.config.distinct_operators, generator).to(history.device):
            altered, is_crop = self.altered(row, operator, generator), (operator == CROP)[:, None]
            row = torch.where(is_crop, row, altered)
            found.append(altered)
            crops.append(is_crop)
        self.stored.history[at[is_known]] = row[is_known].int()
        first, second = (torch.where(crop, view, row) for crop, view in zip(crops, found, strict=True))
        return row, first, second
