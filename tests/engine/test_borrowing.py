"""Questions on a GPU that is lent: they are asked in another process, and answered as at home."""

from __future__ import annotations

import dataclasses
import inspect
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from demo_core import checkpoint
from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.bench_engine import BenchEngine
from demo_core.engine.borrowing import SECONDS, BorrowedGPU, BorrowingEngine, Loan
from demo_core.engine.denoise_engine import DenoiseEngine
from demo_core.engine.explore_engine import ExploreEngine
from demo_core.engine.lab_engine import LabEngine
from demo_core.engine.serving import Serving
from demo_core.ui import create_app
from demo_core.zero_gpu import Lend
from tests.engine.forked_gpu import ForkedGPU

HISTORY = [1, 3, 5, 7]
TAKES_TIME = {"milliseconds", "provenance"}
QUESTIONS: dict[str, Callable[[Engine], Any]] = {
    "recommend": lambda engine: engine.recommend("card", HISTORY, seed=2),
    "explain": lambda engine: engine.explain(HISTORY, threshold=0.4),
    "drop_one": lambda engine: engine.drop_one(HISTORY, truth=9),
    "compare": lambda engine: engine.compare(HISTORY, ["tdm", "popularity"], truth=9, off=[2]),
    "why": lambda engine: engine.why(9, HISTORY),
    "lab": lambda engine: engine.lab(HISTORY, "added", 0.5),
    "lab_curve": lambda engine: engine.lab_curve(HISTORY, "lost", 0.3, people=True),
    "denoise": lambda engine: list(engine.denoise(HISTORY, steps=3)),
    "run_benchmark": lambda engine: list(engine.run_benchmark(["card", "popularity"], lost=0.2)),
}


@pytest.fixture(scope="module")
def home(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, device=torch.device("cpu"))


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> ForkedGPU:
    return ForkedGPU(tmp_path_factory.mktemp("lender") / "lent.txt")


@pytest.fixture
def gpu(lender: ForkedGPU) -> ForkedGPU:
    """Nothing was lent so far."""
    lender.forget()
    return lender


@pytest.fixture(scope="module")
def borrower(film_checkpoints: Path, lender: ForkedGPU) -> Engine:
    """It borrows for everything."""
    return borrowing(film_checkpoints, lender)


def borrowing(checkpoints: Path, lend: Lend, purpose: str = "all") -> Engine:
    return Shelf(checkpoints, loan=Loan(lend, purpose)).engine()


def without_times(told: Any) -> Any:
    """Plain values, without what differs from one run to the next."""
    if dataclasses.is_dataclass(told) and not isinstance(told, type):
        told = dataclasses.asdict(told)
    if isinstance(told, dict):
        return {name: without_times(value) for name, value in told.items() if name not in TAKES_TIME}
    return [without_times(one) for one in told] if isinstance(told, list | tuple) else told


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_borrowed_answer_is_the_one_given_at_home(name: str, home: Engine, borrower: Engine, gpu: ForkedGPU) -> None:
    told = QUESTIONS[name](borrower)
    assert without_times(told) == without_times(QUESTIONS[name](home))
    ((process, question, seconds),) = gpu.lent()
    assert (question, seconds) == (name, SECONDS[name])
    assert process != os.getpid()


def test_without_another_wish_only_long_questions_are_borrowed_for(film_checkpoints: Path, gpu: ForkedGPU) -> None:
    engine = Shelf(film_checkpoints, loan=Loan(gpu)).engine()
    for ask in QUESTIONS.values():
        ask(engine)
    assert {question for _, question, _ in gpu.lent()} == {"lab_curve", "run_benchmark"}


def test_every_question_that_runs_a_model_can_be_borrowed_for() -> None:
    kinds = (ExploreEngine, DenoiseEngine, LabEngine, BenchEngine)
    asked = {
        name
        for kind in kinds
        for name, one in vars(kind).items()
        if inspect.isfunction(one) and not name.startswith("_")
    }
    assert asked - {"people", "reading"} == set(SECONDS) == set(QUESTIONS)
    for name in SECONDS:
        assert name in vars(BorrowingEngine), name
        assert inspect.signature(getattr(BorrowingEngine, name)) == inspect.signature(getattr(Engine, name))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda engine: engine.recommend("card", [99]), r"Expected film ids from 1 to 16, got 99\."),
        (lambda engine: engine.lab_curve(HISTORY, "found", 0.3), r"Expected items to be one of lost, added"),
        (lambda engine: engine.denoise([99]), r"Expected film ids from 1 to 16, got 99\."),
        (lambda engine: engine.run_benchmark(metric="luck"), r"Expected the metric to be one of"),
    ],
)
def test_what_is_refused_comes_back_with_its_message_and_is_not_asked_again(
    ask: Callable[[Engine], object], message: str, borrower: Engine, gpu: ForkedGPU
) -> None:
    with pytest.raises(InputError, match=message):
        ask(borrower)
    assert len(gpu.lent()) == 1


def none_left(*, duration: Callable[..., int]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates as a lender whose GPUs are all out."""

    def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
        def told(*asked: Any) -> Iterator[Any]:
            if asked:
                raise RuntimeError("quota exceeded")
            yield

        return told if inspect.isgeneratorfunction(task) else lambda *asked: next(told(*asked))

    return decorate


def test_where_no_gpu_is_to_be_had_the_cpu_answers(
    home: Engine, film_checkpoints: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = borrowing(film_checkpoints, none_left)
    for name, ask in QUESTIONS.items():
        assert without_times(ask(engine)) == without_times(ask(home)), name
    assert caplog.messages == [f"No GPU for {name} (quota exceeded): answered on the CPU." for name in QUESTIONS]


def taken_back(*, duration: Callable[..., int]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates as a lender who takes the GPU back after the first part."""

    def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
        def parts(*asked: Any) -> Iterator[Any]:
            yield next(iter(task(*asked)))
            raise RuntimeError("GPU task aborted")

        return parts

    return decorate


def test_a_gpu_that_is_taken_back_midway_ends_the_stream_with_the_reason(film_checkpoints: Path) -> None:
    told = borrowing(film_checkpoints, taken_back).denoise(HISTORY)
    next(told)
    with pytest.raises(RuntimeError, match="GPU task aborted"):
        next(told)


def test_a_visitor_who_leaves_gives_the_gpu_back(film_checkpoints: Path) -> None:
    ended = []

    def watched(*, duration: Callable[..., int]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
            def parts(*asked: Any) -> Iterator[Any]:
                try:
                    yield from task(*asked)
                finally:
                    ended.append(asked[1])

            return parts

        return decorate

    told = borrowing(film_checkpoints, watched).denoise(HISTORY)
    next(told)
    assert not ended
    told.close()  # type: ignore[attr-defined]  # as the page does with a generator that nobody reads any more
    assert ended == ["denoise"]


def test_the_page_is_built_without_borrowing(film_checkpoints: Path, gpu: ForkedGPU) -> None:
    engine = borrowing(film_checkpoints, gpu)
    create_app(Shelf(film_checkpoints, loan=Loan(gpu, "all"))).close()
    assert engine.search("alien").suggestions and engine.device == "CPU"
    assert not gpu.lent()


def test_other_data_sets_are_borrowed_for_when_they_are_public_and_stay_at_home_when_somebody_brought_them(
    film_checkpoints: Path, gpu: ForkedGPU, tmp_path: Path
) -> None:
    checkpoints = tmp_path / "checkpoints"
    shutil.copytree(film_checkpoints / "movielens", checkpoints / "movielens")
    for name in ("zhihu", "own-evenings"):
        bundle = checkpoint.load(checkpoints / "movielens" / "popularity")
        checkpoint.save(replace(bundle, dataset=name), checkpoints / name / "popularity")
    shelf = Shelf(checkpoints, loan=Loan(gpu, "all"))
    for name in ("movielens", "zhihu", "own-evenings"):
        assert len(shelf.engine(name).recommend("popularity", HISTORY).items) == 10
    assert len(gpu.lent()) == 2


def test_with_a_model_that_came_after_the_start_the_cpu_answers(
    film_checkpoints: Path, gpu: ForkedGPU, tmp_path: Path
) -> None:
    checkpoints = tmp_path / "checkpoints"
    for name in ("card", "popularity"):
        shutil.copytree(film_checkpoints / "movielens" / name, checkpoints / "movielens" / name)
    lent = BorrowedGPU(Loan(gpu, "all"), checkpoints, ["movielens"], Serving())
    shutil.copytree(film_checkpoints / "movielens" / "tdm", checkpoints / "movielens" / "tdm")
    engine = BorrowingEngine(checkpoints, "movielens", lent, Serving())
    assert len(engine.recommend("tdm", HISTORY).items) == len(engine.recommend("card", HISTORY).items) == 10
    assert not gpu.lent()


def test_an_unknown_purpose_is_refused(gpu: ForkedGPU) -> None:
    with pytest.raises(ValueError, match="Expected to borrow a GPU for long or all, got 'some'"):
        Loan(gpu, "some")
