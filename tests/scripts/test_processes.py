"""What is said where one of several processes fails; that they train alike is tested where they train."""

import subprocess
import sys
from typing import Any

import pytest

from scripts import processes


def test_processes_that_fail_end_the_command_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(command: list[str], check: bool, **named: Any) -> subprocess.CompletedProcess[str]:
        assert "--into" in command and not check
        return subprocess.CompletedProcess(command, 3)

    monkeypatch.setattr(subprocess, "run", fails)
    monkeypatch.setattr(sys, "argv", ["processes", "sasrec", "--dataset", "toy"])
    with pytest.raises(SystemExit, match="Training in 1 process ended with exit code 3; why stands above"):
        processes.main()
