"""What missing or foreign items do to lists: one draw to look at, and many to average over.

An item is lost with probability ``share``, as in :mod:`demo_core.perturbation`; the chance of each is drawn once from
the seed, so that a larger share loses the same items and more.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator

from demo_core.checkpoint import Bundle
from demo_core.datasets import PROTOCOLS
from demo_core.engine.lab_answers import LabPoint
from demo_core.engine.ranking import best_ids, rank_of
from demo_core.models.base import Controls
from demo_core.sequences import pad

KINDS = ("lost", "added")
MOST_SHARE = 0.6
DRAWS = 50  # of one history
PEOPLE = 100
DRAWS_A_PERSON = 3


@dataclass(frozen=True)
class Subject:
    """A history of ids, oldest first, and the item that really followed, if known."""

    history: tuple[int, ...]
    truth: int | None


@dataclass(frozen=True)
class Altered:
    """``items`` (id, position in the whole history or None for a foreign one), in order, lost ones included; ``lost``
    positions, from 1.
    """

    items: tuple[tuple[int, int | None], ...]
    lost: tuple[int, ...]

    @property
    def read(self) -> tuple[int, ...]:
        """The history as it is after the loss."""
        lost = frozenset(self.lost)
        return tuple(id for id, position in self.items if position is None or position not in lost)


def altered(history: Sequence[int], kind: str, share: float, num_items: int, seed: int) -> Altered:
    """One draw. "lost": each item goes with probability ``share``; "added": a random item of 1..``num_items`` follows
    each with probability ``share``.
    """
    generator = Generator().manual_seed(seed)
    hit = (torch.rand(len(history), generator=generator) < share).tolist()
    foreign = torch.randint(1, num_items + 1, (len(history),), generator=generator).tolist()
    if kind == "lost":
        items = tuple((id, at) for at, id in enumerate(history, start=1))
        return Altered(items, tuple(at for at, lost in enumerate(hit, start=1) if lost))
    merged: list[tuple[int, int | None]] = []
    for at, (id, follows, stranger) in enumerate(zip(history, hit, foreign, strict=True), start=1):
        merged += [(id, at), (stranger, None)] if follows else [(id, at)]
    return Altered(tuple(merged), ())


@torch.inference_mode()
def lab_point(
    bundle: Bundle,
    subjects: Sequence[Subject],
    kind: str,
    share: float,
    *,
    draws: int,
    k: int,
    seed: int,
    threshold: float | None,
    device: torch.device,
) -> LabPoint:
    """Means over ``draws`` for each subject: how many of the ``k`` stay, and how often the true item is among them."""
    number = bundle.catalogue.num_items
    asked = [
        (subject, subject.history if share == 0 else altered(subject.history, kind, share, number, seed + one).read)
        for first, subject in enumerate(subjects)
        for one in range(first * draws, first * draws + (1 if share == 0 else draws))
    ]
    whole = _lists(bundle, [(subject, subject.history) for subject in subjects], k, seed, threshold, device)
    own = dict(zip(subjects, whole[0], strict=True))
    lists, ranks = _lists(bundle, asked, k, seed, threshold, device)
    kept = [len(set(found) & set(own[subject])) for (subject, _), found in zip(asked, lists, strict=True)]
    known = [rank for rank in ranks if rank is not None]
    quarters = statistics.quantiles(kept, n=4, method="inclusive") if len(kept) > 1 else [float(kept[0])] * 3
    return LabPoint(
        model=bundle.name,
        share=share,
        kept=statistics.fmean(kept),
        low=quarters[0],
        high=quarters[2],
        found=sum(rank <= k for rank in known) / len(known) if known else None,
        draws=len(kept),
    )


def _lists(
    bundle: Bundle,
    asked: Sequence[tuple[Subject, Sequence[int]]],
    k: int,
    seed: int,
    threshold: float | None,
    device: torch.device,
) -> tuple[list[list[int]], list[int | None]]:
    """The lists for what is left of histories, and the ranks of the true items. What was seen stays excluded."""
    windows = pad([read for _, read in asked], bundle.model.config.max_length).to(device)
    scores = bundle.model.score(windows, Generator().manual_seed(seed), Controls(threshold=threshold)).cpu()
    if PROTOCOLS[bundle.protocol].exclude_history:
        for row, (subject, _) in enumerate(asked):
            scores[row, list(subject.history)] = -torch.inf
    ranks = [rank_of(row, subject.truth) for row, (subject, _) in zip(scores, asked, strict=True)]
    return [best_ids(row, k) for row in scores], ranks
