"""What is said where one of several processes fails; that they train alike is tested where they train."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import processes


def test_processes_that_fail_end_the_command_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str], check: bool, **named: Any) -> subprocess.CompletedProcess[str]:
        assert "--into" in command and not check and "cwd" not in named, "a folder of --data is named from here"
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", fails)
    monkeypatch.setattr(sys, "argv", ["processes", "sasrec", "--dataset", "toy"])
    with pytest.raises(SystemExit, match="Training in 1 process ended with exit code 3; why stands above"):
        processes.main()


def test_the_command_itself_is_what_each_process_runs() -> None:
    """As the README gives it: in the folder of the repository, which is not told to Python in any other way."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "scripts.processes", "popularity", "--dataset", "toy"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "largest relative difference of the loss" in done.stdout, done.stderr
