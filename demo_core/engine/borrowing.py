"""Questions on a GPU that is lent for seconds at a time (:mod:`demo_core.zero_gpu`).

To borrow one takes a good part of a second, and a visitor may have it for a few minutes a day. Lists, routes, effects
and steps take the CPU less than that, so they are answered at once; what takes seconds (a curve over many people, a
benchmark) is borrowed for, and leaves the page its own cores. Large models are another matter: then everything may be.
Where no GPU is to be had, the CPU answers all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import torch

from demo_core.engine.answers import InputError
from demo_core.engine.engine import Engine
from demo_core.engine.serving import Serving
from demo_core.hub import Fetched
from demo_core.zero_gpu import Lend

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)

LONG = frozenset(("lab_curve", "run_benchmark"))
SECONDS = dict.fromkeys(("recommend", "explain", "drop_one", "compare", "why", "lab"), 10)
SECONDS |= {"denoise": 15, "lab_curve": 15, "run_benchmark": 40}
"""Every question that runs a model, and the longest it may have the GPU, the start of CUDA included."""
QUESTIONS = {"long": LONG, "all": frozenset(SECONDS)}


@dataclass(frozen=True)
class Loan:
    """Who lends a GPU, and what for: "long" questions, or "all"."""

    lend: Lend
    purpose: str = "long"

    def __post_init__(self) -> None:
        if self.purpose not in QUESTIONS:
            raise ValueError(f"Expected to borrow a GPU for {' or '.join(QUESTIONS)}, got {self.purpose!r}.")


@dataclass(frozen=True)
class _Refused:
    """An :class:`InputError` on its way back: ``spaces`` gives only the name of an exception."""

    message: str


class BorrowedGPU:
    """The models of ``datasets``, laid out for the GPU that will be lent. Make it before the page listens.

    The two functions that borrow keep the engines in their closures, so that a fork finds them where they were loaded,
    and only the question and the answer are copied.
    """

    def __init__(self, loan: Loan, checkpoints: Path, datasets: Sequence[str], serving: Serving) -> None:
        engines = {name: Engine(checkpoints, name, serving=serving) for name in datasets}

        def answer(dataset: str, question: str, asked: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
            try:
                return getattr(engines[dataset], question)(*asked, **named)
            except InputError as error:
                return _Refused(str(error))

        def parts(dataset: str, question: str, asked: tuple[Any, ...], named: Mapping[str, Any]) -> Iterator[Any]:
            try:
                yield from getattr(engines[dataset], question)(*asked, **named)
            except InputError as error:
                yield _Refused(str(error))

        self.models = {name: _usable(engine) for name, engine in engines.items()}
        self.questions = QUESTIONS[loan.purpose]
        self.answer = loan.lend(duration=_seconds)(answer)
        self.parts = loan.lend(duration=_seconds)(parts)


def _usable(engine: Engine) -> frozenset[str]:
    return frozenset(one.name for one in engine.models() if one.error is None and not one.waiting)


def _seconds(dataset: str, question: str, asked: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    return SECONDS[question]


def _accepted(told: Any) -> Any:
    if isinstance(told, _Refused):
        raise InputError(told.message)
    return told


def _answer(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[BorrowingEngine, P], R]:
    """The same question, asked on the GPU."""

    @wraps(method)
    def asking(engine: BorrowingEngine, /, *asked: P.args, **named: P.kwargs) -> R:
        if not engine.borrows(method.__name__):
            return method(engine, *asked, **named)
        try:
            told: R = _accepted(engine.gpu.answer(engine.dataset, method.__name__, asked, named))
        except InputError:
            raise
        except Exception as error:  # none was free in time, the visitor's share is used up, or it was taken back
            log.warning("No GPU for %s (%s): answered on the CPU.", method.__name__, error)
            return method(engine, *asked, **named)
        return told

    return asking


def _parts(
    method: Callable[Concatenate[Any, P], Iterator[R]],
) -> Callable[Concatenate[BorrowingEngine, P], Iterator[R]]:
    """The same question, whose answer is told part by part, asked on the GPU."""

    @wraps(method)
    def asking(engine: BorrowingEngine, /, *asked: P.args, **named: P.kwargs) -> Iterator[R]:
        if not engine.borrows(method.__name__):
            return method(engine, *asked, **named)
        told = engine.gpu.parts(engine.dataset, method.__name__, asked, named)
        try:
            first: R = _accepted(next(told))
        except InputError:
            raise
        except Exception as error:
            log.warning("No GPU for %s (%s): answered on the CPU.", method.__name__, error)
            return method(engine, *asked, **named)
        return _with_first(first, told)

    return asking


def _with_first(first: R, rest: Iterator[Any]) -> Iterator[R]:
    yield first
    for one in rest:
        told: R = _accepted(one)
        yield told


class BorrowingEngine(Engine):
    """An engine on the CPU that borrows ``gpu`` for some of its questions."""

    def __init__(
        self, checkpoints: Path, dataset: str, gpu: BorrowedGPU, serving: Serving, added: Sequence[Fetched] = ()
    ) -> None:
        super().__init__(checkpoints, dataset, torch.device("cpu"), serving, added)
        self.gpu = gpu

    def borrows(self, question: str) -> bool:
        """Whether it is asked on the GPU: where its purpose is such, and the same models are there as here. What is
        fetched while the page stands comes too late to be laid out for the GPU.
        """
        the_same = not self.waiting and _usable(self) == self.gpu.models[self.dataset]
        return question in self.gpu.questions and the_same

    recommend = _answer(Engine.recommend)
    explain = _answer(Engine.explain)
    drop_one = _answer(Engine.drop_one)
    compare = _answer(Engine.compare)
    why = _answer(Engine.why)
    lab = _answer(Engine.lab)
    lab_curve = _answer(Engine.lab_curve)
    denoise = _parts(Engine.denoise)
    run_benchmark = _parts(Engine.run_benchmark)
