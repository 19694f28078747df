"""A measurement writes down what was run, on what, and with which recipe."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from demo_core import measure as measuring
from demo_core.datasets import Dataset, toy_world
from demo_core.evaluation import Reading, evaluate
from demo_core.health import list_health, route_health
from demo_core.measure import Subject, Trial, config_hash, device_name, measure, record
from demo_core.models import create, preset
from demo_core.models.base import Controls, Recommender
from demo_core.perturbation import with_items_deleted
from demo_core.ranks import read_ranks
from demo_core.runs import read_runs
from tests.runs import run_key

SUBJECT = Subject(model="card", preset="default", backbone=None, seed=4, epochs=7, seconds_per_epoch=1.23456)


@pytest.fixture(scope="module")
def card() -> Recommender:
    return create("card", preset("card", "default", "toy", 12).override("embedding_dim=8"), seed=0).eval()


def test_a_run_carries_the_metrics_of_every_row_and_where_they_come_from(card: Recommender, toy: Dataset) -> None:
    run = measure(card, toy, "test", SUBJECT).run
    assert run.metrics == evaluate(card, toy.test, toy.protocol).metrics()
    assert (run.rows, run.split, run.dataset, run.protocol) == (len(toy.test), "test", "toy", toy.protocol.name)
    assert (run.data_hash, run.seed, run.epochs, run.seconds_per_epoch) == (toy.hash, 4, 7, 1.235)
    assert run.inference_seconds > 0
    assert run.peak_memory_mb > 50
    assert run.parameters == sum(parameter.numel() for parameter in card.parameters())


def test_a_run_holds_no_training_seconds_of_another_device(card: Recommender, toy: Dataset) -> None:
    trained = {name: dataclasses.replace(SUBJECT, trained_on=name) for name in ("CPU", "CUDA: X")}
    seconds = {name: measure(card, toy, "test", one).run.seconds_per_epoch for name, one in trained.items()}
    assert seconds == {"CPU": 1.235, "CUDA: X": 0.0}


def test_the_split_decides_which_rows_are_scored(card: Recommender, toy: Dataset) -> None:
    run = measure(card, toy, "validation", SUBJECT).run
    assert run.metrics == evaluate(card, toy.validation, toy.protocol).metrics()


def test_the_evenness_histogram_is_that_of_the_training_histories(card: Recommender, toy: Dataset) -> None:
    histogram = measure(card, toy, "test", SUBJECT).run.health["evenness_histogram"]
    assert isinstance(histogram, dict)
    lengths = toy.train.target_at - toy.train.start
    assert sum(histogram["counts"]) == int((lengths >= 3).sum())


def test_the_recipe_hash_changes_with_a_setting_and_not_with_the_weights(card: Recommender) -> None:
    same = create("card", card.config, seed=1)
    other = create("card", card.config.override("dropout=0.4"), seed=0)
    assert config_hash(card) == config_hash(same)
    assert config_hash(card) != config_hash(other)


def test_models_with_equal_settings_have_different_recipe_hashes() -> None:
    popularity, repeat = (create(name, preset(name, "default", "toy", 12), 0) for name in ("popularity", "repeat_last"))
    assert popularity.config.to_dict() == repeat.config.to_dict()
    assert config_hash(popularity) != config_hash(repeat)


def test_without_git_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert measuring.current_commit() == "unknown"


def test_the_cpu_is_called_cpu() -> None:
    assert device_name(torch.device("cpu")) == "CPU"


def test_trials_are_averaged_and_their_ranks_kept(card: Recommender, toy: Dataset) -> None:
    trials = [Trial(with_items_deleted(toy.test, 0.5, seed), seen=toy.test) for seed in (0, 1)]
    measurement = measure(card, toy, "test", SUBJECT, trials)
    single = [evaluate(card, t.rows, toy.protocol, seen=toy.test) for t in trials]
    assert torch.equal(measurement.ranks, torch.stack([one.ranks for one in single]))
    mean = sum(one.metrics()["ndcg@10"] for one in single) / 2
    assert measurement.run.metrics["ndcg@10"] == pytest.approx(mean)


def test_a_trial_is_scored_as_it_asks(card: Recommender, toy: Dataset) -> None:
    stronger = Trial(toy.test, controls=Controls(guidance_strength=4.0))
    measured = measure(card, toy, "test", SUBJECT, [Trial(toy.test), stronger]).ranks
    expected = evaluate(card, toy.test, toy.protocol, controls=stronger.controls).ranks
    assert torch.equal(measured[1], expected) and not torch.equal(measured[0], expected)


def test_the_health_of_the_lists_is_that_of_the_first_trial_beside_the_training_targets() -> None:
    """A catalogue of more items than a list holds."""
    world = toy_world(num_items=60)
    card = create("card", preset("card", "default", "toy", 60).override("embedding_dim=8"), seed=0).eval()
    counts = world.train.target_counts(60)
    first, second = Trial(world.test), Trial(with_items_deleted(world.test, 0.9, 0), seen=world.test)
    health = measure(card, world, "test", SUBJECT, [first, second]).run.health
    assert health == list_health(evaluate(card, world.test, world.protocol), counts)
    assert health != list_health(evaluate(card, second.rows, world.protocol, seen=world.test), counts)
    assert health != list_health(evaluate(card, world.test, world.protocol), world.test.target_counts(60))


def test_the_routes_of_a_run_are_those_of_the_rows_that_are_scored(card: Recommender, toy: Dataset) -> None:
    health = measure(card, toy, "test", SUBJECT).run.health
    scored, trained = (route_health(card, rows, torch.device("cpu")) for rows in (toy.test, toy.train))
    for figure in ("turning_share", "stable_share", "unrouted_share"):
        assert health[figure] == scored[figure]
    assert scored["unrouted_share"] != trained["unrouted_share"]


def test_a_recorded_measurement_leaves_a_run_and_its_ranks(card: Recommender, toy: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    measurement = measure(card, toy, "test", SUBJECT)
    record(measurement, toy.test, file)
    assert read_runs(file) == [measurement.run]
    kept = read_ranks(tmp_path / "ranks.jsonl").of(run_key(measurement.run))
    assert kept is not None and torch.equal(kept.ranks[4], measurement.ranks.clamp(max=51))


def test_ranks_of_a_part_of_the_rows_are_not_kept(card: Recommender, toy: Dataset, tmp_path: Path) -> None:
    trial = Trial(toy.test, reading=Reading(complete_batches_of=64))
    measurement = measure(card, toy, "test", SUBJECT, [trial])
    assert measurement.run.rows == len(toy.test) // 64 * 64
    record(measurement, toy.test, tmp_path / "measured.jsonl")
    assert not (tmp_path / "ranks.jsonl").exists()
