"""The command lines as a person would use them, on the toy world."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from demo_core import checkpoint
from demo_core.results import read_runs
from scripts import evaluate, train

SMALL = ["--set", "embedding_dim=16", "--set", "batch_size=64", "--set", "max_epochs=2", "--threads", "1", "--cpu"]


def run(monkeypatch: pytest.MonkeyPatch, module: object, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["program", *arguments])
    module.main()  # type: ignore[attr-defined]


def test_training_leaves_a_bundle_with_both_splits_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "sasrec"
    run(monkeypatch, train, "sasrec", "--dataset", "toy", "--seed", "3", "--out", str(folder), *SMALL)
    bundle = checkpoint.load(folder)
    assert [one.split for one in bundle.runs] == ["validation", "test"]
    assert bundle.training["seed"] == 3
    assert not list(tmp_path.glob("*.training.safetensors"))
    assert bundle.runs[1].metrics["hr@20"] == pytest.approx(1.0)  # 12 items: the first 20 hold them all


def test_the_same_seed_gives_the_same_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(monkeypatch, train, "card", "--dataset", "toy", "--out", str(tmp_path / name), *SMALL)
    one, two = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_globaldiff_takes_a_trained_backbone_and_leaves_it_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(monkeypatch, train, "sasrec", "--dataset", "toy", "--out", str(tmp_path / "sasrec"), *SMALL)
    run(
        monkeypatch,
        train,
        "globaldiff",
        "--dataset",
        "toy",
        "--backbone",
        str(tmp_path / "sasrec"),
        "--out",
        str(tmp_path / "globaldiff"),
        *SMALL,
    )
    backbone = checkpoint.load(tmp_path / "sasrec").model.state_dict()
    fused = checkpoint.load(tmp_path / "globaldiff")
    assert fused.runs[0].backbone == "sasrec"
    for name, tensor in fused.model.get_submodule("backbone").state_dict().items():
        assert tensor.allclose(backbone[name], atol=1e-3)  # both may be stored in float16


def test_evaluating_again_finds_the_same_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "item_knn"
    run(monkeypatch, train, "item_knn", "--dataset", "toy", "--out", str(folder), "--threads", "1", "--cpu")
    before = json.loads((folder / "metrics.json").read_text())["runs"]
    run(monkeypatch, evaluate, str(folder), "--cpu")
    after = json.loads((folder / "metrics.json").read_text())["runs"]
    assert [one["metrics"] for one in before] == [one["metrics"] for one in after]
    assert "leave-one-out-full" in capsys.readouterr().out


def test_two_bundles_are_compared_with_an_interval(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("item_knn", "popularity"):
        run(monkeypatch, train, name, "--dataset", "toy", "--out", str(tmp_path / name), "--threads", "1", "--cpu")
    run(monkeypatch, evaluate, str(tmp_path / "item_knn"), "--against", str(tmp_path / "popularity"), "--cpu")
    assert "95 % interval" in capsys.readouterr().out


def test_the_runs_of_several_seeds_gather_in_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    record = tmp_path / "measured.jsonl"
    for seed in ("0", "1"):
        rest = ("--out", str(tmp_path / seed), "--record", str(record), "--threads", "1", "--cpu")
        run(monkeypatch, train, "item_knn", "--dataset", "toy", "--seed", seed, *rest)
    assert [(one.seed, one.split) for one in read_runs(record)] == [
        (0, "validation"),
        (0, "test"),
        (1, "validation"),
        (1, "test"),
    ]


def test_bundles_of_two_catalogues_are_not_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run(monkeypatch, train, "item_knn", "--dataset", "toy", "--out", str(tmp_path / "one"), "--threads", "1", "--cpu")
    one = checkpoint.load(tmp_path / "one")
    other = replace(one, catalogue=replace(one.catalogue, titles=("Another", *one.catalogue.titles[1:])))
    checkpoint.save(other, tmp_path / "other")
    with pytest.raises(SystemExit, match="another catalogue"):
        run(monkeypatch, evaluate, str(tmp_path / "one"), "--against", str(tmp_path / "other"), "--cpu")


def test_an_unknown_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="'guidance=3'"):
        run(monkeypatch, train, "card", "--dataset", "toy", "--out", str(tmp_path / "card"), "--set", "guidance=3")
