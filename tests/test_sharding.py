"""How work is dealt out to processes, and that evaluation in three of them is evaluation in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator

from demo_core import checkpoint
from demo_core.checkpoint import Bundle
from demo_core.datasets import toy_world
from demo_core.models import create
from demo_core.sequences import batches
from demo_core.sharding import ALONE, Share, warn_if_alone
from tests.processes import launch, small


@given(rows=st.integers(1, 40), processes=st.integers(1, 5))
def test_every_row_of_a_batch_counts_once_in_one_process(rows: int, processes: int) -> None:
    batch = torch.randperm(100, generator=Generator().manual_seed(rows))[:rows]
    shares = [Share(process, processes).rows(batch) for process in range(processes)]
    counting = torch.cat([own[:number] for own, number in shares])
    assert sorted(counting.tolist()) == sorted(batch.tolist())
    assert all(len(own) for own, _ in shares), "every process has something to compute gradients of"
    assert max(number for _, number in shares) - min(number for _, number in shares) <= 1


@given(rows=st.integers(0, 60), size=st.integers(1, 20), processes=st.integers(1, 5))
def test_batches_are_dealt_out_whole(rows: int, size: int, processes: int) -> None:
    dealt = [index.tolist() for process in range(processes) for index in Share(process, processes).batches(rows, size)]
    assert sorted(dealt) == [index.tolist() for index in batches(rows, size)] if rows else True


def test_one_process_has_everything_to_do_and_sends_nothing(tmp_path: Path) -> None:
    batch, found = torch.arange(5), torch.tensor([3, 1])
    assert ALONE.is_main and ALONE.rows(batch)[1] == 5
    assert ALONE.summed(found) is found and ALONE.gathered(found, torch.ones(2)) is found
    ALONE.from_main(found)
    ALONE.require_same("a", "it")
    ALONE.wait()
    file = tmp_path / "state"
    assert ALONE.file_of_main(file) is None
    file.write_bytes(b"left")
    assert ALONE.file_of_main(file) == b"left"


def test_a_row_that_was_forgotten_is_told() -> None:
    with pytest.raises(RuntimeError, match="each of 2 rows to be scored once, 1 were not; this is process 1 of 1"):
        ALONE.gathered(torch.zeros(2, dtype=torch.int64), torch.tensor([1, 0]))


def test_a_launch_of_several_processes_that_became_one_is_told() -> None:
    launched = {"ACCELERATE_MIXED_PRECISION": "no", "MASTER_PORT": "29500"}
    with pytest.warns(UserWarning, match="asked for several processes and started one"):
        warn_if_alone(1, launched)
    warn_if_alone(2, launched)
    warn_if_alone(1, {"MASTER_PORT": "29500"})
    warn_if_alone(1, {"ACCELERATE_MIXED_PRECISION": "no"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where three processes have been (``processes.evaluation``): they have compared what they share with the whole."""
    place, data = tmp_path_factory.mktemp("three"), toy_world()
    model = create("sasrec", small("sasrec"), 0).eval()
    bundle = Bundle(
        model,
        "sasrec",
        "default",
        data.name,
        data.protocol.name,
        data.catalogue,
        training={"seed": 0, "epochs": 0},
    )
    checkpoint.save(bundle, place / "bundle")
    launch(3, place, "evaluation")
    return place


def test_three_processes_score_every_row_once(folder: Path) -> None:
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    assert told == {
        "1 rows by 3": [1, 0, 0],
        "1 rows by 512": [1, 0, 0],
        "2 rows by 3": [2, 0, 0],
        "2 rows by 512": [2, 0, 0],
        "7 rows by 3": [3, 3, 1],
        "7 rows by 512": [7, 0, 0],
        "40 rows by 3": [15, 13, 12],
        "40 rows by 512": [40, 0, 0],
    }


def test_the_command_evaluates_in_three_processes(folder: Path) -> None:
    runs = checkpoint.load(folder / "bundle").runs
    assert [(run.split, run.rows, run.device) for run in runs] == [
        ("validation", 200, "CPU, 3 processes"),
        ("test", 200, "CPU, 3 processes"),
    ]
