"""A backbone and item-kNN, averaged: the plainest way to add what items have in common to a sequential model.

score = gamma p(backbone) + (1 - gamma) p(kNN), where each p sums to 1 over the items. It stands beside GlobalDiff on
the same backbone: what GlobalDiff adds should be more than this adds. There is no paper, so there are no departures.
With ``voter=slit`` the votes are those of a linear model instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.datasets import Dataset
from demo_core.models.backbones import create_backbone
from demo_core.models.base import Controls, Phase, Recommender, Validation, VoteExplanation, mask_padding
from demo_core.models.voters import VoterConfig, create_voter
from demo_core.models.voting import Voter, choose_share, clip_and_divide, fuse
from demo_core.sequences import Batch


@dataclass(frozen=True, kw_only=True)
class KNNAverageConfig(VoterConfig):
    """``gamma`` in [0, 1], the backbone's share: chosen on validation where it is ``None``."""

    gamma: float | None = None


class KNNAverage(Recommender):
    config: KNNAverageConfig
    gamma: Tensor  # () share of the backbone

    def __init__(self, config: KNNAverageConfig) -> None:
        super().__init__(config)
        self.backbone = create_backbone(config)
        self.voter = create_voter(config)
        self.register_buffer("gamma", torch.tensor(0.5 if config.gamma is None else config.gamma))

    def phases(self) -> list[Phase]:
        own = list(self.backbone.parameters())
        (count,) = self.voter.phases()
        return [
            Phase("backbone", self.backbone.loss, own, self._trust_backbone, config=self.config.backbone_config()),
            count,
            Phase("vote", None, [], self._choose_gamma),
        ]

    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """The backbone's; nothing else is trained."""
        return self.backbone.loss(batch, generator)

    def vote(self, history: Tensor) -> VoteExplanation:
        """Both voters and their average for (B, L) histories."""
        personal = self.backbone.score(history).softmax(dim=1)
        global_ = clip_and_divide(self.voter.score(history))
        fused = mask_padding(fuse(Voter(personal), Voter(global_), self.gamma, "sum"))
        return VoteExplanation(personal, global_, fused, float(self.gamma))

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return self.vote(history).fused

    def embedding(self) -> Tensor:
        """The backbone's."""
        return self.backbone.embedding()

    def probabilities(self, scores: Tensor) -> Tensor:
        """The scores are probabilities already; some items may have been taken out of them."""
        return scores.clamp(min=0) / scores.clamp(min=0).sum(dim=1, keepdim=True)

    @torch.inference_mode()
    def explain(self, history: Tensor, controls: Controls | None = None) -> VoteExplanation:
        return self.vote(history)

    def _trust_backbone(self, dataset: Dataset, validate: Validation) -> None:
        """While the backbone trains, its own list is what validation sees."""
        self.gamma.fill_(1.0)
        prepare = self.backbone.phases()[0].prepare
        if prepare is not None:
            prepare(dataset, validate)

    def _choose_gamma(self, dataset: Dataset, validate: Validation) -> None:
        if self.config.gamma is None:
            choose_share(self.gamma, validate)
        else:
            self.gamma.fill_(self.config.gamma)
