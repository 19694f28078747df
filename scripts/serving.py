"""The app as a process of its own, and beside it the least that any Gradio page with torch needs to start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
APP = ("app.py", "--host", "127.0.0.1", "--port")
EMPTY = (
    "-c",
    "import sys, torch, gradio\n"
    "with gradio.Blocks(analytics_enabled=False) as page: pass\n"
    "page.launch(server_name='127.0.0.1', server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)",
)
BETWEEN = 0.02  # seconds between two tries to reach the page
PATIENCE = 120  # seconds until a process that does not answer is given up


@dataclass(frozen=True)
class Served:
    """A page that answers: where, in which process, and how many seconds after its command it first did."""

    address: str
    pid: int
    seconds: float


def free_port() -> int:
    """A port nobody listens on: Gradio's own search leaves a socket open for every port it finds taken."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: Sequence[str] = APP) -> Iterator[Served]:
    """Runs Python with ``command`` and a free port after it, until the block ends."""
    port, begin = free_port(), time.perf_counter()
    environment = os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, *command, str(port)], cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, address, said)
            yield Served(address, process.pid, time.perf_counter() - begin)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, said: IO[bytes]) -> None:
    """Until ``address`` answers with a page: a line in the log would come before."""
    deadline = time.perf_counter() + PATIENCE
    while not _answers(address):
        if process.poll() is not None or time.perf_counter() > deadline:
            said.seek(0)
            text = said.read().decode(errors="replace")
            raise RuntimeError(f"{address} did not answer within {PATIENCE} s, or its process ended. It said:\n{text}")
        time.sleep(BETWEEN)


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=PATIENCE) as page:
            return bool(page.status == 200)
    except (OSError, HTTPException):
        return False


def seconds_to_listen(command: Sequence[str]) -> float:
    """One start, and its end."""
    with served(command) as page:
        return page.seconds
