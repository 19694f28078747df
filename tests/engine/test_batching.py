"""Questions that share a batch: the same answers, fewer passes through the model."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from demo_core.engine import Engine, Serving
from demo_core.engine.batching import OneByOne, Together
from demo_core.models.base import Controls, Recommender
from tests.models.test_contract import trained


def window(first: int) -> Tensor:
    return torch.tensor([[0, 0, first, first % 12 + 1, (first + 1) % 12 + 1, (first + 2) % 12 + 1]])


class Slow:
    """Holds a model's first pass until it is let go, and counts the rows of every pass."""

    def __init__(self, model: Recommender, monkeypatch: pytest.MonkeyPatch, fails: bool = False) -> None:
        self.rows: list[int] = []
        self.begun, self.go = threading.Event(), threading.Event()
        original = model.score

        def score(history: Tensor, generator: Generator | None = None, controls: Controls | None = None) -> Tensor:
            self.rows.append(len(history))
            self.begun.set()
            assert self.go.wait(20)
            if fails and len(self.rows) > 1:
                raise ValueError("no scores")
            return original(history, generator, controls)

        monkeypatch.setattr(model, "score", score)


def ask(scorer: Together, model: Recommender, slow: Slow, firsts: range, seed: int = 0) -> list[Tensor]:
    """One question that is being answered while all the others arrive."""
    with ThreadPoolExecutor(len(firsts)) as pool:
        jobs = [pool.submit(scorer.score, model, window(firsts[0]), seed, Controls())]
        assert slow.begun.wait(20)
        jobs += [pool.submit(scorer.score, model, window(first), seed, Controls()) for first in firsts[1:]]
        while scorer.waiting < len(firsts) - 1:
            time.sleep(0.001)
        slow.go.set()
        return [job.result(20) for job in jobs]


@pytest.mark.parametrize("name", ["sasrec", "card", "tdm", "globaldiff"])
def test_questions_that_wait_share_a_batch_and_get_the_answers_they_would_get_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(name)
    alone = [OneByOne().score(model, window(first), 5, Controls()) for first in range(1, 9)]
    slow = Slow(model, monkeypatch)
    together = ask(Together(), model, slow, range(1, 9), seed=5)
    assert slow.rows == [1, 7]
    for one, other in zip(alone, together, strict=True):
        assert torch.allclose(one, other, atol=1e-4, rtol=1e-4)
        assert torch.equal(one.argsort(descending=True), other.argsort(descending=True))


def test_a_batch_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained("popularity")
    slow = Slow(model, monkeypatch)
    scorer = Together(most=3)
    assert len(ask(scorer, model, slow, range(1, 9))) == 8
    assert sum(slow.rows) == 8 and max(slow.rows) == 3


def test_other_noise_is_another_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = trained("popularity")
    slow = Slow(model, monkeypatch)
    slow.go.set()
    scorer = Together()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: scorer.score(model, window(1), seed, Controls()), range(4)))
    assert slow.rows == [1, 1, 1, 1]


def test_everybody_in_a_batch_hears_of_its_error_and_the_next_question_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = trained("popularity")
    slow, scorer = Slow(model, monkeypatch, fails=True), Together()
    with pytest.raises(ValueError, match="no scores"):
        ask(scorer, model, slow, range(1, 5))
    monkeypatch.undo()
    assert scorer.score(model, window(1), 0, Controls()).shape == (13,)


def test_there_is_room_for_one_at_least() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Together(most=0)


def test_an_engine_that_shares_batches_gives_the_same_lists(film_checkpoints: Path) -> None:
    cpu = torch.device("cpu")
    alone = Engine(film_checkpoints, "movielens", cpu)
    together = Engine(film_checkpoints, "movielens", cpu, Serving(together=True))
    histories = [[1, 2, 3], [4, 5], [6], [7, 8, 9, 10], []]
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda history: together.recommend("card", history), histories))
    for history, answer in zip(histories, found, strict=True):
        assert [one.item.id for one in answer.items] == [one.item.id for one in alone.recommend("card", history).items]


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_an_engine_in_half_precision_says_so_under_every_figure(film_checkpoints: Path, precision: str) -> None:
    cpu = torch.device("cpu")
    half = Engine(film_checkpoints, "movielens", cpu, Serving(precision))
    whole = Engine(film_checkpoints, "movielens", cpu).compare([1, 2, 3])
    comparison = half.compare([1, 2, 3])
    told = [line for line in comparison.provenance if "histories keep their 20 best items" in line]
    assert [line.split(" in ")[0] for line in told] == ["TDM", "CARD", "GlobalDiff"]
    assert not any("best items" in line for line in whole.provenance)
    for one, other in zip(whole.lists, comparison.lists, strict=True):
        assert {item.item.id for item in one.items[:3]} & {item.item.id for item in other.items[:5]}


def test_a_precision_that_does_not_exist_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="Expected a precision"):
        Serving("float8")
