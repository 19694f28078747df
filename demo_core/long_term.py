"""Long-term prediction (GlobalDiff, Section 4.3): how well the next four items are foreseen, P = 1 to 4 steps ahead.

"direct": one list, made of what came before the first of the four, is held against each of them. "rollout": after
each step the first item of the list is taken for read and the list made anew. The paper does not say which it does.

Letters: R rows, B batch, L history length.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.datasets import LONG_TERM_STEPS, Protocol
from demo_core.evaluation import require_finite, target_rank
from demo_core.models.base import Recommender
from demo_core.sequences import Rows, batches

MODES = ("direct", "rollout")


@dataclass(frozen=True)
class LongTerm:
    """``mode`` "direct" or "rollout"; ``ranks`` (R, 4) of the targets P = 1..4, 1 = best, on the CPU."""

    mode: str
    ranks: Tensor


def targets(rows: Rows) -> Tensor:
    """(R, 4): of the test rows of ``datasets.long_term``, the target and the three items after it."""
    return rows.items[rows.target_at[:, None] + torch.arange(LONG_TERM_STEPS)]


@torch.inference_mode()
def evaluate_long_term(
    model: Recommender, rows: Rows, protocol: Protocol, mode: str, *, seed: int = 0, batch_size: int = 512
) -> LongTerm:
    """Ranks all items for the test rows of ``datasets.long_term``; the model is put in evaluation mode and left as it
    was. With ``protocol.exclude_history`` no item of the history is ranked, nor, in a rollout, one that was taken for
    read. ``ValueError`` for an unknown mode or scores that are not finite.
    """
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}.")
    was_training = model.training
    model.eval()
    walk = _direct if mode == "direct" else _rollout
    ranks = [walk(_Lists(model, rows, protocol, seed, index)) for index in batches(len(rows), batch_size)]
    model.train(was_training)
    return LongTerm(mode, torch.cat(ranks))


@dataclass(frozen=True)
class _Lists:
    """The lists of one batch: rows ``index`` (B,) of ``rows``."""

    model: Recommender
    rows: Rows
    protocol: Protocol
    seed: int
    index: Tensor

    @property
    def device(self) -> torch.device:
        tensors = [*self.model.parameters(), *self.model.buffers()]
        return next((tensor.device for tensor in tensors), torch.device("cpu"))

    @property
    def history(self) -> Tensor:
        """(B, L) before the first target."""
        return self.rows.history(self.index, self.model.config.max_length).to(self.device)

    @property
    def targets(self) -> Tensor:
        """(B, 4)"""
        return targets(self.rows)[self.index].to(self.device)

    def scores(self, history: Tensor, foreseen: Tensor) -> Tensor:
        """(B, M + 1) for the window ``history`` (B, L), items of the whole one and ``foreseen`` (B, any) out."""
        scores = self.model.score(history, Generator().manual_seed(self.seed))
        require_finite(scores)
        if self.protocol.exclude_history:
            row, item = self.rows.seen(self.index)
            scores[row.to(self.device), item.to(self.device)] = -torch.inf
            scores.scatter_(1, foreseen, -torch.inf)
        return scores


def _direct(lists: _Lists) -> Tensor:
    scores = lists.scores(lists.history, foreseen=lists.targets[:, :0])
    return torch.stack([target_rank(scores, target) for target in lists.targets.unbind(dim=1)], dim=1).cpu()


def _rollout(lists: _Lists) -> Tensor:
    history, foreseen, ranks = lists.history, lists.targets[:, :0], []
    for target in lists.targets.unbind(dim=1):
        scores = lists.scores(history, foreseen)
        ranks.append(target_rank(scores, target))
        first = scores.argmax(dim=1, keepdim=True)
        history = torch.cat([history[:, 1:], first], dim=1)
        foreseen = torch.cat([foreseen, first], dim=1)
    return torch.stack(ranks, dim=1).cpu()
