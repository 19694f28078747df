"""Ranking metrics and full-ranking evaluation. Every row is scored, and a score that is not finite raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.datasets import Protocol
from demo_core.models.base import Controls, PublishedConfig, Recommender, RecommenderConfig
from demo_core.sequences import Rows
from demo_core.sharding import ALONE, Share

CUTOFFS = (10, 20, 50)


def hit_ratio(ranks: Tensor, k: int) -> float:
    """HR@k: share of rows whose target is among the first k. ``ranks`` (R,), 1 = best. Equals recall with one
    target.
    """
    return float((_checked(ranks) <= k).double().mean())


def ndcg(ranks: Tensor | Sequence[int], k: int) -> float:
    """NDCG@k with one target: mean of 1 / log2(rank + 1) where rank <= k, else 0. ``ranks`` (R,), 1 = best."""
    checked = _checked(ranks).double()
    return float(torch.where(checked <= k, 1 / torch.log2(checked + 1), 0.0).mean())


def target_rank(scores: Tensor, target: Tensor) -> Tensor:
    """Rank of ``target`` (B,) among the columns of ``scores`` (B, M + 1), 1 = best; of equals the smaller id is
    better.
    """
    own = scores.gather(1, target[:, None])
    ranks = 1 + _count(scores > own)
    equal = scores == own  # the target itself, and whatever ties with it
    tied = (_count(equal) > 1).nonzero().squeeze(1)
    if len(tied):
        smaller_id = torch.arange(scores.shape[1], device=scores.device) < target[tied, None]
        ranks[tied] += _count(equal[tied] & smaller_id)
    return ranks


def _count(flags: Tensor) -> Tensor:
    """(B, N) bool -> (B,) int64. Summing bytes into 32 bits is ten times as fast on a CPU as summing flags."""
    return flags.view(torch.uint8).sum(dim=1, dtype=torch.int32).long()


def metrics_of(ranks: Tensor) -> dict[str, float]:
    """HR and NDCG at 10, 20 and 50 of ``ranks`` (R,), as fractions."""
    measures = {"hr": hit_ratio, "ndcg": ndcg}
    return {f"{name}@{k}": measure(ranks, k) for name, measure in measures.items() for k in CUTOFFS}


@dataclass(frozen=True)
class Evaluation:
    """``ranks`` (R,) of the targets and ``top`` (R, K) recommended ids (K may be 0), both on the CPU."""

    ranks: Tensor
    top: Tensor

    def metrics(self) -> dict[str, float]:
        """:func:`metrics_of` the ranks."""
        return metrics_of(self.ranks)


@dataclass(frozen=True)
class Reading:
    """How a split is turned into ranks where the released code does not follow the protocol (no field: it does).

    The fields are those of :class:`PublishedConfig`; ``exclusion`` is "protocol", "window" or "nothing". The swapped
    test is other rows, not another reading: ``datasets.swapped_test``.
    """

    dropout: bool = False
    complete_batches_of: int | None = None
    rank_padding: bool = False
    exclusion: str = "protocol"

    def __post_init__(self) -> None:
        if self.exclusion not in ("protocol", "window", "nothing"):
            raise ValueError(f'exclusion: expected "protocol", "window" or "nothing", got {self.exclusion!r}.')

    @classmethod
    def of(cls, config: RecommenderConfig) -> Reading:
        """How the model's authors measured it; the protocol itself for a model that has no released code."""
        if not isinstance(config, PublishedConfig):
            return cls()
        return cls(config.evaluation_dropout, config.evaluation_batch, config.rank_padding, config.exclusion)


@torch.inference_mode()
def evaluate(
    model: Recommender,
    rows: Rows,
    protocol: Protocol,
    *,
    seed: int = 0,
    batch_size: int = 512,
    top: int = max(CUTOFFS),
    controls: Controls | None = None,
    reading: Reading | None = None,
    seen: Rows | None = None,
    share: Share = ALONE,
) -> Evaluation:
    """Ranks all items for every row under ``protocol``; the model is put in evaluation mode and left as it was.

    All batches see the noise of ``seed``. ``reading`` departs from the protocol as a released code did. ``seen``: rows
    whose histories are excluded in place of those of ``rows``, which may have lost items. ``top``: how much of every
    list is kept (0: none, which saves a pass over the scores). ``share``: several processes, all of which have to call,
    score some batches each and return the whole. Raises ``ValueError`` when a score is NaN or infinite.
    """
    reading = reading or Reading()
    scored = _Scored(model, rows, protocol, seed, controls, reading, seen or rows)
    number = len(rows) - (len(rows) % reading.complete_batches_of if reading.complete_batches_of else 0)
    times, ranks = torch.zeros(number, dtype=torch.int64), torch.zeros(number, dtype=torch.int64)
    lists = torch.zeros(number, min(top, model.config.num_items), dtype=torch.int64)
    with _evaluating(model, reading.dropout):
        for index in share.batches(number, batch_size):
            scores, target = scored.batch(index)
            times[index] += 1
            ranks[index] = target_rank(scores, target).cpu()
            lists[index] = scores.topk(lists.shape[1]).indices.cpu()
    return Evaluation(share.gathered(ranks, times), share.gathered(lists, times))


@torch.inference_mode()
def ranks_under(
    model: Recommender,
    rows: Rows,
    protocol: Protocol,
    settings: Sequence[Callable[[], object]],
    *,
    seed: int = 0,
    batch_size: int = 512,
    share: Share = ALONE,
) -> Tensor:
    """Ranks of the targets (S, R) as :func:`evaluate` finds them after each of S ``settings`` was called.

    Each batch is ranked under all settings before the next one is read.
    """
    scored = _Scored(model, rows, protocol, seed, None, Reading(), rows)
    times = torch.zeros(len(rows), dtype=torch.int64)
    ranks = torch.zeros(len(settings), len(rows), dtype=torch.int64)
    with _evaluating(model):
        for index in share.batches(len(rows), batch_size):
            times[index] += 1
            for number, setting in enumerate(settings):
                setting()
                ranks[number, index] = target_rank(*scored.batch(index)).cpu()
    return share.gathered(ranks, times)


@dataclass(frozen=True)
class _Scored:
    """Batches of ``rows`` as ``model`` scores them, without the items that are no candidates."""

    model: Recommender
    rows: Rows
    protocol: Protocol
    seed: int
    controls: Controls | None
    reading: Reading
    seen: Rows

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Rows ``index`` (B,) -> scores (B, M + 1) and targets (B,)."""
        model, reading = self.model, self.reading
        device = next((p.device for p in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
        batch = self.rows.batch(index, model.config.max_length).to(device)
        score = model.score_with_padding if reading.rank_padding else model.score
        scores = score(batch.history, Generator().manual_seed(self.seed), self.controls)
        require_finite(scores)
        if reading.exclusion == "window":
            scores.scatter_(1, batch.history, -torch.inf)  # where a window has padding, that goes too
        elif reading.exclusion == "protocol" and self.protocol.exclude_history:
            row, item = self.seen.seen(index)
            scores[row.to(device), item.to(device)] = -torch.inf
        return scores, batch.target


@contextmanager
def _evaluating(model: Recommender, dropout: bool = False) -> Iterator[None]:
    """Evaluation mode for a while; ``dropout`` stays on in the model's parts if asked."""
    was_training = model.training
    model.eval()
    if dropout:
        for part in model.children():  # the model itself stays in evaluation: it must not thin histories
            part.train()
    try:
        yield
    finally:
        model.train(was_training)


def require_finite(scores: Tensor) -> None:
    """``ValueError`` when a score of an item in (B, M + 1) is NaN or infinite."""
    # A sum is finite only if its terms are: one pass where asking each of them takes three.
    if not bool(torch.isfinite(scores[:, 1:].sum())) and not bool(torch.isfinite(scores[:, 1:]).all()):
        bad = int((~torch.isfinite(scores[:, 1:])).any(dim=1).sum())
        raise ValueError(f"evaluate: {bad} of {len(scores)} rows have NaN or infinite scores; they cannot be ranked.")


def _checked(ranks: Tensor | Sequence[int]) -> Tensor:
    checked = torch.as_tensor(ranks)
    if checked.numel() == 0 or not math.isfinite(float(checked.double().sum())) or bool((checked < 1).any()):
        raise ValueError("Expected a non-empty vector of ranks, 1 = best, without NaN.")
    return checked
