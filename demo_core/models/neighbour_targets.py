"""Training targets drawn from around the item that came next: an idea of ours, taken from GlobalDiff's Eq. 2.

The next item of a sparse data set is one of many that would have been as good. With chance ``rate`` it is replaced by
an item that is globally like it, drawn in proportion to the cosine of their audiences; in the mean this is a
cross-entropy with soft labels. It is a field of its own, so that every gain can be had with it and without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.models.base import Phase, Recommender, RecommenderConfig, Validation
from demo_core.models.item_knn import item_cosine
from demo_core.models.item_votes import largest_entries
from demo_core.sequences import PADDING

NEIGHBOURS = 50


@dataclass(frozen=True)
class NeighbourTargets:
    """``item`` (M + 1, N) ids, most alike first, and ``up_to`` (M + 1, N): the chance of that one or one before it."""

    item: Tensor
    up_to: Tensor

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """The cosines of the training sequences. An item that is like no other is its own neighbour."""
        number = dataset.catalogue.num_items
        cosine = item_cosine(dataset.train.sequences(), number)
        cosine.setdiag(0)
        ids, shares = [], []
        for rows, item, value in largest_entries(cosine, min(NEIGHBOURS, number + 1)):
            alone = value[:, :1] == 0
            own = torch.arange(rows.start, rows.stop)[:, None]
            ids.append(_wide(torch.where(alone, own, torch.where(value == 0, PADDING, item))))
            weight = torch.where(alone, torch.ones_like(value), value)
            shares.append(_wide(weight / weight.sum(dim=1, keepdim=True)))
        return cls(torch.cat(ids), torch.cat(shares).cumsum(dim=1).float())

    def to(self, device: torch.device) -> Self:
        return type(self)(self.item.to(device), self.up_to.to(device))

    def draw(self, target: Tensor, rate: float, generator: Generator) -> Tensor:
        """(B,) ids -> (B,) ids, of which a share ``rate`` in [0, 1] is replaced."""
        chance, choice = torch.rand(2, len(target), generator=generator).to(target.device)
        place = (self.up_to[target] <= choice[:, None]).sum(dim=1).clamp(max=NEIGHBOURS - 1)
        drawn = self.item[target, place]
        return torch.where((chance < rate) & (drawn != PADDING), drawn, target)


@dataclass(frozen=True, kw_only=True)
class NeighbourTargetsConfig(RecommenderConfig):
    """``neighbour_target_rate``: share of the training targets that are replaced by items like them."""

    neighbour_target_rate: float = 0.0


class LearnsFromNeighbours(Recommender):
    """Abstract. What a final class needs to train on such targets; nothing of it is part of its state."""

    config: NeighbourTargetsConfig
    neighbour_targets: NeighbourTargets | None = None  # found when training begins

    def phases(self) -> list[Phase]:
        return [Phase("train", self.loss, list(self.parameters()), prepare=self.find_neighbours)]

    def find_neighbours(self, dataset: Dataset, validate: Validation) -> None:
        """What the targets may be replaced by, if some of them are: a ``prepare`` of the training phase."""
        if self.config.neighbour_target_rate:
            self.neighbour_targets = NeighbourTargets.of(dataset).to(next(self.parameters()).device)

    def training_target(self, target: Tensor, generator: Generator) -> Tensor:
        """(B,) ids -> (B,) ids: while training, some of them are replaced."""
        if not self.training or self.neighbour_targets is None:
            return target
        return self.neighbour_targets.draw(target, self.config.neighbour_target_rate, generator)


def _wide(x: Tensor) -> Tensor:
    """(B, N or fewer) -> (B, N), zeros on the right: a small catalogue has fewer neighbours."""
    return F.pad(x, (0, NEIGHBOURS - x.shape[1]))
