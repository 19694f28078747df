"""A second guidance beside the Transformer's: what every item of the history says for itself.

bag = sum over items n of w_n decay^age(n) V[n],   guidance = Transformer + LayerNorm(bag)

An idea of ours. V is a table of its own, so that an item as a cause need not look like it as an effect; together
with the item embeddings it is a linear model of which item follows which (``slit`` is one in full rank). The weight w_n
that CARD gives an item multiplies here what the item says. The norm takes out what all weights of a history have in
common: what counts is which items weigh more than others, and the weight of a single item does nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from demo_core.layers import Dropout, embedding_table
from demo_core.models.item_votes import recency
from demo_core.sequences import PADDING

FIRST_DECAY = 0.8
FIRST_SHARE = 0.1  # length of the bag beside the Transformer's guidance, per dimension, before anything is learned


class BagEncoder(nn.Module):
    """``items`` M, width ``dim`` D. How fast older items fade is learned."""

    def __init__(self, items: int, dim: int, dropout: float) -> None:
        super().__init__()
        self.table = embedding_table(items + 1, dim)
        self.decay = nn.Parameter(torch.logit(torch.tensor(FIRST_DECAY)))
        self.norm = nn.LayerNorm(dim)
        nn.init.constant_(self.norm.weight, FIRST_SHARE)
        self.dropout = Dropout(dropout)

    def forward(self, history: Tensor, weights: Tensor | None) -> Tensor:
        """(B, L) ids and (B, L) weights, ``None`` = all 1 -> (B, D); 0 for an empty history."""
        mask = history != PADDING
        share = mask * recency(history.shape[1], self.decay.sigmoid(), history.device)
        if weights is not None:
            share = share * weights
        bag = (self.dropout(share)[:, None] @ self.table(history)).squeeze(1)  # whole items are left out
        return self.norm(bag) * mask.any(dim=1, keepdim=True)
