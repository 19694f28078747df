"""Many questions at once: those that wait for the same model are scored as one batch.

Nobody waits for a batch to fill. Whoever comes first scores at once; whoever comes while the model is busy is gathered,
and the next batch is all of them. An idle app answers as fast as without it, a crowded one multiplies matrices instead
of vectors. A model gives a history the same scores in any batch, so the answers are the same.
"""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from demo_core.models.base import Controls, Recommender

MOST_AT_ONCE = 64


class Scorer(ABC):
    """Abstract. How the engine asks a model for the scores of one history."""

    @abstractmethod
    def score(self, model: Recommender, window: Tensor, seed: int, controls: Controls) -> Tensor:
        """(1, L) ids on the model's device -> (M + 1,) on the CPU."""


class OneByOne(Scorer):
    """Every question is a batch of its own."""

    def score(self, model: Recommender, window: Tensor, seed: int, controls: Controls) -> Tensor:
        return _scores(model, window, seed, controls)[0]


@dataclass
class _Batch:
    """Questions that are answered together."""

    windows: list[Tensor] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    scores: Tensor | None = None
    error: BaseException | None = None


class Together(Scorer):
    """Questions for the same model with the same seed and controls share a batch of up to ``most``."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        if most < 1:
            raise ValueError(f"Together: expected room for at least one question, got {most}.")
        self._most = most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, _Batch] = {}
        self._queued = 0
        self._busy: weakref.WeakKeyDictionary[Recommender, threading.Lock] = weakref.WeakKeyDictionary()

    @property
    def waiting(self) -> int:
        """Questions that no model has begun to answer."""
        return self._queued

    def score(self, model: Recommender, window: Tensor, seed: int, controls: Controls) -> Tensor:
        key = (id(model), seed, controls)
        with self._lock:
            busy = self._busy.setdefault(model, threading.Lock())
            batch = self._waiting.get(key)
            first = batch is None or len(batch.windows) == self._most
            if batch is None or first:
                batch = self._waiting[key] = _Batch()  # a full one has its first asker already, who computes it
            at = len(batch.windows)
            batch.windows.append(window)
            self._queued += 1
        if first:
            with busy:  # while another batch has the model, this one grows
                self._compute(model, batch, key, seed, controls)
        else:
            batch.done.wait()
        if batch.error is not None:
            raise batch.error
        assert batch.scores is not None
        return batch.scores[at]

    def _compute(self, model: Recommender, batch: _Batch, key: Hashable, seed: int, controls: Controls) -> None:
        with self._lock:
            if self._waiting.get(key) is batch:
                del self._waiting[key]
            self._queued -= len(batch.windows)
        try:
            batch.scores = _scores(model, torch.cat(batch.windows), seed, controls)
        except BaseException as error:  # whoever waits has to hear of it too
            batch.error = error
        finally:
            batch.done.set()


def _scores(model: Recommender, windows: Tensor, seed: int, controls: Controls) -> Tensor:
    """(B, L) -> (B, M + 1) on the CPU, all with the noise of ``seed``."""
    with torch.inference_mode():
        return model.score(windows, Generator().manual_seed(seed), controls).cpu()
