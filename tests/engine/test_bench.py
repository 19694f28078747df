"""A benchmark of one's own, against ranks taken one by one."""

import math
import statistics
from pathlib import Path

import pytest
import torch

from demo_core import checkpoint
from demo_core.engine import Engine
from demo_core.engine.answers import InputError
from demo_core.engine.bench import person_value
from demo_core.engine.lab import Subject


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


@pytest.mark.parametrize("metric", ["ndcg@10", "hr@20"])
def test_the_last_message_is_the_mean_over_all_people(engine: Engine, metric: str) -> None:
    last = list(engine.run_benchmark(("tdm", "popularity"), metric=metric))[-1]
    people = engine.people()
    assert last.done == last.total == len(people)
    for at, name in enumerate(("tdm", "popularity")):
        values = []
        for number, person in enumerate(people, start=1):
            rank = engine.compare(person.history, (name,), seed=number, truth=person.truth).lists[0].truth_rank
            hit, gain = (0.0, 0.0) if rank is None else (float(rank <= 20), 1 / math.log2(rank + 1) * (rank <= 10))
            values.append(gain if metric == "ndcg@10" else hit)
        assert last.rows[at].mean == pytest.approx(statistics.fmean(values))
        assert last.rows[at].standard_error == pytest.approx(statistics.stdev(values) / math.sqrt(len(values)))


def test_messages_come_every_ten_people_and_the_same_wishes_give_the_same_figures(engine: Engine) -> None:
    first, second = (list(engine.run_benchmark(("card",), lost=0.3, seed=4)) for _ in range(2))
    assert [one.done for one in first[:-1]] == list(range(10, first[-1].total, 10))
    assert [row.mean for one in first for row in one.rows] == [row.mean for one in second for row in one.rows]
    assert first[-1].provenance and first[-1].lost == 0.3


def test_slices_divide_the_people(engine: Engine) -> None:
    assert len(engine.people("short")) + len(engine.people("long")) == len(engine.people())
    rare = engine.people("rare")
    assert all(engine.item(person.truth or 0).popularity <= 2 for person in rare)


def test_a_next_item_that_was_seen_before_is_a_miss_as_in_every_other_evaluation(film_checkpoints: Path) -> None:
    bundle = checkpoint.load(film_checkpoints / "movielens" / "popularity")
    repeated, new = (Subject((1, 2, 3), truth) for truth in (2, 4))
    device = torch.device("cpu")
    assert person_value(bundle, repeated, "hr@50", 0.0, 0, device) == 0.0
    assert person_value(bundle, new, "hr@50", 0.0, 0, device) == 1.0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"slice": "tall"}, "the slice to be one of all, short, long, rare, got 'tall'"),
        ({"metric": "mrr"}, "the metric to be one of hr@10"),
        ({"lost": 0.9}, "the share from 0 to 0.6"),
        ({"models": ()}, "Expected 1 to 8 models"),
        ({"seed": -1}, "the seed to be a whole number"),
    ],
)
def test_bad_wishes_are_refused_before_anything_runs(engine: Engine, asked: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        engine.run_benchmark(**asked)  # type: ignore[arg-type]


def test_a_model_named_twice_counts_once(engine: Engine) -> None:
    once, twice = (list(engine.run_benchmark(names))[-1] for names in (("popularity",), ("popularity", "popularity")))
    assert once.rows[0].standard_error == twice.rows[0].standard_error and len(twice.rows) == 1
