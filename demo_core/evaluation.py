"""Ranking metrics and full-ranking evaluation. Every row is scored, and a score that is not finite raises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.datasets import Protocol
from demo_core.models.base import Controls, Recommender
from demo_core.sequences import Rows, batches

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
    smaller_id = torch.arange(scores.shape[1], device=scores.device) < target[:, None]
    return 1 + ((scores > own) | ((scores == own) & smaller_id)).sum(dim=1)


@dataclass(frozen=True)
class Evaluation:
    """``ranks`` (R,) of the targets and ``top`` (R, K) recommended ids, both on the CPU."""

    ranks: Tensor
    top: Tensor

    def metrics(self) -> dict[str, float]:
        """HR and NDCG at 10, 20 and 50, as fractions."""
        measures = {"hr": hit_ratio, "ndcg": ndcg}
        return {f"{name}@{k}": measure(self.ranks, k) for name, measure in measures.items() for k in CUTOFFS}


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
) -> Evaluation:
    """Ranks all items for every row under ``protocol``; the model is put in evaluation mode and left as it was.

    All batches see the noise of ``seed``. Raises ``ValueError`` when a score is NaN or infinite.
    """
    device = next((p.device for p in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    was_training = model.training
    model.eval()
    ranks, lists = [], []
    for index in batches(len(rows), batch_size):
        batch = rows.batch(index, model.config.max_length).to(device)
        scores = model.score(batch.history, Generator().manual_seed(seed), controls)
        _require_finite(scores)
        if protocol.exclude_history:
            row, item = rows.seen(index)
            scores[row.to(device), item.to(device)] = -torch.inf
        ranks.append(target_rank(scores, batch.target).cpu())
        lists.append(scores.topk(min(top, model.config.num_items)).indices.cpu())
    model.train(was_training)
    result = Evaluation(torch.cat(ranks), torch.cat(lists))
    if len(result.ranks) != len(rows):
        raise RuntimeError(f"evaluate: expected {len(rows)} scored rows, got {len(result.ranks)}.")
    return result


def _require_finite(scores: Tensor) -> None:
    if not bool(torch.isfinite(scores[:, 1:]).all()):
        bad = int((~torch.isfinite(scores[:, 1:])).any(dim=1).sum())
        raise ValueError(f"evaluate: {bad} of {len(scores)} rows have NaN or infinite scores; they cannot be ranked.")


def _checked(ranks: Tensor | Sequence[int]) -> Tensor:
    checked = torch.as_tensor(ranks)
    if checked.numel() == 0 or not math.isfinite(float(checked.double().sum())) or bool((checked < 1).any()):
        raise ValueError("Expected a non-empty vector of ranks, 1 = best, without NaN.")
    return checked
