"""The tables of all systems, at the command line."""

import sys
from pathlib import Path

import pytest

from scripts import overview
from tests.runs import run, write_runs


def test_what_was_measured_is_printed_and_where_nothing_was_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, [run("card")])
    monkeypatch.setattr(sys, "argv", ["overview", "zhihu", "--checkpoints", str(tmp_path)])
    overview.main()
    assert "| CARD |" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["overview", "toy", "--checkpoints", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"Expected test runs on toy in .*, found none\. Measure some: python -m"):
        overview.main()
