"""What every recommender is: a config, a loss, a score, and optionally training phases and an explanation.

Letters used in all model files: B batch, L history length, D embedding width, M items, T diffusion steps, K list
length. Ids 1..M, 0 is padding, histories are padded on the left; scores are indexed by item id.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from demo_core.datasets import Dataset
from demo_core.models.config import PublishedConfig, RecommenderConfig
from demo_core.models.explanations import Controls, DenoisingStep, Explanation, RouteExplanation, VoteExplanation
from demo_core.models.ranking_loss import full_cross_entropy
from demo_core.sequences import PADDING, Batch

__all__ = [
    "Controls",
    "DenoisingStep",
    "Explanation",
    "Phase",
    "PublishedConfig",
    "Recommender",
    "RecommenderConfig",
    "RouteExplanation",
    "SequenceEncoder",
    "Validation",
    "VoteExplanation",
    "item_scores",
    "mask_padding",
    "next_item_loss",
    "seeded",
]


@dataclass(frozen=True)
class Validation:
    """NDCG@20 on validation with the model as it is, or ``of`` the model as each of several settings makes it.

    ``of`` reads the rows once: each batch is asked for under all settings before the next one, so that a model may keep
    what they have in common.
    """

    of: Callable[[Sequence[Callable[[], object]]], list[float]]

    def __call__(self) -> float:
        (quality,) = self.of([lambda: None])
        return quality


@dataclass(frozen=True)
class Phase:
    """One stage of training; the loop in ``training.py`` never asks which model it has.

    ``loss(batch, generator)`` -> (); ``None`` means that ``prepare`` is all there is to do. ``parameters`` are the ones
    trained, all others are frozen. ``prepare(dataset, validate)`` runs once before the phase,
    ``before_epoch(dataset, generator)`` at each epoch's start.
    ``config`` holds the learning rate, epochs and so on of this stage when they are not the model's own.
    ``rows(dataset)`` (R,) are the indices of the training rows that an epoch is made of; ``None`` means all, once.
    """

    name: str
    loss: Callable[[Batch, Generator | None], Tensor] | None
    parameters: Sequence[nn.Parameter]
    prepare: Callable[[Dataset, Validation], None] | None = None
    before_epoch: Callable[[Dataset, Generator], None] | None = None
    config: RecommenderConfig | None = None
    rows: Callable[[Dataset], Tensor] | None = None


class Recommender(nn.Module, ABC):
    """Abstract. A final class adds its equations and nothing of the machinery."""

    config: RecommenderConfig

    def __init__(self, config: RecommenderConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def loss(self, batch: Batch, generator: Generator | None = None) -> Tensor:
        """Training loss of a batch, shape ()."""

    @abstractmethod
    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        """(B, L) ids -> (B, M + 1): column j is item j, column 0 is -inf. Finite elsewhere, whatever the history.

        The same history and seed give the same scores in any batch; without a generator, seed 0 is used.
        """

    def score_with_padding(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> Tensor:
        """:meth:`score` with the padding row as one more candidate, as released code ranks; where a model has no such
        row its column stays -inf.
        """
        return self.score(history, generator, controls)

    def phases(self) -> list[Phase]:
        """Training stages in order; one stage on all parameters unless a model says otherwise."""
        return [Phase("train", self.loss, list(self.parameters()))]

    def explain(self, history: Tensor, controls: Controls | None = None) -> Explanation | None:
        """What the model can tell about these histories (B, L), or ``None``."""
        return None

    def denoising(
        self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None
    ) -> list[DenoisingStep] | None:
        """Sampling step by step for histories (B, L): what it begins with, then the estimate of every step. The last
        one's scores are those of :meth:`score`. ``None``: the model does not sample.
        """
        return None

    def embedding(self) -> Tensor | None:
        """The item vectors (M + 1, D), row 0 padding, among which lists and estimates have their place; ``None``: the
        model has none.
        """
        return None

    def probabilities(self, scores: Tensor) -> Tensor:
        """Scores (B, M + 1) -> how likely the model holds each item to be next, summing to 1; column 0 is 0."""
        return scores.softmax(dim=1)

    @torch.inference_mode()
    def recommend(
        self,
        history: Tensor,
        k: int,
        *,
        exclude_seen: bool = True,
        generator: Generator | None = None,
        controls: Controls | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(B, L) -> ids (B, k) and scores (B, k), best first. Ties go to the smaller id.

        Raises ``ValueError`` when more items are asked for than there are.
        """
        if not 1 <= k <= self.config.num_items:
            raise ValueError(f"recommend: expected k in 1..{self.config.num_items}, got {k}.")
        scores = self.score(history, generator, controls)
        if exclude_seen:
            scores = scores.scatter(1, history, -torch.inf)
        best, ids = scores.sort(dim=1, descending=True, stable=True)
        return ids[:, :k], best[:, :k]


class SequenceEncoder(Recommender):
    """Abstract. A recommender that scores by the inner product of one state with the item embeddings."""

    item_embedding: nn.Embedding  # row 0 padding, rows 1..M items, then special tokens
    item_bias: Tensor | None  # (M + 1,); no default here, it would stop a final class from registering a parameter

    def embedding(self) -> Tensor:
        return self.item_embedding.weight[: self.config.num_items + 1]

    @abstractmethod
    def encode(self, history: Tensor) -> Tensor:
        """(B, L) ids -> (B, D): the state that predicts the next item."""

    @abstractmethod
    def masked_context(self, sequence: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """What a frozen backbone tells GlobalDiff about one hidden item: its state (B, D) and the mean state (B, D).

        ``sequence`` (B, L) ids, of which slot ``position`` (B,) is not looked at. A causal encoder reads only what
        stands before it. The mean runs over the slots that were read, padding left out.
        """

    def score(self, history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
        return self.rank(self.encode(history))

    def rank(self, state: Tensor) -> Tensor:
        """(B, D) states -> (B, M + 1) scores."""
        return item_scores(state, self.item_embedding, self.config.num_items, self.item_bias)


def item_scores(state: Tensor, embedding: nn.Embedding, num_items: int, bias: Tensor | None = None) -> Tensor:
    """Inner products of (B, D) states with the items, plus ``bias`` (M + 1,): (B, M + 1), column 0 is -inf."""
    items = embedding.weight[: num_items + 1].T
    scores = state @ items if bias is None else torch.addmm(bias, state, items)
    scores[:, PADDING] = -torch.inf
    return scores


def next_item_loss(
    state: Tensor, target: Tensor, embedding: nn.Embedding, num_items: int, bias: Tensor | None = None
) -> Tensor:
    """Cross-entropy of the next item over all M items, (): :func:`item_scores` as it is trained.

    ``state`` (B, D), ``target`` (B,) ids, ``bias`` (M + 1,). Only the rows 1..M are multiplied and nothing is masked:
    the scores are the largest matrix of a training step, and each further pass over it costs as much as the encoder.
    """
    items = embedding.weight[1 : num_items + 1]
    return full_cross_entropy(state, items, target - 1, None if bias is None else bias[1:])


def mask_padding(scores: Tensor) -> Tensor:
    """(B, M + 1) -> the same with the padding column set to -inf."""
    column = torch.arange(scores.shape[1], device=scores.device) == PADDING
    return scores.masked_fill(column, -torch.inf)


def seeded(generator: Generator | None) -> Generator:
    """The generator itself, or a new CPU generator with seed 0. Noise is drawn on the CPU so that devices agree."""
    return generator if generator is not None else torch.Generator().manual_seed(0)


def on_device(generator: Generator, device: torch.device) -> Generator:
    """For draws too large to be made on the CPU and sent: a generator of that device, seeded by one draw of
    ``generator``, which itself serves the CPU.
    """
    if device.type == "cpu":
        return generator
    return torch.Generator(device).manual_seed(int(torch.randint(2**62, (), generator=generator)))
