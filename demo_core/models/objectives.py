"""What GlobalDiff's restored vector is trained on: one loss a row, for each of the readings of Eq. 7.

Letters: x restored (B, M + 1), o the ones of x_0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.models.global_structure import Ones
from demo_core.sequences import PADDING


@dataclass(frozen=True)
class Restoration:
    """``restored`` x (B, M + 1) with its truth ``ones``; ``item`` (B,) the masked item. ``scale`` () turns x into log
    probabilities, which column 0 has only with ``padding_candidate``.
    """

    restored: Tensor
    ones: Ones
    item: Tensor
    scale: Tensor
    padding_candidate: bool

    @property
    def log_total(self) -> Tensor:
        """(B,) log of the sum of exp(scale x) over the candidates."""
        logits = self.scale * self.restored
        return (logits if self.padding_candidate else logits[:, 1:]).logsumexp(dim=1)


def squared_error(given: Restoration) -> Tensor:
    """ "mse", Eq. 7: sum over items of (x - x_0)^2, (B,)."""
    ones = given.ones
    return given.restored.square().sum(dim=1) - 2 * ones.sum_of(given.restored) + ones.count


def normalised_squared_error(given: Restoration) -> Tensor:
    """ "nmse", the released "mse": the same with x divided by its length, (B,). The scale of x is free."""
    unit = F.normalize(given.restored, dim=1)
    return unit.square().sum(dim=1) - 2 * given.ones.sum_of(unit) + given.ones.count


def multinomial_cross_entropy(given: Restoration) -> Tensor:
    """ "mce": cross-entropy of softmax(scale x) against x_0 / sum x_0, (B,); 0 where x_0 has no one."""
    count = given.ones.count
    mean = given.scale * given.ones.sum_of(given.restored) / count.clamp(min=1)
    return (given.log_total - mean) * (count > 0)


def binary_cross_entropy(given: Restoration) -> Tensor:
    """ "bce": every item for itself, x as log odds, summed over items, (B,)."""
    return F.softplus(given.restored).sum(dim=1) - given.ones.sum_of(given.restored)


def item_cross_entropy(given: Restoration) -> Tensor:
    """ "ce", the released default: cross-entropy of the masked item; x_0 does not occur in it, (B,)."""
    own = given.restored.gather(1, given.item[:, None]).squeeze(1)
    return given.log_total - given.scale * own


OBJECTIVES: dict[str, Callable[[Restoration], Tensor]] = {
    "mse": squared_error,
    "nmse": normalised_squared_error,
    "mce": multinomial_cross_entropy,
    "bce": binary_cross_entropy,
    "ce": item_cross_entropy,
}


def row_losses(given: Restoration, objective: str, error_weight: float) -> Tensor:
    """(B,): one of :data:`OBJECTIVES`, or "multinomial+error", "mce" plus ``error_weight`` times "mse"."""
    if objective == "multinomial+error":
        return _MultinomialAndError.apply(given, error_weight, given.restored, given.scale)
    return OBJECTIVES[objective](given)


class _MultinomialAndError(torch.autograd.Function):
    """:func:`multinomial_cross_entropy` + w :func:`squared_error` with the gradient written out: passes over the
    (B, M + 1) matrix are most of a training step, and this needs half as many.
    """

    @staticmethod
    def forward(ctx: Any, given: Restoration, error_weight: float, restored: Tensor, scale: Tensor) -> Tensor:
        powers = restored * scale
        if not given.padding_candidate:
            powers[:, PADDING] = -torch.inf
        highest = powers.amax(dim=1, keepdim=True)
        powers.sub_(highest).exp_()
        total, count, picked = powers.sum(dim=1), given.ones.count, given.ones.sum_of(restored)
        held = count > 0
        mean = picked / count.clamp(min=1)
        ranking = (highest.squeeze(1) + total.log() - scale * mean) * held
        error = torch.linalg.vector_norm(restored, dim=1).square() - 2 * picked + count
        ctx.given, ctx.error_weight = given, error_weight
        ctx.save_for_backward(restored, scale, powers, total, count, mean)
        return ranking + error_weight * error

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor, Tensor]:
        restored, scale, powers, total, count, mean = ctx.saved_tensors
        ones, ranking, error = ctx.given.ones, gradient * (count > 0), 2 * ctx.error_weight * gradient
        of_restored = powers * (scale * ranking / total)[:, None]
        of_restored.addcmul_(restored, error[:, None])
        at_one = scale * ranking / count.clamp(min=1) + error
        of_restored.view(-1).index_add_(0, ones.flat, -at_one[ones.row])
        expected = torch.linalg.vecdot(powers, restored) / total
        return None, None, of_restored, (ranking * (expected - mean)).sum()
