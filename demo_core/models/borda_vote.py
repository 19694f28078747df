"""GlobalDiff's list: the vote of a backbone and a global voter, and how much each has to say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from demo_core.datasets import Dataset
from demo_core.layers import window
from demo_core.models.base import Controls, DenoisingStep, Recommender, Validation, VoteExplanation, mask_padding
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.models.voters import create_voter
from demo_core.models.voting import Ballot, Count, choose_share, clip_and_divide

ROUGH_STEPS = 10


class BordaVote(Recommender):
    """Abstract. A final class fills the ballot."""

    config: GlobalDiffConfig
    gamma: Tensor  # () share of the personal voter
    vote_share: Tensor  # () share of the history's own votes in the global voter, only where they are asked

    def __init__(self, config: GlobalDiffConfig) -> None:
        super().__init__(config)
        self.register_buffer("gamma", torch.tensor(0.5))
        self.voter = create_voter(config) if config.has_votes else None
        if self.voter is not None:
            self.register_buffer("vote_share", torch.tensor(config.vote_share or 0.0))
        self._keeps_count = False
        self._last: tuple[Tensor, Count] | None = None

    @abstractmethod
    def ballot(
        self,
        history: Tensor,
        controls: Controls,
        generator: Generator | None,
        both: bool,
        watch: Callable[[Tensor], None] | None = None,
    ) -> Ballot:
        """What is counted for windows (B, L). Without ``both`` the global voter is not asked and leaves zeros.
        ``watch`` is shown x_T and every estimate of x_0, (B, M + 1) each.
        """

    @abstractmethod
    def embedding(self) -> Tensor:
        """(M + 1, D): the items, among which a list has its place."""

    def votes(self, history: Tensor) -> Tensor | None:
        """What the items of (B, L) histories vote for, (B, M + 1) with rows that sum to 1, if they are asked."""
        return None if self.voter is None else F.pad(clip_and_divide(self.voter.votes(history)[:, 1:]), (1, 0))

    def vote(
        self,
        history: Tensor,
        controls: Controls | None = None,
        generator: Generator | None = None,
        both: bool = True,
    ) -> VoteExplanation:
        """Both voters and their fusion for (B, L) histories. Without ``both`` the global voter is not asked where gamma
        = 1 gives it no say: while the backbone trains, or where fusion would have hurt.
        """
        history = window(history, self.config.max_length)
        count = self._counted(history, controls or Controls(), generator, both or float(self.gamma) < 1)
        return count.with_shares(self.gamma, None if self.voter is None else self.vote_share)

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return mask_padding(self.score_with_padding(history, generator, controls))

    def score_with_padding(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> Tensor:
        return self.vote(history, controls, generator, both=False).fused

    def probabilities(self, scores: Tensor) -> Tensor:
        """The vote's points, each item's share of them all."""
        return F.pad(clip_and_divide(scores[:, 1:]), (1, 0))

    @torch.inference_mode()
    def explain(self, history: Tensor, controls: Controls | None = None) -> VoteExplanation:
        return self.vote(history, controls)

    @torch.inference_mode()
    def denoising(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> list[DenoisingStep]:
        """The vote as it would be counted with each state; its place is the mean of the items, weighed by points."""
        history, states = window(history, self.config.max_length), list[Tensor]()
        ballot = self.ballot(history, controls or Controls(), generator, both=True, watch=states.append)
        share = None if self.voter is None else self.vote_share
        told = []
        for restored in states:
            count = Count(self.config, history, replace(ballot, restored=restored))
            scores = mask_padding(count.with_shares(self.gamma, share).fused)
            told.append(DenoisingStep(self.probabilities(scores) @ self.embedding(), scores))
        return told

    def choose_shares(self, dataset: Dataset, validate: Validation) -> None:
        """By the fused list: how much the global voter counts, and what it is made of. From the plain average of
        backbone and votes on, each share is chosen while the other one stands still.
        """
        config = self.config
        with self._keeping_the_count():
            if config.vote_share is None:
                self.vote_share.fill_(1.0)
                if config.gamma is None:
                    choose_share(self.gamma, validate, ROUGH_STEPS)
                else:
                    self.gamma.fill_(config.gamma)
                choose_share(self.vote_share, validate, ROUGH_STEPS)
            if config.gamma is None:
                choose_share(self.gamma, validate)
            else:
                self.gamma.fill_(config.gamma)

    def _counted(self, history: Tensor, controls: Controls, generator: Generator | None, both: bool) -> Count:
        if not self._keeps_count:
            return Count(self.config, history, self.ballot(history, controls, generator, both))
        if self._last is None or not torch.equal(self._last[0], history):
            self._last = history, Count(self.config, history, self.ballot(history, controls, generator, both=True))
        return self._last[1]

    @contextmanager
    def _keeping_the_count(self) -> Iterator[None]:
        """Within it, a batch that is asked for again is only counted anew: nothing but the shares may change, and the
        noise is that of the first time.
        """
        self._keeps_count = True
        try:
            yield
        finally:
            self._keeps_count, self._last = False, None
