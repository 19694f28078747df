"""The grid: nothing is done twice, nothing is lost, and a change of code or settings is noticed."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from demo_core import grid as grids
from demo_core import work_folder
from demo_core.datasets import assemble, toy_sequences
from demo_core.foresight import foresight
from demo_core.grid import Grid
from demo_core.job import Job
from demo_core.measure import RANKS, Measurement
from demo_core.models import preset
from demo_core.ranks import read_ranks
from demo_core.runs import read_runs
from demo_core.trials import EXTRAS
from tests.runs import run_key

SMALL = ("embedding_dim=8", "max_length=4", "max_epochs=2", "rows_per_epoch=128")
JOB = Job("tdm", "default", "toy", seed=0, settings=(*SMALL, "layers=1"))


def code_is(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    """The code ``now``; that of every commit is "same"."""
    for module in (grids, work_folder):
        monkeypatch.setattr(module, "code_version", lambda module, commit=None: "same" if commit else now)


@pytest.fixture(autouse=True)
def clean_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs as if every file were committed: whether they are is git's business, not the grid's."""
    code_is(monkeypatch, "same")


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def grid(tmp_path: Path, lines: list[str]) -> Grid:
    return Grid(tmp_path / "measured.jsonl", tmp_path / "work", show=lines.append)


def test_a_job_is_trained_and_measured_on_both_splits(grid: Grid) -> None:
    grid.run([JOB])
    runs = read_runs(grid.file)
    assert [run.split for run in runs] == ["validation", "test"]
    assert all(run.epochs == 2 and run.seconds_per_epoch > 0 and run.peak_memory_mb > 0 for run in runs)


def test_what_is_measured_is_not_done_again(grid: Grid, lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    grid.run([JOB])
    before = grid.file.read_text()
    monkeypatch.setattr(work_folder, "fit", lambda *a, **k: pytest.fail("trained again"))
    grid.run([JOB])
    assert grid.file.read_text() == before
    assert any("already measured" in line for line in lines)


def test_what_is_missing_is_told_and_nothing_is_trained_for_it(grid: Grid) -> None:
    steps = EXTRAS["steps"]()[:2]
    names = [extra.variant for extra in steps]
    other = dataclasses.replace(JOB, seed=1)
    grid.run([JOB], steps[:1])
    before = sorted(grid.work.iterdir())
    assert list(grid.lacking([JOB, other], steps)) == [(JOB, names[1:]), (other, [None, *names])]
    assert sorted(grid.work.iterdir()) == before
    changed = dataclasses.replace(JOB, settings=(*SMALL, "layers=2"))
    assert list(grid.lacking([changed])) == [(changed, [None])], "another recipe is another job"


def test_further_measurements_use_the_weights_that_are_there(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    grid.run([JOB])
    monkeypatch.setattr(work_folder, "fit", lambda *a, **k: pytest.fail("trained again"))
    grid.run([JOB], EXTRAS["missing"]())
    variants = [run.variant for run in read_runs(grid.file)]
    assert variants == [None, None, "deleted=0.1", "deleted=0.2", "deleted=0.3", "deleted=0.5"]


def test_what_is_measured_of_a_changed_model_does_not_pass_for_the_unchanged_one(grid: Grid) -> None:
    changed = Job("card", "default", "toy", 0, variant="no_routing", settings=(*SMALL, "layers=1"))
    grid.run([changed], EXTRAS["missing"]()[:1])
    assert [run.variant for run in read_runs(grid.file)] == ["no_routing", "no_routing", "no_routing/deleted=0.1"]
    grid.run([dataclasses.replace(changed, variant=None)], EXTRAS["missing"]()[:1])
    assert [run.variant for run in read_runs(grid.file)][3:] == [None, None, "deleted=0.1"]


def test_an_interrupted_grid_goes_on_where_it_stopped(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [JOB, Job("popularity", "default", "toy", 0)]
    monkeypatch.setattr(grids, "measure", _fails_at(3, grids.measure))
    with pytest.raises(KeyboardInterrupt):
        grid.run(jobs)
    assert [(run.model, run.split) for run in read_runs(grid.file)] == [("tdm", "validation"), ("tdm", "test")]
    monkeypatch.undo()
    code_is(monkeypatch, "same")
    grid.run(jobs)
    assert [run.model for run in read_runs(grid.file)] == ["tdm", "tdm", "popularity", "popularity"]


def test_a_line_cut_off_by_a_crash_is_measured_again(grid: Grid) -> None:
    grid.run([JOB])
    whole = grid.file.read_text()
    grid.file.write_text(whole[:-40])
    grid.run([JOB])
    runs = read_runs(grid.file)
    assert [run.split for run in runs] == ["validation", "validation", "test"]
    assert all(json.loads(line) for line in grid.file.read_text().splitlines())


def test_ranks_cut_off_by_a_crash_stop_nothing(grid: Grid) -> None:
    """Ranks are written before their run, so that a crash between the two costs one measurement and no more."""
    ranks = grid.file.with_name(RANKS)
    grid.run([JOB])
    ranks.write_bytes(ranks.read_bytes()[:-40])
    grid.file.write_text("".join(grid.file.read_text().splitlines(keepends=True)[:-1]))
    grid.run([JOB])
    test_run = read_runs(grid.file)[-1]
    kept = read_ranks(ranks).of(run_key(test_run))
    assert test_run.split == "test" and kept is not None and list(kept.ranks) == [JOB.seed]


def test_changed_settings_or_code_are_trained_again(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    grid.run([JOB])
    grid.run([Job("tdm", "default", "toy", 0, settings=(*JOB.settings, "dropout=0.4"))])
    assert len(read_runs(grid.file)) == 4
    code_is(monkeypatch, "other")
    grid.run([JOB])
    assert len(read_runs(grid.file)) == 6


def test_globaldiff_stands_on_the_backbone_of_the_same_seed(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    small = lambda *which: preset(*which).override("embedding_dim=8", "max_epochs=1")  # noqa: E731
    monkeypatch.setattr("demo_core.job.preset", small)
    under = Job("sasrec", "default", "toy", seed=3)
    over = Job("globaldiff", "default", "toy", seed=3, backbone="sasrec", settings=("max_epochs=1", "hidden_dim=8"))
    grid.run([over])
    (run,) = [run for run in read_runs(grid.file) if run.split == "test"]
    assert (run.model, run.backbone) == ("globaldiff", "sasrec")
    assert (grid.work / under.folder / "model.safetensors").is_file()


def test_a_training_on_another_device_lends_its_weights_and_not_its_seconds(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid.run([JOB])
    monkeypatch.setattr(work_folder, "fit", lambda *a, **k: pytest.fail("trained again"))
    folder = grid.work / JOB.folder
    config = json.loads((folder / "config.json").read_text())
    assert config["training"]["device"] == read_runs(grid.file)[0].device
    config["training"]["device"] = "CUDA: X"
    (folder / "config.json").write_text(json.dumps(config))
    grid.run([JOB], EXTRAS["missing"]()[:1])
    assert [run.seconds_per_epoch > 0 for run in read_runs(grid.file)] == [True, True, False]


def test_a_job_that_another_process_has_is_left_to_it(grid: Grid, lines: list[str]) -> None:
    folder = grid.work / JOB.folder
    folder.parent.mkdir(parents=True)
    with FileLock(folder.with_suffix(".lock")):
        grid.run([JOB])
    assert not grid.file.exists()
    assert any("another process" in line for line in lines)


def test_settings_can_be_chosen_without_looking_at_the_test(grid: Grid) -> None:
    blind = Grid(grid.file, grid.work, splits=("validation",), show=grid.show)
    blind.run([JOB])
    blind.run([JOB])
    assert [run.split for run in read_runs(grid.file)] == ["validation"]


def test_what_is_measured_on_test_is_refused_where_that_is_left_alone(grid: Grid) -> None:
    blind = Grid(grid.file, grid.work, splits=("validation",), show=grid.show)
    extras = EXTRAS["missing"]()[:1]
    for start in (blind.run, lambda jobs, extras: list(blind.lacking(jobs, extras))):
        with pytest.raises(ValueError, match=r"Expected test among the splits for deleted=0\.1.*got validation\."):
            start([JOB], extras)
    assert not grid.file.exists() and not grid.work.exists()


def test_a_job_that_fails_says_why_and_the_others_are_done(grid: Grid, lines: list[str]) -> None:
    wild = dataclasses.replace(JOB, settings=(*JOB.settings, "learning_rate=1e30"))
    assert grid.run([wild, JOB]) == [wild]
    assert [run.split for run in read_runs(grid.file)] == ["validation", "test"]
    assert any("failed: evaluate: 200 of 200 rows have NaN or infinite scores" in line for line in lines)
    assert grid.run([JOB]) == []


def _fails_at(number: int, function: Callable[..., Measurement]) -> Callable[..., Measurement]:
    """``function`` until its call ``number``, which is interrupted as Ctrl-C would."""
    calls = iter(range(1, 1000))

    def called(*arguments: Any, **named: Any) -> Measurement:
        if next(calls) == number:
            raise KeyboardInterrupt
        return function(*arguments, **named)

    return called


def test_long_term_jobs_stand_beside_the_others_and_look_four_items_ahead(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = toy_sequences()
    long = dataclasses.replace(known, items=tuple(items * 3 for items in known.items))
    monkeypatch.setattr(grids.datasets, "load", lambda name, folder, protocol: assemble(name, long, protocol))
    far = dataclasses.replace(JOB, protocol="long-term")
    grid.run([JOB, far], foresight())
    runs = read_runs(grid.file)
    assert {run.variant for run in runs if run.protocol == "leave-one-out-full"} == {None}, "only where it applies"
    ahead = [run for run in runs if run.protocol == "long-term" and run.variant is not None]
    assert [run.variant for run in ahead] == [f"{mode}={n}" for mode in ("direct", "rollout") for n in (1, 2, 3, 4)]
    plain = next(run for run in runs if (run.protocol, run.split, run.variant) == ("long-term", "test", None))
    assert ahead[0].metrics == plain.metrics == ahead[4].metrics, "one step ahead is the plain test, either way"
    assert len({json.dumps(run.metrics) for run in ahead}) > 2


def test_a_backbone_is_trained_on_the_same_split(grid: Grid) -> None:
    job = Job("knn_average", "default", "toy", 0, backbone="sasrec", protocol="long-term")
    assert job.under("sasrec", 0) == Job("sasrec", "default", "toy", 0, protocol="long-term")
    assert "long-term" in job.title
