"""The stand-in for the Hub as a process of its own, for tests."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tests.hub.faults import SWITCH, Kind

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds a process may take to start or to answer
GRACE = 5.0  # seconds it may take to end before it is killed


@dataclass(frozen=True)
class HubProcess:
    """A running hub. ``owner`` may push with ``token`` and only read with ``read_token``; ``guest_token`` is the
    writing token of a second user, ``guest``, to whom none of the owner's private or gated repositories is open.
    """

    url: str
    owner: str
    token: str
    read_token: str
    guest: str
    guest_token: str

    def fault(self, kind: Kind, *, after: int = 0, path: str | None = None, times: int | None = None) -> None:
        """Switches a fault on; see ``faults.py``. ``times`` None: until :meth:`no_faults`."""
        self._ask("POST", {"kind": kind, "after": after, "path": path, "times": times})

    def no_faults(self) -> None:
        self._ask("DELETE")

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on, oldest first, each with how often it was ``used``."""
        found: list[dict[str, Any]] = json.loads(self._ask("GET"))
        return found

    def _ask(self, method: str, content: dict[str, Any] | None = None) -> bytes:
        # http.client goes straight to this machine whatever proxy the environment names
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            connection.request(method, SWITCH, None if content is None else json.dumps(content))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"Expected 200 for {method} {SWITCH}, got {answer.status}: {body.decode()}")
        return body


@contextmanager
def hub_process(folder: Path, owner: str = "owner", guest: str = "guest") -> Iterator[HubProcess]:
    """A hub over ``folder`` on a free port until the block ends; the same folder can be served again later."""
    command = [sys.executable, "-m", "tests.hub", "--folder", str(folder), "--users", owner, guest, "--child"]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        try:
            hub = _begun(process, said)
            hub.faults()
            yield hub
        finally:
            _end(process)


def _begun(process: subprocess.Popen[bytes], said: IO[bytes]) -> HubProcess:
    """Reads the line that a hub writes when it listens."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if waiting.select(PATIENCE) else b""
    if not line:
        said.seek(0)
        text = said.read().decode(errors="replace")
        raise RuntimeError(f"The hub did not listen within {PATIENCE:.0f} s, or its process ended. It said:\n{text}")
    return HubProcess(**json.loads(line))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
