"""Ranks survive being written and read, by the byte."""

import base64
import dataclasses
import json
import zlib
from pathlib import Path

import pytest
import torch

from demo_core.ranks import KEY, RunKey, append_ranks, read_ranks
from demo_core.sequences import Rows
from tests.runs import run as a_run
from tests.runs import run_key

ROWS = Rows.prefixes([[1, 2, 3], [4, 5], [6]])


def test_ranks_and_sequences_come_back(tmp_path: Path) -> None:
    run, path = a_run(), tmp_path / "ranks.jsonl"
    append_ranks(path, run, torch.tensor([1, 7, 50, 51, 900, 2]), ROWS)
    runs = read_ranks(path).of(run_key(run))
    assert runs is not None
    assert runs.ranks[run.seed].tolist() == [[1, 7, 50, 51, 51, 2]]
    assert runs.sequence.tolist() == [0, 0, 0, 1, 1, 2]


def test_lines_of_before_are_read_as_well_and_damaged_bytes_are_named(tmp_path: Path) -> None:
    run, path = a_run(), tmp_path / "ranks.jsonl"
    append_ranks(path, run, torch.tensor([1, 7, 50, 51, 900, 2]), ROWS)
    sequences, ranks = (json.loads(line) for line in path.read_text().splitlines())
    older = base64.b64encode(zlib.compress(bytes([3, 4, 5, 6, 7, 8]), 9)).decode()
    path.write_text("\n".join(json.dumps(line) for line in (sequences, ranks | {"ranks": older})))
    runs = read_ranks(path).of(run_key(run))
    assert runs is not None and runs.ranks[run.seed].tolist() == [[3, 4, 5, 6, 7, 8]]
    path.write_text(json.dumps(sequences | {"sequence_lengths": ranks["ranks"][:-6]}))
    with pytest.raises(ValueError, match="line 1"):
        read_ranks(path)


def test_draws_stay_apart_and_sequences_are_written_once(tmp_path: Path) -> None:
    run, path = a_run(), tmp_path / "ranks.jsonl"
    append_ranks(path, run, torch.arange(1, 13).reshape(2, 6), ROWS)
    append_ranks(path, dataclasses.replace(run, seed=run.seed + 1), torch.ones(6), ROWS)
    assert len(path.read_text().splitlines()) == 3
    runs = read_ranks(path).of(run_key(run))
    assert runs is not None and [tuple(r.shape) for r in runs.ranks.values()] == [(2, 6), (1, 6)]


def test_only_seeds_with_the_newest_settings_are_one_sample(tmp_path: Path) -> None:
    path, run = tmp_path / "ranks.jsonl", a_run()
    changed = dataclasses.replace(run, seed=5, config_hash="other", date="2030-01-01T00:00:00+00:00")
    for one in (run, changed):
        append_ranks(path, one, torch.ones(6), ROWS)
    runs, older = read_ranks(path).of(run_key(run)), read_ranks(path).of(run_key(run), run.config_hash)
    assert runs is not None and list(runs.ranks) == [5]
    assert older is not None and list(older.ranks) == [run.seed]


def test_what_was_never_measured_is_none(tmp_path: Path) -> None:
    assert read_ranks(tmp_path / "missing.jsonl").of(run_key(a_run())) is None


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ranks.jsonl"
    path.write_text('{"model": "card"}\n')
    with pytest.raises(ValueError, match="line 1"):
        read_ranks(path)


def test_a_line_that_was_cut_off_costs_the_ranks_of_that_run_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, first, second = tmp_path / "ranks.jsonl", a_run("card"), a_run("tdm")
    for one in (first, second):
        append_ranks(path, one, torch.ones(6), ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    append_ranks(path, dataclasses.replace(first, seed=1), torch.ones(6), ROWS)
    kept = read_ranks(path)
    runs = kept.of(run_key(first))
    assert runs is not None and sorted(runs.ranks) == [0, 1]
    assert kept.of(run_key(second)) is None and "ranks.jsonl: the last line had been cut off" in caplog.text


def test_counted_models_are_known_to_have_no_seed(tmp_path: Path) -> None:
    path = tmp_path / "ranks.jsonl"
    for model in ("popularity", "card"):
        append_ranks(path, a_run(model), torch.ones(6), ROWS)
    found = [read_ranks(path).of(run_key(a_run(model))) for model in ("popularity", "card")]
    assert [runs is not None and runs.seedless for runs in found] == [True, False]


def test_ranks_of_a_variant_of_an_earlier_recipe_count_as_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "ranks.jsonl"

    def write(day: int, config: str, variant: str | None) -> RunKey:
        date = f"2026-01-{day:02}T00:00:00+00:00"
        one = dataclasses.replace(a_run("card", variant=variant), config_hash=config, date=date)
        append_ranks(path, one, torch.tensor([1, 2]), Rows.last_items([[1, 2], [3, 4]]))
        return run_key(one)

    write(1, "old", None)
    key = write(2, "old", "deleted=0.5")
    assert read_ranks(path).of(key) is not None
    write(5, "new", None)
    assert read_ranks(path).of(key) is None
    write(6, "new", "deleted=0.5")
    assert read_ranks(path).of(key) is not None


def test_one_data_set_is_read_without_the_others(tmp_path: Path) -> None:
    path, rows = tmp_path / "ranks.jsonl", Rows.last_items([[1, 2], [1, 2, 3]])
    for name in ("zhihu", "beauty"):
        append_ranks(path, a_run(dataset=name), torch.tensor([1, 2]), rows)
    assert {key[KEY.index("dataset")] for key in read_ranks(path, "zhihu").lines} == {"zhihu"}
    assert len(read_ranks(path).lines) == 2
    assert read_ranks(path, "zhihu").of(run_key(a_run(dataset="zhihu"))) is not None
