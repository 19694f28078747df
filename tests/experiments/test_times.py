from __future__ import annotations

import pytest

from demo_core.experiments.times import SCORING, TRAINING, running_times, timings
from demo_core.results import read_published, summarise
from tests.runs import run


def test_times_are_means_over_seeds_of_one_device() -> None:
    runs = [
        run(seed=0, seconds_per_epoch=3.0, inference_seconds=1.0),
        run(seed=1, seconds_per_epoch=5.0, inference_seconds=2.0),
        run(seed=2, seconds_per_epoch=0.4, inference_seconds=0.1, device="CUDA: X"),
    ]
    found = {(r.metric, r.device): (r.mean, r.sd, r.n) for r in running_times(runs)}
    assert found[TRAINING, "CPU"] == pytest.approx((4.0, 2**0.5, 2))
    assert found[SCORING, "CPU"] == pytest.approx((1.5, 0.5**0.5, 2))
    assert found[TRAINING, "CUDA: X"] == (0.4, None, 1)


def test_runs_of_an_older_recipe_do_not_count() -> None:
    runs = [
        run(seed=0, seconds_per_epoch=90.0, config_hash="old", date="2025-01-01"),
        run(seed=1, seconds_per_epoch=5.0),
    ]
    assert [(r.mean, r.n) for r in running_times(runs) if r.metric == TRAINING] == [(5.0, 1)]


def test_what_an_older_recipe_took_on_another_device_does_not_count() -> None:
    runs = [
        run(seed=0, seconds_per_epoch=0.4, config_hash="old", date="2025-01-01", device="CUDA: X"),
        run(seed=1, seconds_per_epoch=5.0),
    ]
    assert [(r.device, r.mean) for r in running_times(runs) if r.metric == TRAINING] == [("CPU", 5.0)]


def test_accuracy_may_be_of_two_devices_and_names_both() -> None:
    runs = [run(hr=0.02), run(hr=0.04, seed=1, device="CUDA: X")]
    (hits,) = [result for result in summarise(runs) if result.metric == "hr@20"]
    assert hits.mean == pytest.approx(0.03)
    assert (hits.n, hits.device) == (2, "CPU and CUDA: X")
    assert hits.origin.endswith(", CPU and CUDA: X")
    assert {(r.device, r.n) for r in running_times(runs)} == {("CPU", 1), ("CUDA: X", 1)}


def test_what_is_only_counted_has_no_training_epoch() -> None:
    found = running_times([run("popularity", seconds_per_epoch=0.0)])
    assert [result.metric for result in found] == [SCORING]


def test_printed_times_stand_first_with_their_device() -> None:
    printed = [r for r in read_published() if r.dataset == "zhihu" and r.metric.endswith("_seconds")]
    ours = running_times(
        [run("card", seconds_per_epoch=4.0, inference_seconds=1.5), run("popularity", seconds_per_epoch=0)]
    )
    found = timings([*printed, *ours])
    card = [timing for timing in found if timing.row.result.model == "card"]
    assert [(timing.row.source, timing.device) for timing in card] == [("published", "RTX 4090"), ("default", "CPU")]
    assert card[0].training is not None and card[0].training.mean == 13
    assert card[1].scoring is not None and card[1].scoring.mean == 1.5
    assert (found[-1].row.result.model, found[-1].training) == ("popularity", None)


def test_variants_are_not_in_the_table_of_times() -> None:
    assert timings(running_times([run(variant="steps=5")])) == []
