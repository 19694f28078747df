"""How steady a history is: continuity (CARD Eq. 2), its entropy (Eq. 3), and continuity-guided removal (TDM).

Source: "Enhancing guidance for missing data in diffusion-based sequential recommendation" (CARD) and arXiv 2505.12283
(TDM). The two papers read the same entropy in opposite ways: TDM calls an even history stable, CARD calls it turning.
The functions here take no side. Both released codes count padding in; ``read_padded_steps`` reads as they do.

Letters: B batch, L history length, D embedding width. Pair n joins slots n and n + 1, so there are L - 1 pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.layers import row_softmax
from demo_core.sequences import PADDING


def real_pairs(mask: Tensor) -> Tensor:
    """(B, L) bool, True where an item stands -> (B, L-1) bool, True where both ends of a pair are items."""
    return mask[:, :-1] & mask[:, 1:]


def step_cosines(embeddings: Tensor, mask: Tensor | None = None) -> Tensor:
    """Cosine of neighbouring embeddings (B, L, D) -> (B, L-1) in [-1, 1]; pairs touching padding get 0."""
    cosine = _cosine(embeddings[:, :-1], embeddings[:, 1:])
    return cosine if mask is None else cosine.masked_fill(~real_pairs(mask), 0.0)


def continuity(embeddings: Tensor, mask: Tensor | None = None) -> Tensor:
    """Continuity of each step (CARD Eq. 2): softmax of the cosines over the real pairs.

    ``embeddings`` (B, L, D); ``mask`` (B, L) bool, ``None`` = every slot is real. Returns (B, L-1), summing to 1 over
    the real pairs; pairs touching padding get 0, and a row without a real pair is all zeros.
    """
    if embeddings.dim() != 3:
        raise ValueError(f"continuity: expected embeddings of shape (B, L, D), got {tuple(embeddings.shape)}.")
    cosine = step_cosines(embeddings, mask)
    return row_softmax(cosine) if mask is None else _shares(cosine, real_pairs(mask))


def continuity_entropy(continuity: Tensor) -> Tensor:
    """Entropy of the continuity (CARD Eq. 3), (B, L-1) -> (B,) nats in [0, ln(pairs)]; 0 ln 0 = 0."""
    return -torch.special.xlogy(continuity, continuity).sum(dim=-1)


def evenness(entropy: Tensor, pairs: Tensor) -> Tensor:
    """Entropy without its length effect: entropy / ln(pairs), (B,) in [0, 1]; 0 with fewer than two pairs."""
    ceiling = pairs.clamp(min=2).to(entropy.dtype).log()
    # Rounding may carry an exactly even history a hair above its ceiling.
    return torch.where(pairs >= 2, (entropy / ceiling).clamp(max=1.0), torch.zeros_like(entropy))


def reachable_entropy(pairs: int) -> tuple[float, float]:
    """Smallest and largest entropy (nats) that ``pairs`` cosines in [-1, 1] can give.

    The largest is ln(pairs) (all equal). The smallest has every cosine at -1 or 1; how many stand at 1 is tried out.
    """
    if pairs < 2:
        return 0.0, 0.0
    lowest = min(_two_level_entropy(high, pairs - high) for high in range(1, pairs))
    return lowest, math.log(pairs)


@dataclass(frozen=True)
class StepReading:
    """All that is read off B histories: ``cosine``, ``continuity`` (B, L-1); ``pairs``, ``entropy``, ``evenness``
    (B,). ``pairs`` counts those that the continuity is shared among.
    """

    cosine: Tensor
    continuity: Tensor
    pairs: Tensor
    entropy: Tensor
    evenness: Tensor

    @property
    def routed(self) -> Tensor:
        """(B,) bool: at least two steps, so that their evenness can differ."""
        return self.pairs >= 2


def read_steps(embeddings: Tensor, mask: Tensor) -> StepReading:
    """Embeddings (B, L, D) and their real slots (B, L) -> :class:`StepReading`."""
    real = real_pairs(mask)
    cosine = step_cosines(embeddings, mask)
    return _reading(cosine, _shares(cosine, real), real.sum(dim=1))


def read_padded_steps(embeddings: Tensor, mask: Tensor) -> StepReading:
    """The same over all L - 1 pairs of the window, padding included, as the released code of TDM and CARD reads them.

    ``embeddings`` (B, L, D) must hold the padding's vector where ``mask`` (B, L) is False. There the padding follows
    the items; here it stands before them, so that the pair of the newest item and the padding after it takes the
    column of the pair that leads from padding to the oldest item.
    """
    cosine = step_cosines(embeddings)
    around = _cosine(embeddings[:, -1], embeddings[:, 0])
    cosine = torch.where(mask[:, 1:] & ~mask[:, :-1], around[:, None], cosine)
    return _reading(cosine, row_softmax(cosine), torch.full_like(mask[:, 0], cosine.shape[1], dtype=torch.int64))


def below_average(continuity: Tensor, mask: Tensor, level: float = 1.0, pairs: Tensor | None = None) -> Tensor:
    """Potential turning points: slots reached by a step with less than ``level`` times the average continuity 1 /
    pairs.

    (B, L-1) and (B, L) -> (B, L) bool. The first item is reached by no step and is never one. ``pairs`` (B,) when the
    continuity is shared among others than the real ones.
    """
    real = real_pairs(mask)
    number = real.sum(dim=1) if pairs is None else pairs
    return F.pad(real & (continuity * number[:, None] < level), (1, 0))


def below(continuity: Tensor, mask: Tensor, threshold: float) -> Tensor:
    """Potential turning points by an absolute ``threshold``: (B, L-1) and (B, L) -> (B, L) bool, never the first
    item.
    """
    return F.pad(real_pairs(mask) & (continuity < threshold), (1, 0))


def removal_probability(continuity: Tensor, mask: Tensor, rate: float) -> Tensor:
    """Chance that each slot is thinned out (TDM's L(con_n, p_2)): min(1, rate * pairs * con_n), (B, L) in [0, 1].

    A slot is removed for the continuity of the step that *leaves* it, so ``rate`` is the mean over the slots that have
    one. The last item and padding have probability 0.
    """
    real = real_pairs(mask)
    chance = (rate * real.sum(dim=1, keepdim=True) * continuity).clamp(max=1.0)
    return F.pad(chance.masked_fill(~real, 0.0), (0, 1))


def window_removal_probability(continuity: Tensor, mask: Tensor, rate: float) -> Tensor:
    """The same as the released code has it: min(1, rate * L * con_n), (B, L) in [0, 1], where con_n may be a share
    among padded pairs too.
    """
    chance = (rate * mask.shape[1] * continuity).clamp(max=1.0)
    return F.pad(chance.masked_fill(~real_pairs(mask), 0.0), (0, 1))


def sequence_probability(entropy: Tensor, rate: float, stability_scaled: bool) -> Tensor:
    """Chance that a history is edited at all (TDM's G(sta_k, p_1)): (B,) entropies -> (B,) in [0, 1].

    ``stability_scaled``: min(1, rate * B * softmax of the entropies over the batch), so that even histories are edited
    more often, and a row's chance depends on the rows beside it; otherwise ``rate`` for all.
    """
    if not stability_scaled:
        return torch.full_like(entropy, rate)
    return (rate * len(entropy) * entropy.softmax(dim=0)).clamp(max=1.0)


def draw_removal(probability: Tensor, generator: Generator | None) -> Tensor:
    """Independent draws, (B, L) probabilities -> (B, L) bool, True = remove. All are decided on the original slots."""
    chance = torch.rand(probability.shape, generator=generator, dtype=torch.float32)
    return chance.to(probability.device) < probability


def remove(history: Tensor, removed: Tensor) -> Tensor:
    """Takes the slots marked in ``removed`` (B, L) out of ``history`` (B, L) and closes the gaps to the right."""
    kept = history.masked_fill(removed, PADDING)
    order = (kept != PADDING).int().argsort(dim=1, stable=True)
    return kept.gather(1, order)


def lose_at_random(history: Tensor, most: float, generator: Generator | None) -> Tensor:
    """(B, L) -> (B, L): a row loses each of its items with one chance of its own, uniform between 0 and ``most``."""
    share = most * torch.rand(len(history), 1, generator=generator)
    return remove(history, draw_removal(share.expand(history.shape), generator).to(history.device))


def remove_shifting(history: Tensor, drawn: Tensor) -> Tensor:
    """Removal as the released code does it, with a slip: items move up at once, but the draws stay with their slots.

    ``history`` (B, L), ``drawn`` (B, L) bool with the outcome for each *original* slot, none for the newest item. The
    draw of slot s takes the item that has moved there: with k removals before it, the item of slot s + k, or nothing
    when there is none left. The length still falls by one each time, and what stands beyond it is not read.
    """
    length = history.shape[1]
    taken = torch.arange(length, device=history.device) + drawn.long().cumsum(dim=1) - drawn.long()
    gone = torch.zeros(len(history), length + 1, dtype=torch.bool, device=history.device)
    gone.scatter_(1, torch.where(drawn & (taken < length), taken, length), True)  # column L collects the misses
    real = history != PADDING
    kept = real & ~gone[:, :length]
    left = real.sum(dim=1, keepdim=True) - drawn.sum(dim=1, keepdim=True)
    return remove(history, real & ~(kept & (kept.cumsum(dim=1) <= left)))


def _cosine(first: Tensor, second: Tensor) -> Tensor:
    """(..., D) and (..., D) -> (...): ``F.cosine_similarity``, which takes twice as long as it divides every vector by
    its length before it multiplies them.
    """
    length, other = (torch.linalg.vector_norm(x, dim=-1).clamp(min=1e-8) for x in (first, second))
    return torch.linalg.vecdot(first, second) / (length * other)


def _shares(cosine: Tensor, real: Tensor) -> Tensor:
    # A row without pairs would be a softmax over nothing (NaN): its -inf are lifted first and its result is zeroed.
    logits = cosine.masked_fill(~real, -torch.inf).masked_fill(~real.any(dim=1, keepdim=True), 0.0)
    return row_softmax(logits).masked_fill(~real, 0.0)


def _reading(cosine: Tensor, continuity: Tensor, pairs: Tensor) -> StepReading:
    entropy = continuity_entropy(continuity)
    return StepReading(cosine, continuity, pairs, entropy, evenness(entropy, pairs))


def _two_level_entropy(high: int, low: int) -> float:
    weights = [math.e] * high + [1 / math.e] * low
    total = sum(weights)
    return -sum(w / total * math.log(w / total) for w in weights)
