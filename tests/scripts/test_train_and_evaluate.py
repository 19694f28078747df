"""The command lines as a person would use them, on the toy world."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from demo_core import checkpoint
from demo_core.checkpoint import Bundle
from demo_core.datasets import toy_world
from demo_core.models import create, preset
from demo_core.results import read_runs
from demo_core.training import fit
from demo_core.training_report import Epoch
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


def test_what_does_not_apply_to_a_model_is_said_and_what_never_does_is_not_offered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "popularity"
    run(monkeypatch, train, "popularity", "--dataset", "toy", "--out", str(folder), "--threads", "1", "--cpu")
    capsys.readouterr()
    run(monkeypatch, evaluate, str(folder), "--extras", "all_steps", "missing", "--cpu")
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "popularity steps=all: does not apply to popularity on toy"
    assert [line.split(":")[0] for line in told[1:]] == [f"popularity deleted={x}" for x in (0.1, 0.2, 0.3, 0.5)]
    with pytest.raises(SystemExit):
        run(monkeypatch, evaluate, str(folder), "--extras", "foresight", "--cpu")
    assert "invalid choice: 'foresight'" in capsys.readouterr().err


def test_a_training_that_cannot_go_on_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def breaks_off(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise KeyboardInterrupt

    config = preset("sasrec", "default", "toy", 12).override("embedding_dim=16", "max_epochs=3")
    state = tmp_path / "sasrec.training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(create("sasrec", config, 0), toy_world(), seed=0, state_file=state, progress=False, watch=breaks_off)
    words = ["sasrec", "--dataset", "toy", "--out", str(tmp_path / "sasrec"), *SMALL]
    with pytest.raises(SystemExit, match=r"was left by a training with another model.*or delete the file"):
        run(monkeypatch, train, *words)
    state.unlink()
    with pytest.raises(SystemExit, match=r"Training stopped: the loss of phase 'train' became"):
        run(monkeypatch, train, *words, "--set", "learning_rate=1e30")


def test_a_record_that_cannot_be_written_is_said_and_the_bundle_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")
    record, folder = str(tmp_path / "taken" / "measured.jsonl"), tmp_path / "popularity"
    words = ["popularity", "--dataset", "toy", "--out", str(folder), "--threads", "1", "--cpu", "--record", record]
    with pytest.raises(SystemExit, match="expected to add a line, got: "):
        run(monkeypatch, train, *words)
    assert [one.split for one in checkpoint.load(folder).runs] == ["validation", "test"]
    with pytest.raises(SystemExit, match="expected to add a line, got: "):
        run(monkeypatch, evaluate, str(folder), "--record", record, "--cpu")


def test_a_record_with_a_damaged_line_is_said_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, words = tmp_path / "popularity", ["popularity", "--dataset", "toy", "--threads", "1", "--cpu"]
    run(monkeypatch, train, *words, "--out", str(folder))
    for name in ("measured.jsonl", "ranks.jsonl"):
        (tmp_path / name).write_text("{}\n")
        record = ["--record", str(tmp_path / "measured.jsonl")]
        with pytest.raises(SystemExit, match=rf"{name}, line 1: expected .* Mend the line, or take it out\.$"):
            run(monkeypatch, train, *words, "--out", str(tmp_path / "other"), *record)
        for further in ([], ["--extras", "missing"]):
            with pytest.raises(SystemExit, match=rf"{name}, line 1: expected "):
                run(monkeypatch, evaluate, str(folder), *record, *further, "--cpu")
        (tmp_path / name).unlink()
    assert not (tmp_path / "other").exists()


def test_figures_for_the_card_that_cannot_be_read_are_said_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "measured.jsonl").write_text("{}\n")
    words = ["popularity", "--dataset", "toy", "--out", str(tmp_path / "popularity"), "--push", "owner/name"]
    with pytest.raises(SystemExit, match=r"measured\.jsonl, line 1: expected one run"):
        run(monkeypatch, train, *words, "--measured", str(tmp_path / "measured.jsonl"))
    assert not (tmp_path / "popularity").exists()


def test_what_is_taken_out_of_a_record_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "measured.jsonl"
    record.write_text('{"model": "sas')
    words = ["popularity", "--dataset", "toy", "--threads", "1", "--cpu", "--record", str(record)]
    run(monkeypatch, train, *words, "--out", str(tmp_path / "popularity"))
    assert "measured.jsonl: the last line had been cut off while it was written; it was taken out." in (
        capsys.readouterr().out
    )
    assert [one.split for one in read_runs(record)] == ["validation", "test"]


@pytest.mark.parametrize("inside", [[], ["sasrec/config.json", "notes.txt"]])
def test_what_is_no_bundle_is_not_replaced_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, inside: list[str]
) -> None:
    out = tmp_path / "mine"
    for name in inside:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    if not inside:
        out.write_text("mine")
    with pytest.raises(
        SystemExit, match=r"mine: expected a bundle, an empty folder or none, .* Choose another place\.$"
    ):
        run(monkeypatch, train, "sasrec", "--dataset", "toy", "--out", str(out), *SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"], "nothing was trained"
    assert all((out / name).read_text() == "mine" for name in inside or ["."])


def test_a_backbone_of_another_catalogue_is_refused_and_the_bundle_of_before_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world = toy_world(num_items=16)
    config = preset("sasrec", "default", "toy", 16).override("embedding_dim=16")
    other = Bundle(create("sasrec", config, 0), "sasrec", "default", "toy", world.protocol.name, world.catalogue)
    checkpoint.save(replace(other, training={"seed": 0}), tmp_path / "other")
    run(monkeypatch, train, "popularity", "--dataset", "toy", "--out", str(tmp_path / "mine"), "--cpu")
    words = ["globaldiff", "--dataset", "toy", "--backbone", str(tmp_path / "other"), "--out", str(tmp_path / "mine")]
    with pytest.raises(SystemExit, match=r"other has another catalogue than toy: train a backbone on toy"):
        run(monkeypatch, train, *words, *SMALL)
    assert checkpoint.load(tmp_path / "mine").name == "popularity"


def test_the_number_of_items_is_no_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = ["sasrec", "--dataset", "toy", "--out", str(tmp_path / "sasrec"), *SMALL]
    with pytest.raises(SystemExit, match=r"Expected settings without num_items, .* got num_items=5"):
        run(monkeypatch, train, *words, "--set", "num_items=5")
