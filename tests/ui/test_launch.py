"""Starting the page where it cannot listen."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest

import app
from demo_core.ui import AddressError, launch

APP = Path(__file__).parents[2] / "app.py"


def test_a_port_past_the_last_one_is_named() -> None:
    with gr.Blocks() as page, pytest.raises(AddressError, match="port 99999"):
        launch(page, host="127.0.0.1", port=99_999, block=False)


@pytest.mark.parametrize("name", ["TURNPOINT_PRECISION", "TURNPOINT_BORROW_FOR"])
def test_a_setting_of_the_environment_that_is_none_ends_the_app_with_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "none")
    monkeypatch.setattr(sys, "argv", [str(APP)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    assert f"{name}: expected one of" in capsys.readouterr().err.splitlines()[-1]


def test_a_busy_port_ends_the_app_with_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, str(APP), "--checkpoints", str(tmp_path), "--host", "127.0.0.1", "--port", str(port)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"Could not listen on port {port}: it is taken")
    assert "Traceback" not in ended.stderr
