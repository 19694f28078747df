"""What BERT4Rec and CBiT share: a Transformer that reads both sides of a hidden item, trained on a cloze task.

The window has L slots, one of which holds the [mask] token: L - 1 items are read. The next item is the one hidden
behind the newest slot. The state goes through a small head (linear, GELU, LayerNorm) before it is compared with the
item embeddings.

All training rows are used: row by row the window moves on by one item, so that a long history is seen as many
windows. What is counted is the hidden item, not the row: an item that is hidden in several windows has another context
each time, while a row that holds one item alone asks for nothing but popularity.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.augment import choose_hidden, hide
from demo_core.layers import CausalEncoder, embedding_table, window
from demo_core.models.base import RecommenderConfig, SequenceEncoder, next_item_loss
from demo_core.sequences import PADDING, Batch


@dataclass(frozen=True, kw_only=True)
class MaskedEncoderConfig(RecommenderConfig):
    """``mask_rate``: chance that a slot is hidden in training. ``last_masked_share``: training rows that hide the
    newest item alone, as inference does. Of the hidden slots ``random_share`` show a random item and ``kept_share``
    their own, the rest [mask].
    """

    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    input_dropout: float = 0.2
    mask_rate: float = 0.2
    last_masked_share: float = 0.5
    random_share: float = 0.0
    kept_share: float = 0.0


class MaskedEncoder(SequenceEncoder):
    """Abstract. A final class says what is learned from the cloze task."""

    config: MaskedEncoderConfig

    def __init__(self, config: MaskedEncoderConfig) -> None:
        super().__init__(config)
        dim = config.embedding_dim
        self.mask_token = config.num_items + 1
        self.item_embedding = embedding_table(config.num_items + 2, dim)  # last row: [mask]
        self.item_bias = nn.Parameter(torch.zeros(config.num_items + 1))
        self.encoder = CausalEncoder(
            dim, config.max_length, config.layers, config.heads, config.dropout, config.input_dropout, causal=False
        )
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim))

    def encode(self, history: Tensor) -> Tensor:
        asked = torch.full_like(history[:, :1], self.mask_token)
        tokens = window(torch.cat([history, asked], dim=1), self.config.max_length)
        return self.encoder(self.item_embedding(tokens), tokens != PADDING, last_only=True)

    def states(self, tokens: Tensor) -> Tensor:
        """(B, L) ids, [mask] among them -> the states of all slots (B, L, D), zero at padding."""
        mask = tokens != PADDING
        return self.encoder(self.item_embedding(tokens), mask) * mask[..., None]

    def rank(self, state: Tensor) -> Tensor:
        return super().rank(self.head(state))

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Both sides of the hidden slot are read; the mean includes the state of the [mask] token itself."""
        length = self.config.max_length
        masked = sequence.scatter(1, position[:, None], self.mask_token)
        # The newest window that the position is in.
        first = position.clamp(max=max(sequence.shape[1] - length, 0))
        slots = first[:, None] + torch.arange(min(length, sequence.shape[1]), device=sequence.device)
        tokens = masked.gather(1, slots)
        states = self.states(tokens)
        count = (tokens != PADDING).sum(dim=1, keepdim=True)
        return states[torch.arange(len(states), device=states.device), position - first], states.sum(dim=1) / count

    def sequence(self, batch: Batch) -> Tensor:
        """History and target as one window, (B, L) ids."""
        return window(torch.cat([batch.history, batch.target[:, None]], dim=1), self.config.max_length)

    def draw_cloze(self, sequence: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """(B, L) ids -> what the encoder gets to see (B, L) and which slots it has to guess, (B, L) bool."""
        config = self.config
        hidden = choose_hidden(sequence, config.mask_rate, config.last_masked_share, generator)
        shown = hide(sequence, hidden, self.mask_token, generator, config.random_share, config.kept_share)
        return shown, hidden

    def cloze_loss(self, states: Tensor, hidden: Tensor, sequence: Tensor) -> Tensor:
        """Cross-entropy over all items of the ``hidden`` (B, L) slots of ``sequence`` (B, L) by ``states`` (B, L, D):
        the mean over all these slots, shape (). Only they are ever multiplied by the item embeddings.
        """
        answers = self.head(states[hidden])
        return next_item_loss(answers, sequence[hidden], self.item_embedding, self.config.num_items, self.item_bias)
