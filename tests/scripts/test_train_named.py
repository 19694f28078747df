from pathlib import Path

import pytest

from demo_core import checkpoint
from demo_core.bundle_index import Entry, write_index
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
