from pathlib import Path

import pytest

from demo_core import checkpoint
from demo_core.bundle_index import Entry, write_index
from demo_core.runs import read_runs
from scripts import train_named
from scripts.train_named import to_train

SMALL = ("--set", "max_epochs=1", "--set", "embedding_dim=8", "--cpu")


def test_what_is_only_named_is_trained_once_and_lies_where_the_app_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_index(tmp_path, [Entry("toy", "gru4rec"), Entry("toy", "popularity"), Entry("zhihu", "caser")])
    words = ["--dataset", "toy", "--checkpoints", str(tmp_path), "gru4rec", *SMALL]
    train_named.main(words)
    assert checkpoint.load(tmp_path / "toy" / "gru4rec").name == "gru4rec"
    assert to_train(tmp_path, "toy") == ["popularity"]
    train_named.main(words)
    assert "Everything that the index names is there." in capsys.readouterr().out


def test_a_model_that_the_index_does_not_name_is_refused(tmp_path: Path) -> None:
    write_index(tmp_path, [Entry("toy", "gru4rec")])
    with pytest.raises(SystemExit, match="The index names no caser for toy"):
        train_named.main(["--dataset", "toy", "--checkpoints", str(tmp_path), "caser"])


def test_options_of_the_training_need_no_model_before_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_index(tmp_path, [Entry("toy", "popularity"), Entry("toy", "repeat_last")])
    words = ["--dataset", "toy", "--checkpoints", str(tmp_path), "--data", str(tmp_path / "data"), "--threads", "1"]
    train_named.main([*words, "--cpu", "--record", str(tmp_path / "measured.jsonl")])
    assert to_train(tmp_path, "toy") == []
    assert {one.model for one in read_runs(tmp_path / "measured.jsonl")} == {"popularity", "repeat_last"}
    with pytest.raises(SystemExit):
        train_named.main([*words, "--colour", "red"])
    assert "unrecognized arguments: --colour" in capsys.readouterr().err


def test_models_may_stand_anywhere_among_the_options(tmp_path: Path) -> None:
    write_index(tmp_path, [Entry("toy", name) for name in ("popularity", "repeat_last", "item_knn")])
    place = ["--checkpoints", str(tmp_path)]
    train_named.main(["popularity", "--dataset", "toy", "repeat_last", *place, "--threads", "1", "--cpu"])
    assert to_train(tmp_path, "toy") == ["item_knn"]


def test_a_data_set_that_the_index_does_not_name_is_said(tmp_path: Path) -> None:
    write_index(tmp_path, [Entry("zhihu", "gru4rec")])
    with pytest.raises(SystemExit, match=r"names no bundle of toy; python -m scripts\.train trains any\."):
        train_named.main(["--dataset", "toy", "--checkpoints", str(tmp_path)])
