"""What CL4SRec and DuoRec share: SASRec's encoder, whose states of two views of a history are also compared.

The encoder is the one of ``sasrec.py``, with the same departures. The contrastive loss differs from ``layers.nt_xent``:
states are compared by their inner product, not by its cosine, and some rows of a batch may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demo_core.layers import CausalEncoder, embedding_table
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.models.start_encoder import StartEncoder


@dataclass(frozen=True, kw_only=True)
class ContrastiveEncoderConfig(NeighbourTargetsConfig):
    """``layers`` Transformer layers of ``heads`` heads with ``dropout``; ``input_dropout`` acts on what they read.
    ``contrast_weight`` lambda >= 0 of the contrastive loss, ``temperature`` tau > 0 of its softmax.
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    contrast_weight: float = 0.1
    temperature: float = 1.0


class ContrastiveEncoder(LearnsFromNeighbours, StartEncoder):
    """Abstract. A final class says which views are compared, and how many tokens beside the items it has."""

    config: ContrastiveEncoderConfig
    special_tokens = 1  # [start]; a final class that needs more has them after it

    def __init__(self, config: ContrastiveEncoderConfig) -> None:
        super().__init__(config)
        self.item_embedding = embedding_table(config.num_items + 1 + self.special_tokens, config.embedding_dim)
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.encoder = CausalEncoder(
            config.embedding_dim, config.max_length, config.layers, config.heads, config.dropout, config.input_dropout
        )


def nt_xent_of_products(first: Tensor, second: Tensor, compared: Tensor, temperature: float) -> Tensor:
    """NT-Xent of two views (B, D) of B rows by inner products over ``temperature`` > 0, ().

    Row i of one view has to find row i of the other among all other ``compared`` (B,) bool rows of both views; mean
    over those rows, 0 where there are fewer than two.
    """
    rows = len(first)
    views, candidate = torch.cat([first, second]), compared.repeat(2)
    own = torch.arange(2 * rows, device=views.device)
    other = own.roll(rows)  # row i of the other view
    # What a row has to find is allowed even where it is not compared, so that no row is a softmax over nothing.
    allowed = (candidate[None, :] | (own == other[:, None])) & (own != own[:, None])
    similarity = (views @ views.T / temperature).masked_fill(~allowed, -torch.inf)
    losses = F.cross_entropy(similarity, other, reduction="none")
    return (losses * candidate).sum() / candidate.sum().clamp(min=1)
