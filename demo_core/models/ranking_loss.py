"""Cross-entropy over all items, without ever holding the whole matrix of scores.

That matrix (B, M) is the largest of a training step, and on a CPU every pass over it waits for memory. Here a few rows
at a time are scored, turned into their gradient and multiplied back while they are still in the cache.

Letters: B batch, M items, D width.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ROWS_ON_CPU = 128  # so many rows of some thousand scores stay in the cache


def full_cross_entropy(state: Tensor, items: Tensor, target: Tensor, bias: Tensor | None = None) -> Tensor:
    """Mean over the rows of -log softmax(state items^T + bias)[target], ().

    ``state`` (B, D), ``items`` (M, D), ``target`` (B,) in 0..M - 1, ``bias`` (M,). Differentiable once; 0 without rows.
    """
    loss: Tensor = _FullCrossEntropy.apply(state, items, target, bias)
    return loss


class _FullCrossEntropy(torch.autograd.Function):
    """The gradient is made with the loss, where the scores are at hand, and kept instead of them."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, items: Tensor, target: Tensor, bias: Tensor | None) -> Tensor:
        wanted = any(ctx.needs_input_grad)
        of_state, of_items = torch.empty_like(state), torch.zeros_like(items)
        of_bias = None if bias is None else torch.zeros_like(bias)
        total = torch.zeros((), dtype=state.dtype, device=state.device)
        size = ROWS_ON_CPU if state.device.type == "cpu" else max(len(state), 1)
        for first in range(0, len(state), size):
            part = slice(first, first + size)
            share, loss = _softmax_and_loss(state[part], items, target[part], bias)
            total += loss
            if not wanted:
                continue
            share /= len(state)
            share.scatter_add_(1, target[part, None], share.new_full((len(share), 1), -1 / len(state)))
            torch.mm(share, items, out=of_state[part])
            of_items.addmm_(share.T, state[part])
            if of_bias is not None:
                of_bias += share.sum(dim=0)
        ctx.save_for_backward(of_state, of_items, of_bias)
        return total / max(len(state), 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        of_state, of_items, of_bias = ctx.saved_tensors
        return gradient * of_state, gradient * of_items, None, None if of_bias is None else gradient * of_bias


def _softmax_and_loss(state: Tensor, items: Tensor, target: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """softmax(state items^T + bias) (B, M), and the sum over the rows of -log of it at the target, ()."""
    scores = state @ items.T if bias is None else torch.addmm(bias, state, items.T)
    highest = scores.amax(dim=1, keepdim=True)
    own = scores.gather(1, target[:, None]) - highest
    total = scores.sub_(highest).exp_().sum(dim=1, keepdim=True)
    return scores.div_(total), (total.log() - own).sum()
