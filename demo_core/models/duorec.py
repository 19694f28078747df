"""DuoRec: "Contrastive Learning for Representation Degeneration Problem in Sequential Recommendation" (Qiu et al., WSDM
2022, arXiv 2110.05730).

SASRec, in which a history is also pulled towards another history that led to the same item, and away from the others of
its batch. No item is altered: the second view of a history is the same one under another dropout.

| equation | function |
| --- | --- |
| cross-entropy of the next item | ``base.next_item_loss`` |
| model-level augmentation: the same row under another dropout | the second pass of ``DuoRec.loss`` |
| semantic positive: another row with the same target | ``DuoRec.same_target`` |
| contrastive regularisation, inner products | ``contrastive_encoder.nt_xent_of_products`` |

The four ``pairs`` are those of the released code: "us_x" compares the second pass with the row of the same target (the
model of the paper), "un" both passes, "su" the first pass with that row, "us" is the sum of "un" and "su".

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| post-norm layers, dropout 0.5, no item bias | the encoder of ``sasrec.py`` | one encoder for what is compared |
| every history has an item | empty ones are neither compared nor drawn | they are all the same history |
| the row itself is left out of the draw by its number | by its content | batches hold no numbers; twins stay |
| the rows' partners are kept in a file | found when training begins | a file may be another data set's |
| batches of 256, best epoch by MRR@10 | the training of all models | one training for what is compared |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |

As released, rows of a batch that share a target count as negatives of each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

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

FIRST, SECOND, SAME_TARGET = range(3)  # the three passes of a batch
PAIRS = {
    "us_x": ((SECOND, SAME_TARGET),),
    "un": ((FIRST, SECOND),),
    "su": ((FIRST, SAME_TARGET),),
    "us": ((FIRST, SECOND), (FIRST, SAME_TARGET)),
}


@dataclass(frozen=True, kw_only=True)
class DuoRecConfig(ContrastiveEncoderConfig):
    """``pairs``: which views are compared, "us_x", "un", "su" or "us". Without dropout "un" has nothing to learn."""

    pairs: str = "us_x"


class DuoRec(ContrastiveEncoder):
    config: DuoRecConfig

    def __init__(self, config: DuoRecConfig) -> None:
        super().__init__(config)
        config.require_one_of("pairs", PAIRS)
        self.rows = TrainingRows(config.max_length)

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), prepare=self.prepare)]

    def prepare(self, dataset: Dataset, validate: Validation) -> None:
        self.find_neighbours(dataset, validate)
        self.rows.fill(dataset.train)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Cross-entropy of the first pass plus ``contrast_weight`` times the contrastive losses of the ``pairs``."""
        config, drawn = self.config, seeded(generator)
        history = window(batch.history, config.max_length)
        partner = self.same_target(history, batch.target, drawn)
        passes = self.encode(torch.cat([history, history, partner])).chunk(3)
        target = self.training_target(batch.target, drawn)
        loss = next_item_loss(passes[FIRST], target, self.item_embedding, config.num_items, self.item_bias)
        compared = (history != PADDING).any(dim=1)
        for one, other in PAIRS[config.pairs]:
            contrast = nt_xent_of_products(passes[one], passes[other], compared, config.temperature)
            loss = loss + config.contrast_weight * contrast
        return loss

    def same_target(self, history: Tensor, target: Tensor, generator: Generator) -> Tensor:
        """Rows (B, L) with ``target`` (B,) -> for each one the history (B, L) of another training row with its target,
        all of them equally likely; its own where there is none.
        """
        draw = torch.rand(len(target), generator=generator, dtype=torch.float64).to(target.device)
        if not len(self.rows.key):
            return history
        first, number = self.rows.with_target(target)
        own, is_known = self.rows.find(history, target)
        others = number - is_known.long()
        at = first + (draw * others).long()
        at = at + (is_known & (at >= own)).long()  # its own place is stepped over
        found = self.rows.history[at.clamp(max=len(self.rows.key) - 1)].long()
        return torch.where((others > 0)[:, None], found, history)
