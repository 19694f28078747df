"""What is told of a training: of every epoch while it goes on, and of the whole when it is over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """One epoch of a phase that is over: ``number`` of at most ``of``, its ``loss``, the mean over the rows of all
    processes, and the validation figure that chooses the epoch, now and at its ``best`` so far.
    """

    phase: str
    number: int
    of: int
    loss: float
    quality: float
    best: float


@dataclass(frozen=True)
class FitReport:
    """``epochs`` trained in all phases, ``seconds_per_epoch`` without validation, ``best`` of the figure that chose the
    epoch (``RecommenderConfig.selection``), a phase.
    """

    epochs: int
    seconds_per_epoch: float
    best: dict[str, float]
