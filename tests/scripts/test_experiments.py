"""The list of experiments can be run as it stands: every line is understood, and every job has valid settings."""

import sys

import pytest

from scripts import benchmark, experiments
from scripts.experiments import EXPERIMENTS

LINES = [line for _, lines in EXPERIMENTS.values() for line in lines]


@pytest.mark.parametrize("line", LINES)
def test_every_line_is_one_that_the_grid_understands(line: str) -> None:
    made = benchmark.jobs(benchmark.parser().parse_args(line.split()))
    assert made
    for job in made:
        config = job.config(num_items=50)
        assert config.num_items == 50 and len({job.title for job in made}) == len(made), "no job twice"


def test_only_what_is_named_is_run_and_options_are_passed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: list[list[str]] = []

    def all_but_the_second(words: list[str]) -> bool:
        run.append(words)
        return len(run) != 2

    monkeypatch.setattr(benchmark, "main", all_but_the_second)
    monkeypatch.setattr(sys, "argv", ["experiments", "honesty", "--threads", "1", "--missing"])
    assert not experiments.main(), "the second line lacked a data set"
    assert run == [[*line.split(), "--threads", "1", "--missing"] for line in EXPERIMENTS["honesty"][1]]
    assert "honesty: PER against" in capsys.readouterr().out


def test_the_list_runs_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(benchmark, "main", lambda words: pytest.fail("ran"))
    monkeypatch.setattr(sys, "argv", ["experiments", "--list"])
    experiments.main()
    told = capsys.readouterr().out
    assert all(f"python -m scripts.benchmark {line}" in told for line in LINES)
