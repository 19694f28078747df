"""What leaving one item out of a history does to a model's answer, and whether importance figures agree with that.

This is the plain counterfactual: the history is read once more without the item. It needs nothing but ``score``, works
for every recommender, and is what CARD's prediction error reduction (PER) can be held against.

Letters: B histories, L slots, M items.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.evaluation import target_rank
from demo_core.models.base import Recommender, RouteExplanation
from demo_core.models.drop_one import SMALLEST_PROBABILITY, kl_divergence, leave_each_out
from demo_core.sequences import PADDING


@dataclass(frozen=True)
class DropOne:
    """The effect of each item of B histories, all (B, L) on the CPU and 0 at padding.

    ``kl``: divergence in nats from the answer to the whole history to the answer without the item, >= 0.
    ``log_probability_change``: log-probability of the target with minus without the item; ``rank_change``: the target's
    rank among all items without minus with it. Both are positive where the item helps, ``None`` without a target.
    """

    kl: Tensor
    log_probability_change: Tensor | None
    rank_change: Tensor | None


@torch.inference_mode()
def drop_one(
    model: Recommender, history: Tensor, target: Tensor | None = None, *, seed: int = 0, chunk: int = 512
) -> DropOne:
    """Leaves every item of ``history`` (B, L) out in turn; ``target`` (B,) is the item that really came next.

    Where a history is longer than the model's window, an older item moves in. A history and all its variants are scored
    in one batch, up to ``chunk`` rows at a time, from the same noise (``seed``). The model has to be in evaluation
    mode.
    """
    shape = history.shape
    kl, log_change, rank_change = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape)
    for rows in torch.arange(shape[0]).split(max(1, chunk // (1 + shape[1]))):
        part = history[rows.to(history.device)]
        variants = leave_each_out(part)
        scores = model.score(torch.cat([part, variants.history]), Generator().manual_seed(seed))
        whole = torch.cat([torch.arange(len(rows), device=part.device), variants.row])  # which history a score is of
        answers = model.probabilities(scores).double()
        with_item, without = answers[variants.row], answers[len(rows) :]
        at = (rows[variants.row.cpu()], variants.slot.cpu())
        kl[at] = kl_divergence(with_item, without).float().cpu()
        if target is not None:
            wanted = target[rows.to(target.device)].to(part.device)[whole]
            log = answers.gather(1, wanted[:, None]).squeeze(1).clamp(min=SMALLEST_PROBABILITY).log()
            rank = target_rank(scores, wanted)
            log_change[at] = (log[variants.row] - log[len(rows) :]).float().cpu()
            rank_change[at] = (rank[len(rows) :] - rank[variants.row]).float().cpu()
    return DropOne(kl, None if target is None else log_change, None if target is None else rank_change)


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation ``rho`` in [-1, 1] over ``slots`` items; ``None`` where it is not defined."""

    rho: float | None
    slots: int


def spearman(first: Tensor, second: Tensor, slots: Tensor) -> Agreement:
    """Of two (B, L) figures over the chosen ``slots`` (B, L) bool; undefined for constant figures and fewer than 3."""
    from scipy.stats import spearmanr  # slow to import, and the app needs only drop_one

    a, b = (values.detach().cpu()[slots.cpu()].double() for values in (first, second))
    if len(a) < 3 or len(a.unique()) < 2 or len(b.unique()) < 2:
        return Agreement(None, len(a))
    return Agreement(float(spearmanr(a.numpy(), b.numpy()).statistic), len(a))


def recency(history: Tensor) -> Tensor:
    """(B, L): 0 for the newest item, -1 for the one before it, and so on."""
    return torch.arange(1 - history.shape[1], 1, device=history.device).float().expand(history.shape)


def agreement(
    history: Tensor, effect: DropOne, route: RouteExplanation | None = None, other: DropOne | None = None
) -> dict[str, Agreement]:
    """How well importance figures order the items as their drop-one ``effect`` does, pooled over histories (B, L).

    Keys: "spearman_FIGURE_EFFECT". Figures: "recency"; of ``route``, "weight" over the items that are really weighed,
    "per" over those with a future in the window, and "guess", the guessed effect, where the model has one. Effects:
    "kl", and with a target "log_probability", "rank", and "size", the log-probability's change without its sign.
    "spearman_EFFECT_between_models": with the same effect in an ``other`` model. Histories of one item are left out:
    without it nothing is left to read.
    """
    real = (history != PADDING) & ((history != PADDING).sum(dim=1, keepdim=True) >= 2)
    effects = _effects(effect)
    found = {
        f"spearman_{figure}_{name}": spearman(values, against, slots)
        for figure, (values, slots) in _figures(history, real, route).items()
        for name, against in effects.items()
    }
    shared = {} if other is None else _effects(other)
    for name in shared.keys() & effects.keys():
        found[f"spearman_{name}_between_models"] = spearman(shared[name], effects[name], real)
    return found


def _figures(history: Tensor, real: Tensor, route: RouteExplanation | None) -> dict[str, tuple[Tensor, Tensor]]:
    """Name -> values and the slots they count for, (B, L) each."""
    found = {"recency": (recency(history), real)}
    if route is None:
        return found
    if route.weight is not None:
        found["weight"] = (route.weight, real & (route.weight != 1))
    if route.per is not None:
        has_future = real.clone()
        has_future[:, -1] = False
        found["per"] = (route.per, has_future)
    if route.effect is not None:
        found["guess"] = (route.effect, real)
    return found


def _effects(effect: DropOne) -> dict[str, Tensor]:
    found = {"kl": effect.kl}
    if effect.log_probability_change is not None and effect.rank_change is not None:
        found["log_probability"] = effect.log_probability_change
        found["rank"] = effect.rank_change
        found["size"] = effect.log_probability_change.abs()
    return found
