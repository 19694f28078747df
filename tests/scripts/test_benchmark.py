"""From the grid's command line to a comparison of what it measured."""

import sys
from pathlib import Path

import pytest

from demo_core.measure import RANKS
from demo_core.runs import read_runs
from scripts import benchmark, compare

SMALL = ("embedding_dim=8", "max_length=4", "max_epochs=1", "rows_per_epoch=128")


def run(module: object, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["script", *map(str, arguments)])
    module.main()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    with pytest.MonkeyPatch.context() as patch:
        small = [part for setting in SMALL for part in ("--set", setting)]
        places = ["--file", folder / "measured.jsonl", "--work", folder / "work"]
        models = ["--models", "popularity", "sasrec", "--datasets", "toy", "--seeds", "0-1"]
        run(benchmark, patch, *models, "--extras", "missing", *small, *places)
    return folder


def test_a_grid_measures_every_model_seed_and_extra(measured: Path) -> None:
    runs = [r for r in read_runs(measured / "measured.jsonl") if r.split == "test"]
    assert {(r.model, r.seed) for r in runs} == {(m, s) for m in ("popularity", "sasrec") for s in (0, 1)}
    variants = {None, "deleted=0.1", "deleted=0.2", "deleted=0.3", "deleted=0.5"}
    assert {r.variant for r in runs if r.model == "sasrec"} == variants
    assert (measured / RANKS).exists()


def test_what_is_not_measured_yet_is_said(
    measured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("demo_core.grid.code_version", lambda module, commit=None: "same")
    small = [part for setting in SMALL for part in ("--set", setting)]
    places = ["--file", measured / "measured.jsonl", "--work", measured / "work"]
    models = ["--models", "popularity", "sasrec", "--datasets", "toy", "--seeds", "0-2"]
    run(benchmark, monkeypatch, *models, "--extras", "missing", *small, *places, "--missing")
    told = capsys.readouterr().out.splitlines()
    absent = "all, deleted=0.1, deleted=0.2, deleted=0.3, deleted=0.5"
    assert [line.strip() for line in told] == [
        f"popularity default, toy, seed 2: {absent}",
        f"sasrec default, toy, seed 2: {absent}",
        "4 of 6 jobs are measured",
    ]
    assert not (measured / "work" / "toy-sasrec-default-seed2").exists()


def test_two_models_are_compared_with_an_interval(
    measured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(compare, monkeypatch, "sasrec", "popularity", "--checkpoints", measured)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["toy", "hr@20"], ["toy", "ndcg@20"]]
    assert all("2 seeds, 200 sequences" in line for line in lines)


def test_losses_are_compared_where_both_were_measured(
    measured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(compare, monkeypatch, "sasrec", "popularity", "--losing", "deleted=0.5", "--checkpoints", measured)
    assert len(capsys.readouterr().out.splitlines()) == 2
    with pytest.raises(SystemExit, match=r"Expected ranks of sasrec and popularity with and without inserted=0\.5"):
        run(compare, monkeypatch, "sasrec", "popularity", "--losing", "inserted=0.5", "--checkpoints", measured)
    assert not capsys.readouterr().out


def test_where_losses_cannot_be_compared_it_is_said_to_what_they_can(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = r"Both have them for deleted=0\.1, deleted=0\.2, deleted=0\.3, deleted=0\.5\.$"
    words = ["sasrec", "popularity", "--losing", "deleted=0.7", "--checkpoints", measured]
    with pytest.raises(SystemExit, match=known):
        run(compare, monkeypatch, *words)
    with pytest.raises(SystemExit, match=r"Measure both: python -m scripts\.benchmark$"):
        run(compare, monkeypatch, *words, "--datasets", "zhihu")


@pytest.mark.parametrize("metric", ["hr@51", "hits@20", "hr"])
def test_only_metrics_that_ranks_are_kept_for_are_offered(
    measured: Path, metric: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(compare, monkeypatch, "sasrec", "popularity", "--metrics", metric, "--checkpoints", measured)
    assert "'hr@10', 'hr@20', 'hr@50', 'ndcg@10', 'ndcg@20', 'ndcg@50'" in capsys.readouterr().err


def test_ranks_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / RANKS).write_text('{"model": "card"}\n')
    with pytest.raises(SystemExit, match="line 1: expected ranks"):
        run(compare, monkeypatch, "sasrec", "popularity", "--checkpoints", tmp_path)


def test_a_model_that_there_is_not_is_not_compared(
    measured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(compare, monkeypatch, "sasrec", "sasrek", "--checkpoints", measured)
    assert "with a model out of popularity" in capsys.readouterr().err


def test_a_data_set_that_cannot_be_read_is_said_and_the_others_are_measured(
    measured: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    places = ["--file", str(tmp_path / "measured.jsonl"), "--work", str(tmp_path / "work"), "--data", str(tmp_path)]
    assert not benchmark.main(["--models", "popularity", "--datasets", "zhihu", "toy", "--seeds", "0-1", *places])
    told = capsys.readouterr().out
    assert told.count("Expected prepared data in") == 1 and "scripts.prepare_data zhihu" in told
    assert {(r.dataset, r.seed) for r in read_runs(tmp_path / "measured.jsonl")} == {("toy", 0), ("toy", 1)}
    assert benchmark.main(["--models", "popularity", "--datasets", "toy", *places])


def places(folder: Path) -> list[str]:
    return ["--file", str(folder / "measured.jsonl"), "--work", str(folder / "work"), "--threads", "1"]


def test_a_job_that_fails_is_named_at_the_end_and_the_others_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [part for setting in SMALL for part in ("--set", setting)]
    wanted = ["--models", "sasrec", "--datasets", "toy", "--variants", "learning_rate=1e30", "dropout=0.1"]
    assert not benchmark.main([*wanted, *small, *places(tmp_path)])
    told = capsys.readouterr().out
    assert "failed: evaluate: 200 of 200 rows have NaN or infinite scores" in told
    assert "1 of 2 jobs failed: sasrec default learning_rate=1e30, toy, seed 0" in told
    assert [r.variant for r in read_runs(tmp_path / "measured.jsonl")] == ["dropout=0.1", "dropout=0.1"]


def test_a_data_set_that_cannot_be_split_as_asked_is_said_before_anything_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--models", "popularity", "--datasets", "toy", "--protocol", "long-term", *places(tmp_path)]
    for further in ([], ["--missing"]):
        assert not benchmark.main([*words, *further])
        told = capsys.readouterr().out
        assert "toy cannot be evaluated under the protocol 'long-term': long_term: expected sequences" in told
    assert not list(tmp_path.iterdir())


def test_what_is_measured_on_test_does_not_go_with_leaving_that_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--models", "popularity", "--datasets", "toy", "--validation-only", "--extras", "missing"]
    with pytest.raises(SystemExit):
        benchmark.main([*words, *places(tmp_path)])
    assert "--extras are measured on test, which --validation-only leaves alone" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_results_that_cannot_be_written_end_the_grid_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    words = ["--models", "popularity", "--datasets", "toy", "--work", str(tmp_path / "work")]
    with pytest.raises(SystemExit, match=r"expected to add a line, got: .*Name a file that can be written"):
        benchmark.main([*words, "--file", str(tmp_path / "taken" / "measured.jsonl")])


@pytest.mark.parametrize("damaged, further", [("measured.jsonl", []), ("measured.jsonl", ["--missing"]), (RANKS, [])])
def test_a_damaged_line_ends_the_grid_with_its_number_before_anything_is_trained(
    damaged: str, further: list[str], tmp_path: Path
) -> None:
    (tmp_path / damaged).write_text('{"model": \n', encoding="utf-8")
    words = ["--models", "popularity", "--datasets", "toy", *places(tmp_path), *further]
    with pytest.raises(SystemExit, match=rf"{damaged}, line 1: expected .* Mend the line, or take it out\.$"):
        benchmark.main(words)
    assert not (tmp_path / "work").exists()


def test_a_setting_that_a_model_has_not_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Expected name=value with a name out of"):
        benchmark.main(["--models", "sasrec", "--datasets", "toy", "--set", "drop=1", "--file", str(tmp_path / "none")])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text, seeds", [("3", [3]), ("0-2", [0, 1, 2]), ("0,4", [0, 4])])
def test_seeds_are_a_range_or_a_list(text: str, seeds: list[int]) -> None:
    assert benchmark.seeds_of(text) == seeds


@pytest.mark.parametrize("text", ["4-0", "", "one", "1,", "-1"])
def test_seeds_that_are_none_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark.main(["--models", "popularity", "--datasets", "toy", f"--seeds={text}"])
    assert f"expected seeds as 3, 0-4 or 0,3,7, got {text!r}" in capsys.readouterr().err
