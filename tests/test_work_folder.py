"""Trained models of a grid: they are used again as long as they are what the job would train, and no longer."""

import dataclasses
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from filelock import Timeout

from demo_core import datasets, work_folder
from demo_core.checkpoint import CONFIG_FILE, WEIGHTS_FILE
from demo_core.datasets import Dataset
from demo_core.job import Job
from demo_core.work_folder import WorkFolder, new_model

SMALL = ("embedding_dim=8", "max_length=4", "max_epochs=1", "rows_per_epoch=128", "layers=1")
JOB = Job("tdm", "default", "toy", seed=0, settings=SMALL)


@pytest.fixture(scope="module")
def toy() -> Dataset:
    return datasets.load("toy")


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def folder(tmp_path: Path, lines: list[str]) -> WorkFolder:
    return WorkFolder(tmp_path / "work", lines.append)


def weights(folder: WorkFolder, job: Job, toy: Dataset) -> dict[str, torch.Tensor]:
    return folder.trained(job, new_model(job, toy), toy).model.state_dict()


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_trained_comes_back_without_another_training(
    folder: WorkFolder, toy: Dataset, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = weights(folder, JOB, toy)
    assert not equal(trained, new_model(JOB, toy).state_dict())
    monkeypatch.setattr(work_folder, "fit", lambda *a, **k: pytest.fail("trained again"))
    assert equal(weights(folder, JOB, toy), trained) and lines == []


@pytest.mark.parametrize("file", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_damaged_bundle_is_told_and_trained_again(
    folder: WorkFolder, toy: Dataset, lines: list[str], file: str
) -> None:
    trained = weights(folder, JOB, toy)
    (folder.path / JOB.folder / file).write_bytes(b"{")
    assert equal(weights(folder, JOB, toy), trained)
    assert len(lines) == 1 and "trained again" in lines[0] and file in lines[0]


def test_weights_of_other_code_are_trained_anew(
    folder: WorkFolder, toy: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights(folder, JOB, toy)
    monkeypatch.setattr(work_folder, "code_version", lambda module: "other")
    fit = Mock(side_effect=work_folder.fit)
    monkeypatch.setattr(work_folder, "fit", fit)
    weights(folder, JOB, toy)
    weights(folder, JOB, toy)
    fit.assert_called_once()  # and then they are those of this code


def test_a_model_stands_on_the_very_weights_of_its_backbone(
    folder: WorkFolder, toy: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = work_folder.Job.config
    monkeypatch.setattr(Job, "config", lambda job, items: real(job, items).override("embedding_dim=8", "max_epochs=1"))
    job = Job("globaldiff", "default", "toy", 0, backbone="sasrec", settings=("hidden_dim=8",))
    under = folder.shared(job.under("sasrec", 0), toy).state_dict()
    over = weights(folder, job, toy)
    assert equal({name.removeprefix("backbone."): over[name] for name in over if name.startswith("backbone.")}, under)


def test_a_job_belongs_to_one_process_at_a_time(folder: WorkFolder) -> None:
    with folder.lock(JOB):
        with pytest.raises(Timeout), folder.lock(JOB, timeout=0):
            pytest.fail("two had it")
        with folder.lock(dataclasses.replace(JOB, seed=1), timeout=0):
            pass
