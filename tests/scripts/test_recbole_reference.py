"""Our half of the comparison with RecBole, against a stand-in that answers as RecBole's half does."""

import dataclasses
import json
import os
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from demo_core import datasets
from demo_core.datasets import PREFIX_FULL, Dataset, toy_world
from demo_core.models import MODELS, preset
from demo_core.prepared import Sequences
from demo_core.reference import read_references
from scripts.recbole_reference import command, main, running
from scripts.recbole_reference.export import HELD_OUT, NAME, SEEN, SPLITS, export, exported_rows
from scripts.recbole_reference.mapping import COUNTERPARTS, settings_of

WINDOW = 4
STAND_IN = """
import json, pathlib, sys
if sys.argv[1] == "-c":
    print("1.2.1")
    raise SystemExit
asked = json.loads(pathlib.Path(sys.argv[2]).read_text())
rows = pathlib.Path(asked["rows"]) / "rows"
lines = {s: (rows / f"rows.{s}.inter").read_text().splitlines()[1:] for s in ("train", "validation", "test")}
if asked["model"] == "BERT4Rec":
    raise SystemExit(3)
targets = {s: [int(line.split("\\t")[1]) for line in lines[s]] for s in ("validation", "test")}
if asked["model"] == "Caser":
    targets["test"].reverse()
ranks = {s: [1 + 3 * (row % 4) for row in range(len(targets[s]))] for s in targets}  # 1, 4, 7, 10, 1, ...
within = {k: {s: sum(r <= k for r in ranks[s]) / len(ranks[s]) for s in ranks} for k in (5, 10, 20)}
if asked["model"] == "SRGNN":
    within[20]["test"] -= 0.01
answer = {
    "device": "CPU", "epochs": asked["settings"]["epochs"], "best_epoch": 1, "seconds_per_epoch": 0.25,
    "train_rows": len(lines["train"]) - (asked["model"] == "LightSANs"), "ranks": ranks, "targets": targets,
    "own_metrics": {s: {f"hr@{k}": within[k][s] for k in within} for s in ranks},
}
pathlib.Path(asked["answer"]).write_text(json.dumps(answer))
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A "python" that answers for RecBole, for each model in another way."""
    script, python = tmp_path / "stand_in.py", tmp_path / "python"
    script.write_text(STAND_IN)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture
def on_toy(stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command line is told to work on the toy world with the stand-in."""
    monkeypatch.setattr(command, "SETS", ["toy"])
    places = {"--python": stand_in, "--work": tmp_path / "work", "--file": tmp_path / "reference.jsonl"}
    told = [word for option, place in places.items() for word in (option, str(place))]
    return [*told, "--datasets", "toy", "--set", f"MAX_ITEM_LIST_LENGTH={WINDOW}", "--set", "epochs=2"]


def lines_of(folder: Path, split: str) -> list[tuple[int, int, list[int]]]:
    head, *lines = (folder / NAME / f"{NAME}.{split}.inter").read_text().splitlines()
    assert head == "user_id:token\titem_id:token\titem_id_list:token_seq"
    read = [line.split("\t") for line in lines]
    return [(int(who), int(target), [int(item) for item in items.split(" ")]) for who, target, items in read]


def test_every_row_with_a_history_is_exported_with_its_window_and_target(tmp_path: Path) -> None:
    dataset = toy_world()
    export(dataset, WINDOW, tmp_path / "out")
    for split in SPLITS:
        rows = dataset.rows(split)
        histories = [
            rows.items[start:at].tolist()
            for start, at in zip(rows.start.tolist(), rows.target_at.tolist(), strict=True)
        ]
        wanted = [
            (target, history[-WINDOW:])
            for target, history in zip(rows.target.tolist(), histories, strict=True)
            if history
        ]
        assert [(target, history) for _, target, history in lines_of(tmp_path / "out", split)] == wanted
        assert exported_rows(rows) == len(wanted)
        assert (len(wanted) < len(rows)) == (split == "train"), "only training rows begin with nothing"
    items = (tmp_path / "out" / NAME / f"{NAME}.item").read_text().splitlines()
    assert items == ["item_id:token", *map(str, range(1, dataset.catalogue.num_items + 1))]


def test_a_person_is_the_same_in_all_splits(tmp_path: Path) -> None:
    dataset = toy_world()
    export(dataset, 7, tmp_path / "out")
    test = {who: [*history, target] for who, target, history in lines_of(tmp_path / "out", "test")}
    assert len(test) == len(dataset.test)
    for split, held_back in (("validation", 1), ("train", 2)):
        for who, target, history in lines_of(tmp_path / "out", split):
            whole = [*history, target]
            assert whole == test[who][: len(whole)] and len(whole) <= len(test[who]) - held_back


def test_the_whole_history_of_a_held_out_row_is_excluded_however_short_the_window(tmp_path: Path) -> None:
    dataset = toy_world()
    export(dataset, 1, tmp_path / "out")
    for split in HELD_OUT:
        rows = dataset.rows(split)
        start, item = (np.load(tmp_path / "out" / SEEN / f"{split}_{name}.npy") for name in ("start", "item"))
        for row, (first, at) in enumerate(zip(rows.start.tolist(), rows.target_at.tolist(), strict=True)):
            assert item[start[row] : start[row + 1]].tolist() == rows.items[first:at].tolist()


def test_what_was_broken_off_is_exported_anew_and_what_is_whole_is_left(tmp_path: Path) -> None:
    (tmp_path / "out.new" / NAME).mkdir(parents=True)
    (tmp_path / "out.new" / NAME / "half.inter").write_text("user_id")
    export(toy_world(), WINDOW, tmp_path / "out")
    assert not (tmp_path / "out.new").exists() and not (tmp_path / "out" / NAME / "half.inter").exists()
    (tmp_path / "out" / "mine").write_text("kept")
    export(toy_world(), WINDOW, tmp_path / "out")
    assert (tmp_path / "out" / "mine").exists()


def with_two_items() -> Dataset:
    items = ((1, 2, 3, 4), (2, 3))
    return datasets.assemble("toy", Sequences(items, ("all",) * 2, ("a", "b", "c", "d"), (None,) * 4, ((),) * 4))


@pytest.mark.parametrize(
    "dataset, window, told",
    [
        (dataclasses.replace(toy_world(), protocol=PREFIX_FULL), WINDOW, "expected the protocol leave-one-out-full"),
        (with_two_items(), 1, "at least 3 items"),
        (toy_world(), 8, "MAX_ITEM_LIST_LENGTH: expected 1 to 7"),
    ],
)
def test_what_recbole_could_not_be_asked_is_refused(tmp_path: Path, dataset: Dataset, window: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        export(dataset, window, tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("model", COUNTERPARTS)
def test_settings_are_those_of_our_default(model: str) -> None:
    config = preset(model, "default", "ml-1m", 100)
    settings = settings_of(model, config)
    assert COUNTERPARTS[model].name == MODELS[model].title
    assert settings["MAX_ITEM_LIST_LENGTH"] == config.max_length and settings["epochs"] == config.max_epochs
    assert settings["rows_per_epoch"] == config.rows_per_epoch and settings["learning_rate"] == config.learning_rate
    width = settings.get("hidden_size", settings.get("embedding_size"))
    assert width == config.embedding_dim
    assert json.loads(json.dumps(settings)) == settings


def test_a_setting_is_changed_by_name_and_value() -> None:
    config = preset("gru4rec", "default", "ml-1m", 100)
    changed = settings_of("gru4rec", config, ["hidden_size=128", "rows_per_epoch=None", "learner=adam"])
    assert (changed["hidden_size"], changed["rows_per_epoch"], changed["learner"]) == (128, None, "adam")
    with pytest.raises(ValueError, match=r"hidden_size.*got 'hiden_size=128'"):
        settings_of("gru4rec", config, ["hiden_size=128"])


def test_ranks_become_metrics_as_ours_do() -> None:
    metrics = running.metrics_of([1, 3, 8, 21])
    assert metrics == pytest.approx(
        {
            "hr@5": 2 / 4,
            "hr@10": 3 / 4,
            "hr@20": 3 / 4,
            **{f"ndcg@{k}": (1 + 1 / 2 + (k > 5) / float(np.log2(9))) / 4 for k in (5, 10, 20)},
        }
    )


def test_a_run_is_kept_with_where_it_comes_from_and_not_done_again(
    on_toy: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--models", "gru4rec", "sasrec", "--seeds", "0-1", *on_toy])
    runs = read_references(tmp_path / "reference.jsonl")
    assert [(one.model, one.seed) for one in runs] == [(m, s) for s in (0, 1) for m in ("gru4rec", "sasrec")]
    dataset = toy_world()
    ranks = torch.arange(len(dataset.test)) % 4 * 3 + 1
    assert runs[0].test == running.metrics_of(ranks.tolist()) and runs[0].rows == len(dataset.test)
    assert (runs[0].system, runs[0].data_hash, runs[0].epochs) == ("RecBole 1.2.1", dataset.hash, 2)
    assert runs[0].changes == (f"MAX_ITEM_LIST_LENGTH={WINDOW}", "epochs=2")
    capsys.readouterr()
    main(["--models", "gru4rec", "sasrec", "--seeds", "0-1", *on_toy])
    assert capsys.readouterr().out.count("already measured") == 4
    main(["--models", "sasrec", *on_toy, "--set", "hidden_size=32"])
    assert len(read_references(tmp_path / "reference.jsonl")) == 5, "other settings are another run"


def test_the_table_is_printed_from_the_file(on_toy: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main([*on_toy, "--table"])
    assert "holds no run yet" in capsys.readouterr().out
    main(["--models", "gru4rec", *on_toy])
    capsys.readouterr()
    main([*on_toy, "--table"])
    assert "| GRU4Rec, their MAX_ITEM_LIST_LENGTH=4, their epochs=2 | – / 100.00 |" in capsys.readouterr().out


def test_a_line_that_was_cut_off_costs_that_run_alone(
    on_toy: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--models", "gru4rec", *on_toy])
    with (tmp_path / "reference.jsonl").open("a") as file:
        file.write('{"system": "RecBo')
    main(["--models", "gru4rec", "sasrec", *on_toy])
    assert [one.model for one in read_references(tmp_path / "reference.jsonl")] == ["gru4rec", "sasrec"]
    assert "already measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    "model, told",
    [
        ("bert4rec", "BERT4Rec ended with exit code 3"),
        ("caser", "test targets in order, RecBole asked others"),
        ("lightsans", "training rows, it read"),
        ("srgnn", "by RecBole's own count"),
    ],
)
def test_a_run_that_fails_is_told_and_the_others_are_done(
    on_toy: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str, told: str
) -> None:
    with pytest.raises(SystemExit, match="1 of 2 runs failed; the same command does only what is missing"):
        main(["--models", model, "gru4rec", *on_toy])
    assert told in capsys.readouterr().out
    assert [one.model for one in read_references(tmp_path / "reference.jsonl")] == ["gru4rec"]
    assert sorted(path.suffix for path in (tmp_path / "work").iterdir() if path.is_file()) == [".lock"] * 3


@pytest.mark.parametrize("python", ["nowhere/python", "without_recbole"])
def test_where_recbole_is_missing_it_is_said_how_to_get_it(on_toy: list[str], tmp_path: Path, python: str) -> None:
    (tmp_path / "without_recbole").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "without_recbole").chmod(0o755)
    with pytest.raises(SystemExit, match="found none") as ended:
        main(["--models", "gru4rec", *on_toy, "--python", str(tmp_path / python)])
    assert f"pip install -r {os.path.relpath(running.REQUIREMENTS)}" in str(ended.value)
    assert running.REQUIREMENTS.exists() and not (tmp_path / "reference.jsonl").exists()


def test_without_models_it_is_said_what_to_ask_for(on_toy: list[str]) -> None:
    with pytest.raises(SystemExit, match="--models with at least one model, or --table"):
        main(on_toy)


def test_a_setting_that_a_model_lacks_costs_that_model_alone(
    on_toy: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1 of 2 runs failed"):
        main(["--models", "caser", "gru4rec", *on_toy, "--set", "hidden_size=32"])
    assert "got 'hidden_size=32'" in capsys.readouterr().out
    assert [one.model for one in read_references(tmp_path / "reference.jsonl")] == ["gru4rec"]


def test_a_data_set_that_is_not_prepared_fails_with_what_to_do(
    on_toy: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "SETS", ["toy", "ml-1m"])
    with pytest.raises(SystemExit, match="1 of 2 runs failed"):
        main(["--models", "gru4rec", *on_toy, "--datasets", "ml-1m", "toy", "--data", str(tmp_path / "none")])
    assert "Expected prepared data in" in (told := capsys.readouterr().out) and "prepare_data ml-1m" in told
    assert [one.dataset for one in read_references(tmp_path / "reference.jsonl")] == ["toy"]


def test_the_table_says_what_it_is_made_without(
    on_toy: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--models", "gru4rec", *on_toy])
    (tmp_path / "measured.jsonl").write_text('{"model": "gru4rec"}\n')
    capsys.readouterr()
    main([*on_toy, "--table"])
    told = capsys.readouterr().out
    assert told.startswith("measured.jsonl was left out: ") and "| GRU4Rec" in told
    (tmp_path / "reference.jsonl").write_text("{}\n")
    with pytest.raises(SystemExit, match=r"reference\.jsonl, line 1: expected one reference run"):
        main([*on_toy, "--table"])


def test_a_damaged_line_ends_the_runs_with_its_number(on_toy: list[str], tmp_path: Path) -> None:
    (tmp_path / "reference.jsonl").write_text("{}\n")
    with pytest.raises(SystemExit, match=r"reference\.jsonl, line 1: expected one reference run .*take it out\.$"):
        main(["--models", "gru4rec", *on_toy])


def test_a_file_that_cannot_be_written_is_said(on_toy: list[str], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SystemExit, match=r"expected to add a line, got: "):
        main(["--models", "gru4rec", *on_toy, "--file", str(tmp_path / "taken" / "reference.jsonl")])
