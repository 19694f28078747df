"""What every recommender is: a config, a loss, a score, and optionally training phases and an explanation.

Letters used in all model files: B batch, L history length, D embedding width, M items, T diffusion steps, K list
length. Ids 1..M, 0 is padding, histories are padded on the left; scores are indexed by item id.
"""

from __future__ import annotations

import ast
import dataclasses
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Generator, Tensor, nn

from demo_core.datasets import Dataset
from demo_core.sequences import PADDING, Batch
from demo_core.stability import StepReading


@dataclass(frozen=True, kw_only=True)
class RecommenderConfig:
    """Everything that fixes a model and its training, except the seed. All rates are per optimiser step.

    ``max_length`` is the window: older items are not read. ``rows_per_epoch`` draws that many training rows at random
    an epoch (``None``: all of them, once). ``weight_average`` is the decay of the exponential average of the weights
    that is evaluated and saved (0: none). ``patience`` counts evaluations without a better validation NDCG@20.
    """

    num_items: int
    max_length: int = 10
    embedding_dim: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    batch_size: int = 512
    max_epochs: int = 20
    rows_per_epoch: int | None = None
    patience: int = 8
    weight_average: float = 0.99

    @property
    def selection(self) -> tuple[str, str]:
        """Split and metric that choose the epoch."""
        return "validation", "ndcg@20"

    def epoch_rows(self, rows: int, order: Generator) -> list[Tensor]:
        """One epoch: the indices of ``rows`` training rows in batches."""
        return list(torch.randperm(rows, generator=order)[: self.rows_per_epoch or rows].split(self.batch_size))

    def override(self, *settings: str) -> Self:
        """``config.override("embedding_dim=32", "dropout=0.1")``: a new config; names and types are checked."""
        return dataclasses.replace(self, **dict(self._parse(setting) for setting in settings))

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; an unknown, missing or wrongly typed field raises ``ValueError``."""
        known = {field.name for field in dataclasses.fields(cls)}
        if set(values) != known:
            unknown, missing = sorted(set(values) - known), sorted(known - set(values))
            raise ValueError(
                f"{cls.__name__}: unknown fields {unknown}, missing fields {missing}; known: {sorted(known)}."
            )
        return cls(**{name: cls._checked(name, value) for name, value in values.items()})

    @classmethod
    def _parse(cls, setting: str) -> tuple[str, Any]:
        name, equals, text = setting.partition("=")
        known = {field.name for field in dataclasses.fields(cls)}
        if not equals or name not in known:
            raise ValueError(f"Expected name=value with a name out of {sorted(known)}, got {setting!r}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        return name, cls._checked(name, value)

    @classmethod
    def _checked(cls, name: str, value: Any) -> Any:
        annotation = typing.get_type_hints(cls)[name]
        is_union = isinstance(annotation, types.UnionType)
        allowed = typing.get_args(annotation) if is_union else (annotation,)
        if float in allowed and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if int not in allowed else value
        if type(value) not in allowed:
            raise ValueError(
                f"{cls.__name__}.{name}: expected {annotation}, got {value!r} of type {type(value).__name__}."
            )
        return value


@dataclass(frozen=True, kw_only=True)
class PublishedConfig(RecommenderConfig):
    """A model whose authors trained and measured it in their own way; every departure from ours is one field.

    Training: ``selection_split``, ``selection_metric`` choose the epoch ("test": the best of all looks at the test
    split). ``independent_batches``: every batch is drawn from all rows anew and an incomplete one is left out, so that
    an epoch misses a third of the rows.

    Measuring, read by ``evaluation.Reading``: ``evaluation_dropout``: dropout stays on. ``evaluation_batch``: rows of
    an incomplete last batch of that size are not scored (``None``: all are). ``rank_padding``: the padding id is a
    candidate. ``exclusion``: which items are no candidates: "protocol", "window" (those read last) or "nothing".
    ``swapped_test``: the test context holds the last item and the target is the one before it.
    """

    selection_split: str = "validation"
    selection_metric: str = "ndcg@20"
    independent_batches: bool = False
    evaluation_dropout: bool = False
    evaluation_batch: int | None = None
    rank_padding: bool = False
    exclusion: str = "protocol"
    swapped_test: bool = False

    @property
    def selection(self) -> tuple[str, str]:
        return self.selection_split, self.selection_metric

    def epoch_rows(self, rows: int, order: Generator) -> list[Tensor]:
        if not self.independent_batches:
            return super().epoch_rows(rows, order)
        number = (self.rows_per_epoch or rows) // self.batch_size
        return [torch.randperm(rows, generator=order)[: self.batch_size] for _ in range(number)]


@dataclass(frozen=True)
class Controls:
    """What a visitor may turn at inference; ``None`` keeps the model's own value, and a model ignores what it lacks.

    ``threshold``: evenness above which CARD calls a history turning. ``steps``: denoising steps.
    ``guidance_strength``: classifier-free guidance, 0 = conditional only.
    """

    threshold: float | None = None
    steps: int | None = None
    guidance_strength: float | None = None


@dataclass(frozen=True)
class RouteExplanation:
    """How CARD or TDM reads B histories. Slots are the L columns of ``history``; pair n joins slots n and n + 1.

    ``history`` (B, L) the window that was read, ids. ``steps``: cosine, continuity, pairs, entropy, evenness, routed.
    ``turning`` (B,) bool: routed and evenness above ``threshold``. ``removal`` (B, L): chance that the slot is
    dropped when the history is thinned in training. The last three are ``None`` for a model without PER:
    ``candidate`` (B, L) bool: a below-average step leads to this slot; ``per`` (B, L): prediction error reduction, 0
    without a future item in the window; ``weight`` (B, L) in (0, 2): what the attention really uses.
    """

    history: Tensor
    steps: StepReading
    turning: Tensor
    threshold: float | None
    removal: Tensor
    candidate: Tensor | None
    per: Tensor | None
    weight: Tensor | None


@dataclass(frozen=True)
class VoteExplanation:
    """GlobalDiff's two voters, all (B, M + 1): ``personal`` and ``global_`` sum to 1 over candidates, ``fused`` ranks.

    ``gamma`` in [0, 1] is the personal voter's share.
    """

    personal: Tensor
    global_: Tensor
    fused: Tensor
    gamma: float


Explanation = RouteExplanation | VoteExplanation


@dataclass(frozen=True)
class Phase:
    """One stage of training; the loop in ``training.py`` never asks which model it has.

    ``loss(batch, generator)`` -> (); ``None`` means that ``prepare`` is all there is to do. ``parameters`` are the ones
    trained, all others are frozen. ``prepare(dataset, validate)`` runs once before the phase; ``validate()`` returns
    NDCG@20 on validation with the model as it is. ``before_epoch(dataset, generator)`` runs at each epoch's start.
    ``config`` holds the learning rate, epochs and so on of this stage when they are not the model's own.
    """

    name: str
    loss: Callable[[Batch, Generator | None], Tensor] | None
    parameters: Sequence[nn.Parameter]
    prepare: Callable[[Dataset, Callable[[], float]], None] | None = None
    before_epoch: Callable[[Dataset, Generator], None] | None = None
    config: RecommenderConfig | None = None


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
    scores = state @ embedding.weight[: num_items + 1].T
    if bias is not None:
        scores = scores + bias
    return mask_padding(scores)


def mask_padding(scores: Tensor) -> Tensor:
    """(B, M + 1) -> the same with the padding column set to -inf."""
    column = torch.arange(scores.shape[1], device=scores.device) == PADDING
    return scores.masked_fill(column, -torch.inf)


def seeded(generator: Generator | None) -> Generator:
    """The generator itself, or a new CPU generator with seed 0. Noise is drawn on the CPU so that devices agree."""
    return generator if generator is not None else torch.Generator().manual_seed(0)
