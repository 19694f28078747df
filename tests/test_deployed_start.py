"""What a Space gets starts by itself, in an environment with its requirements and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from demo_core.space_files import space_files, write_space
from demo_core.space_variant import changed_for
from scripts.serving import free_port

ROOT = Path(__file__).parent.parent
INSTALLING, STARTING = 280, 90  # seconds
NO_REGISTRY = re.compile(
    "Max retries exceeded|connection broken by|Could not fetch URL|Failed to establish a new connection"
    "|Name or service not known|Temporary failure in name resolution|Network is unreachable"
)


def with_pip() -> str:
    """A Python that has pip; the one of the tests need not."""
    found = [str(Path(sys.base_prefix) / "bin/python3"), sys.executable, shutil.which("python3") or "python3"]
    for python in found:
        if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return python
    pytest.skip(f"there is no pip in {', '.join(found)}")


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Path]:
    """The files of a Space on cpu-basic, and beside them their own environment, .venv."""
    folder = tmp_path / "space"
    write_space(space_files(ROOT), changed_for(ROOT, "cpu-basic", "https://hub.example/spaces/owner/name"), folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    # Without compiling: most of what is installed is never imported.
    pip = [with_pip(), "-m", "pip", "--python", str(folder / ".venv/bin/python")]
    install = [*pip, "install", "--quiet", "--no-compile", "--no-input", "-r", str(folder / "requirements.txt")]
    try:
        told = subprocess.run(install, capture_output=True, text=True, timeout=INSTALLING)
        if told.returncode != 0 and NO_REGISTRY.search(told.stderr):
            pytest.skip(f"pip reaches no registry: {told.stderr.strip().splitlines()[-1]}")
        assert told.returncode == 0, told.stderr
        yield folder
    finally:
        # More than a gigabyte, which takes a slow disk a minute: nobody waits for it.
        subprocess.run(
            ["sh", "-c", 'rm -rf "$1" &', "sh", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextmanager
def started(space: Path) -> Iterator[str]:
    """The app as a Space starts it: \"python app.py\", told where to listen by its environment alone."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(space),
        "SPACE_ID": "owner/name",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
    }
    said = (space / "said.txt").open("w+")
    process = subprocess.Popen(
        [space / ".venv/bin/python", "app.py"], cwd=space, env=environment, stdout=said, stderr=said
    )
    try:
        address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + STARTING
        while not answers(address):
            assert process.poll() is None and time.monotonic() < deadline, (space / "said.txt").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()
        said.close()


def answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=STARTING) as page:
            return bool(page.status == 200)
    except (OSError, HTTPException):
        return False


def ask(address: str, endpoint: str, **named: object) -> Any:
    """The answer of a public endpoint."""
    place = f"{address}/gradio_api/call/v2/{endpoint}"
    asked = Request(place, json.dumps(named).encode(), {"Content-Type": "application/json"})
    with urlopen(asked, timeout=STARTING) as answer:
        event = json.load(answer)["event_id"]
    with urlopen(f"{address}/gradio_api/call/{endpoint}/{event}", timeout=STARTING) as answer:
        kind, data = answer.read().decode().strip().splitlines()[-2:]
    assert kind == "event: complete", data
    return json.loads(data.removeprefix("data: "))[0]


def test_the_deployed_files_start_in_a_clean_environment_and_answer(space: Path) -> None:
    with started(space) as address:
        with urlopen(address, timeout=STARTING) as page:
            html = page.read().decode()
        assert "Turnpoint" in html and "Your data" not in html, "on a Space nobody trains unless that is wished for"
        answer = ask(address, "compare", items=["The Matrix", "Alien", "Blade Runner"])
        assert [(one["error"], len(one["items"])) for one in answer["lists"]] == [(None, 10)] * 3
        assert {one["name"] for one in ask(address, "datasets")} == {"movielens", "zhihu"}
        measured = {one["model"] for one in ask(address, "benchmarks")}
        assert measured >= {"card", "tdm", "globaldiff"}, "the figures are there"
