"""What encoders have in common that read a history oldest item first, and a learned ``[start]`` for an empty one."""

from __future__ import annotations

from torch import Tensor, nn

from demo_core.layers import items_before, window, with_start
from demo_core.models.base import SequenceEncoder
from demo_core.sequences import PADDING


class StartEncoder(SequenceEncoder):
    """Abstract. ``encoder(vectors (B, L, D), mask (B, L), last_only=...)`` gives the state of every slot (B, L, D), or
    with ``last_only`` the newest (B, D); a slot knows nothing of later ones.
    """

    encoder: nn.Module

    def encode(self, history: Tensor) -> Tensor:
        tokens = self._tokens(history)
        state: Tensor = self.encoder(self.item_embedding(tokens), tokens != PADDING, last_only=True)
        return state

    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Only what stands before the position is read: the newest state, and the mean of the slots' states."""
        tokens = self._tokens(items_before(sequence, position))
        mask = tokens != PADDING
        states = self.encoder(self.item_embedding(tokens), mask)
        return states[:, -1], (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)

    def _tokens(self, history: Tensor) -> Tensor:
        """(B, any) ids -> (B, L): the window, or [start] as the only item of an empty one."""
        return with_start(window(history, self.config.max_length), self.config.num_items + 1)
