"""The list of experiments can be run as it stands: every line is understood, and every job has valid settings."""

import sys
from pathlib import Path

import pytest

from demo_core.models import BASELINES
from demo_core.results import collect
from scripts import benchmark, experiments
from scripts.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[2]
BACKBONES = {"adaranker": "sasrec", "pdrec": "sasrec"}  # these bring it along
LINES = [line for _, lines in EXPERIMENTS.values() for line in lines]


@pytest.mark.parametrize("line", LINES)
def test_every_line_is_one_that_the_grid_understands(line: str) -> None:
    made = benchmark.jobs(benchmark.parser().parse_args(line.split()))
    assert made
    for job in made:
        config = job.config(num_items=50)
        assert config.num_items == 50 and len({job.title for job in made}) == len(made), "no job twice"


def test_whatever_was_measured_on_test_is_an_experiment_that_can_be_run_again() -> None:
    listed = {
        (job.model, job.preset, job.dataset, job.seed, job.backbone or BACKBONES.get(job.model), job.protocol)
        for line in LINES
        if not (asked := benchmark.parser().parse_args(line.split())).validation_only
        for job in benchmark.jobs(asked)
    }
    for run in collect(ROOT / "checkpoints").runs:
        protocol = "long-term" if run.protocol == "long-term" else None
        seed = 0 if run.model in BASELINES else run.seed
        if run.split == "test" and run.variant is None:
            assert (run.model, run.preset, run.dataset, seed, run.backbone, protocol) in listed


def test_only_what_is_named_is_run_and_options_are_passed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: list[list[str]] = []

    def all_but_the_second(words: list[str]) -> bool:
        run.append(words)
        return len(run) != 2

    monkeypatch.setattr(benchmark, "main", all_but_the_second)
    monkeypatch.setattr(sys, "argv", ["experiments", "honesty", "--threads", "1", "--missing"])
    assert not experiments.main(), "the second line lacked a data set, or one of its jobs failed"
    assert run == [[*line.split(), "--threads", "1", "--missing"] for line in EXPERIMENTS["honesty"][1]]
    assert "honesty: PER against" in capsys.readouterr().out


def test_the_list_runs_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(benchmark, "main", lambda words: pytest.fail("ran"))
    monkeypatch.setattr(sys, "argv", ["experiments", "--list"])
    experiments.main()
    told = capsys.readouterr().out
    assert all(f"python -m scripts.benchmark {line}" in told for line in LINES)


def test_an_experiment_that_there_is_not_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "main", lambda words: pytest.fail("ran"))
    monkeypatch.setattr(sys, "argv", ["experiments", "honesty", "nonsense"])
    with pytest.raises(SystemExit):
        experiments.main()
    assert "expected experiments out of card-table-1, globaldiff," in (told := capsys.readouterr().err)
    assert "got nonsense" in told


def test_what_is_only_tried_stays_apart_from_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[list[str]] = []

    def keep(words: list[str]) -> bool:
        run.append(words)
        return True

    monkeypatch.setattr(benchmark, "main", keep)
    monkeypatch.setattr(sys, "argv", ["experiments", "systems-tuning", "long-term", "--file", "mine/measured.jsonl"])
    experiments.main()
    asked = [benchmark.parser().parse_args(words) for words in run]
    assert {(one.validation_only, one.file) for one in asked} == {
        (True, Path("mine/tuning.jsonl")),
        (False, Path("mine/measured.jsonl")),
    }
