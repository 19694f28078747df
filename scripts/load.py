"""``python -m scripts.load URL``: many visitors at once, against an app that is running.

python app.py --port 7860 &
python -m scripts.load http://127.0.0.1:7860 --clients 20 --calls 5 --pid $!

Prints how many calls were answered, refused and lost, how long they took, and with ``--pid`` the memory of the app
after 100 and after ``--requests`` calls. Ends with an error where a call was lost.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from scripts.messages import count

FULL = "queue is full"
TIMEOUT = 60  # seconds without a word
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("search_items", {"query": "matrx"}),
    ("recommend", {"model": "card", "items": [1, 3, 5, 7, 11]}),
    ("explain", {"items": [1, 3, 5, 7, 11]}),
    ("compare", {"items": [1, 3, 5, 7]}),
    ("denoise", {"items": [1, 3, 5], "steps": 5}),
)


LONG: tuple[str, dict[str, Any]] = ("run_benchmark", {"models": ["card", "tdm", "globaldiff"]})
FIRST = 100  # calls after which the memory is what later ones are compared with


@dataclass(frozen=True)
class Outcome:
    """``kind``: "answered", "refused" (the queue was full) or "lost", then with its ``reason``; ``seconds`` until
    then.
    """

    kind: str
    seconds: float
    reason: str = ""


def ask(address: str, name: str, question: dict[str, Any]) -> Outcome:
    """One call over the public address, to its end."""
    started = time.perf_counter()
    last, data = "", ""
    try:
        for line in stream(address, name, question):
            last = line.removeprefix("event: ") if line.startswith("event: ") else last
            data = line if line.startswith("data: ") else data
    except HTTPError as error:
        last, data = "lost", error.read().decode(errors="replace")
    except (OSError, HTTPException, KeyError, ValueError) as error:
        last, data = "lost", f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    if last == "complete":
        return Outcome("answered", seconds)
    if FULL in data.lower():
        return Outcome("refused", seconds)
    return Outcome("lost", seconds, data.removeprefix("data: ") or "the answer broke off")


def stream(address: str, name: str, question: dict[str, Any]) -> Generator[str]:
    """The lines of an answer as they come; whoever stops reading closes the connection."""
    body, header = json.dumps(question).encode(), {"Content-Type": "application/json"}
    with urlopen(Request(f"{address}/gradio_api/call/v2/{name}", body, header), timeout=TIMEOUT) as asked:
        event = json.load(asked)["event_id"]
    with urlopen(f"{address}/gradio_api/call/{name}/{event}", timeout=TIMEOUT) as answer:
        for line in answer:
            yield line.decode().rstrip("\n")


def visit(address: str, calls: int, first: int) -> list[Outcome]:
    """One visitor, one call after the other."""
    return [ask(address, *CALLS[(first + number) % len(CALLS)]) for number in range(calls)]


def crowd(address: str, clients: int, calls: int) -> list[Outcome]:
    """``clients`` visitors at the same time."""
    with ThreadPoolExecutor(clients) as pool:
        told = pool.map(lambda first: visit(address, calls, first), range(clients))
        return list(itertools.chain.from_iterable(told))


def leave(address: str, visitors: int) -> None:
    """``visitors``, one after the other, who go away when a long answer begins."""
    for _ in range(visitors):
        told = stream(address, *LONG)
        next(told)
        told.close()


def grown(address: str, pid: int, requests: int) -> tuple[float, float]:
    """The megabytes that process ``pid`` holds after the first calls, and after all ``requests``."""
    visit(address, FIRST, 0)
    before = resident_megabytes(pid)
    visit(address, requests - FIRST, 0)
    return before, resident_megabytes(pid)


def percentile(values: Sequence[float], share: int) -> float:
    """The ``share`` th of a hundred."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1] if len(values) > 1 else values[0]


def process(text: str) -> int:
    """The number of a process that runs; ``ArgumentTypeError``, which the command line tells, for anything else."""
    pid = count(text)
    if not Path(f"/proc/{pid}/status").exists():
        raise argparse.ArgumentTypeError(f"expected the number of a process that runs on this machine, got {text!r}")
    return pid


def resident_megabytes(pid: int) -> float:
    """What a process holds in memory (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def main() -> None:
    """Asks, counts and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--clients", type=count, default=20)
    parser.add_argument("--calls", type=count, default=5)
    parser.add_argument("--requests", type=count, default=1000, help="calls for the memory, with --pid")
    parser.add_argument("--pid", type=process, help="process of the app on this machine")
    wishes = parser.parse_args()
    told = crowd(wishes.address, wishes.clients, wishes.calls)
    kinds = {kind: sum(one.kind == kind for one in told) for kind in ("answered", "refused", "lost")}
    seconds = [one.seconds for one in told]
    print(f"{wishes.clients} clients x {wishes.calls} calls: {kinds}")
    print(f"median {percentile(seconds, 50):.2f} s, p95 {percentile(seconds, 95):.2f} s, longest {max(seconds):.2f} s")
    if wishes.pid:
        before, after = grown(wishes.address, wishes.pid, wishes.requests)
        told_megabytes = f"{before:.0f} MB, after {wishes.requests} {after:.0f} MB: {after / before:.2f} x"
        print(f"memory after {FIRST} requests {told_megabytes}")
    if lost := [one.reason for one in told if one.kind == "lost"]:
        raise SystemExit(
            f"expected an app at {wishes.address} that answers, but {len(lost)} of {len(told)} calls were lost, the"
            f" first by {lost[0]!r}: start the app, or read what it says"
        )


if __name__ == "__main__":
    main()
