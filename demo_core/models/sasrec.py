"""SASRec: self-attentive sequential recommendation (Kang & McAuley, ICDM 2018, arXiv 1808.09781).

A causal Transformer reads the window; the newest state scores every item by its inner product with the item embeddings.

Equations: item scores (Eq. 6) -> ``base.item_scores``; the loss is the cross-entropy of the next item.

Departures: cross-entropy over all items instead of one sampled negative (far stronger: arXiv 2308.07192); pre-norm
blocks with a GELU feed-forward of width 4D and two heads (paper: one); an item bias; item vectors are not scaled by
sqrt(D); positions count from the end; one training row a prefix; an empty history is read as one learned item, [start];
on Zhihu some targets are items from around the next one (``neighbour_target_rate``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.layers import CausalEncoder, embedding_table, items_before, window, with_start
from demo_core.models.base import SequenceEncoder, next_item_loss, seeded
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.sequences import PADDING, Batch


@dataclass(frozen=True, kw_only=True)
class SASRecConfig(NeighbourTargetsConfig):
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2


class SASRec(LearnsFromNeighbours, SequenceEncoder):
    config: SASRecConfig

    def __init__(self, config: SASRecConfig) -> None:
        super().__init__(config)
        self.item_embedding = embedding_table(config.num_items + 2, config.embedding_dim)  # last row: [start]
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.encoder = CausalEncoder(
            config.embedding_dim, config.max_length, config.layers, config.heads, config.dropout, config.input_dropout
        )

    def encode(self, history: Tensor) -> Tensor:
        tokens = with_start(window(history, self.config.max_length), self.config.num_items + 1)
        return self.encoder(self.item_embedding(tokens), tokens != PADDING, last_only=True)

    def states(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """All states (B, L, D) and which of them stand for an item or [start], (B, L) bool; L = ``max_length``."""
        tokens = with_start(window(history, self.config.max_length), self.config.num_items + 1)
        mask = tokens != PADDING
        return self.encoder(self.item_embedding(tokens), mask), mask

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        states, mask = self.states(items_before(sequence, position))
        return states[:, -1], (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        state, target = self.encode(batch.history), self.training_target(batch.target, seeded(generator))
        return next_item_loss(state, target, self.item_embedding, self.config.num_items, self.item_bias)
