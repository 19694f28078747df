"""SR-GNN: "Session-based Recommendation with Graph Neural Networks" (Wu et al., AAAI 2019, arXiv 1811.00855).

A history becomes a small directed graph of its different items; a gated graph network mixes neighbours, and attention
asked by the newest item sums the history up.

| equation | function |
| --- | --- |
| graph and its connection matrix A_s | ``session_graph`` |
| Eq. 1: messages along in- and outgoing edges | ``GatedGraph.messages`` |
| Eq. 2-5: gated update of the nodes | ``gated_update`` |
| Eq. 6, 7: attention and session vector | ``SRGNN.session_vector`` |
| Eq. 8-10: scores and cross-entropy | ``base.item_scores``, ``SRGNN.loss`` |

Departures of ``default``, with the reason:

| paper / released code | here | why |
| --- | --- | --- |
| an edge counts as often as it occurs | once (as in the code) | the same in nearly all histories |
| update gate z: (1 - z) old + z new | z old + (1 - z) new (as in the code) | the same set of functions |
| all weights start uniform in +-1/sqrt(D) | small embeddings, else PyTorch's | large ones lift never-trained items |
| no dropout, L2 penalty | dropout on embeddings and session vector | small data |
| an empty history does not occur | [start] is its only node | 15 % of Zhihu rows are empty |
| learning rate times 0.1 every three epochs | constant, averaged weights | the schedule of all other models |
| the next item is the target | on Zhihu also items from around it (``neighbour_target_rate``) | one of many as good |
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.layers import Dropout, embedding_table, items_before, window, with_start
from demo_core.models.base import SequenceEncoder, next_item_loss, seeded
from demo_core.models.config import later
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargetsConfig
from demo_core.sequences import PADDING, Batch
from demo_core.slots import Slots


@dataclass(frozen=True, kw_only=True)
class SRGNNConfig(NeighbourTargetsConfig):
    """``steps``: rounds of message passing. ``input_dropout`` acts on the item embeddings, ``dropout`` on the session
    vector.
    """

    steps: int = 1
    dropout: float = 0.2
    input_dropout: float = 0.2
    neighbour_target_rate: float = later(0.0)


def session_graph(history: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(B, L) ids -> nodes (B, N), alias (B, L), A_in (B, N, N), A_out (B, N, N), with N = L.

    An item's node stands in the slot where it occurs first; the other slots of ``nodes`` are padding. ``alias`` is the
    node of each slot: ``nodes.gather(1, alias) == history``. An edge u -> v, for every u directly followed by v, counts
    once. ``A_in[v, u]`` = 1 / in-degree of v and ``A_out[u, v]`` = 1 / out-degree of u where there is one, else 0, so
    that every row sums to 1 or 0.
    """
    rows, length = history.shape
    alias = (history[:, :, None] == history[:, None, :]).to(torch.uint8).argmax(dim=2)  # first of equal slots
    slot = torch.arange(length, device=history.device)
    nodes = torch.where(alias == slot, history, PADDING)
    # On the left of the first item stands padding, from which no edge leaves.
    pairs = alias[:, :-1] * length + alias[:, 1:]
    is_edge = (history[:, :-1] != PADDING).to(torch.get_default_dtype())
    edges = is_edge.new_zeros(rows, length * length).scatter_(1, pairs, is_edge).unflatten(1, (length, length))
    incoming = edges.transpose(1, 2) / edges.sum(dim=1)[:, :, None].clamp(min=1)
    outgoing = edges / edges.sum(dim=2, keepdim=True).clamp(min=1)
    return nodes, alias, incoming, outgoing


def gated_update(message_gates: Tensor, state_gates: Tensor, state: Tensor) -> Tensor:
    """Eq. 2-5, a GRU cell: ``message_gates`` and ``state_gates`` (..., 3D) hold the linear maps of the message and of
    ``state`` (..., D) for reset gate, update gate z and candidate; returns candidate + z (state - candidate).
    """
    reset_message, update_message, candidate_message = message_gates.chunk(3, dim=-1)
    reset_state, update_state, candidate_state = state_gates.chunk(3, dim=-1)
    reset = torch.sigmoid(reset_message + reset_state)
    update = torch.sigmoid(update_message + update_state)
    candidate = torch.tanh(candidate_message + reset * candidate_state)
    return candidate + update * (state - candidate)


class GatedGraph(nn.Module):
    """One round of message passing; nodes are packed (N, D), N real nodes of all rows together."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.edge = nn.Linear(dim, 2 * dim)  # what a node tells along its incoming and outgoing edges
        self.message_bias = nn.Parameter(torch.zeros(2 * dim))
        self.message_gates = nn.Linear(2 * dim, 3 * dim)
        self.state_gates = nn.Linear(dim, 3 * dim)

    def forward(self, nodes: Tensor, slots: Slots, incoming: Tensor, outgoing: Tensor) -> Tensor:
        message = self.messages(slots.pad(self.edge(nodes)), incoming, outgoing)
        return gated_update(self.message_gates(slots.pack(message)), self.state_gates(nodes), nodes)

    def messages(self, told: Tensor, incoming: Tensor, outgoing: Tensor) -> Tensor:
        """(B, L, 2D) linear maps of the nodes -> messages (B, L, 2D): means over the neighbours before and after."""
        before, after = told.chunk(2, dim=2)
        arrived = [incoming.to(told.dtype) @ before, outgoing.to(told.dtype) @ after]
        return torch.cat(arrived, dim=2) + self.message_bias


class SRGNN(LearnsFromNeighbours, SequenceEncoder):
    config: SRGNNConfig

    def __init__(self, config: SRGNNConfig) -> None:
        super().__init__(config)
        dim = config.embedding_dim
        self.item_embedding = embedding_table(config.num_items + 2, dim)  # last row: [start]
        self.item_bias = None
        self.graph = GatedGraph(dim)
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.attention = nn.Linear(dim, 1, bias=False)
        self.fuse = nn.Linear(2 * dim, dim)
        self.input_dropout = Dropout(config.input_dropout)
        self.dropout = Dropout(config.dropout)

    def states(self, tokens: Tensor) -> Tensor:
        """(B, L) ids -> the state of each slot's node after message passing (B, L, D), zero at padding."""
        nodes, alias, incoming, outgoing = session_graph(tokens)
        slots = Slots.of(nodes != PADDING)
        packed = slots.pack(self.input_dropout(self.item_embedding(nodes)))
        for _ in range(self.config.steps):
            packed = self.graph(packed, slots, incoming, outgoing)
        states = slots.pad(packed).gather(1, alias[..., None].expand(-1, -1, packed.shape[1]))
        return states * (tokens != PADDING)[..., None]

    def session_vector(self, states: Tensor, mask: Tensor) -> Tensor:
        """Eq. 6, 7: (B, L, D) states of the slots ``mask`` (B, L) -> (B, D). The weights are no softmax: they do not
        sum to 1.
        """
        slots = Slots.of(mask)
        newest, real = states[:, -1], slots.pack(states)
        asked = slots.pack(self.query(newest)[:, None].expand(states.shape))
        weighted = self.attention(torch.sigmoid(asked + self.key(real))) * real
        return self.dropout(self.fuse(torch.cat([slots.pad(weighted).sum(dim=1), newest], dim=1)))

    def encode(self, history: Tensor) -> Tensor:
        tokens = with_start(window(history, self.config.max_length), self.config.num_items + 1)
        return self.session_vector(self.states(tokens), tokens != PADDING)

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Only what stands before the position is read: the session vector, and the mean of the slots' node states."""
        before = window(items_before(sequence, position), self.config.max_length)
        tokens = with_start(before, self.config.num_items + 1)
        states, mask = self.states(tokens), tokens != PADDING
        return self.session_vector(states, mask), states.sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        state, target = self.encode(batch.history), self.training_target(batch.target, seeded(generator))
        return next_item_loss(state, target, self.item_embedding, self.config.num_items)
