"""A stand-in for ``spaces.GPU``: what it decorates really runs in a fork, so that questions and answers are copied."""

from __future__ import annotations

import inspect
import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds


class ForkedGPU:
    """Notes in the file ``log`` who was lent a GPU: process, question, and seconds at most."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, *, duration: Callable[..., int]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
            streams = inspect.isgeneratorfunction(task)

            def parts(*asked: Any) -> Iterator[Any]:
                yield from self._run(task, streams, asked, duration(*asked))

            def answer(*asked: Any) -> Any:
                (told,) = self._run(task, streams, asked, duration(*asked))
                return told

            return parts if streams else answer

        return decorate

    def lent(self) -> list[tuple[int, str, int]]:
        """All notes so far."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return [(int(pid), question, int(seconds)) for pid, question, seconds in map(str.split, lines)]

    def forget(self) -> None:
        """Begins a new page of notes."""
        self._log.unlink(missing_ok=True)

    def _run(self, task: Callable[..., Any], streams: bool, asked: tuple[Any, ...], seconds: int) -> Iterator[Any]:
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=self._work, args=(task, streams, there, seconds))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: of forks among threads
            process.start()
        there.close()
        try:
            here.send(asked)
            while (told := _received(here)) is not None:
                yield told[0]
        finally:
            here.close()
            process.join()

    def _work(self, task: Callable[..., Any], streams: bool, line: Connection, seconds: int) -> None:
        asked = line.recv()
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{os.getpid()} {asked[1]} {seconds}\n")
        try:
            for told in task(*asked) if streams else [task(*asked)]:
                line.send((told,))
            line.send(None)
        except BrokenPipeError:  # nobody listens any more
            pass
        except Exception as error:
            line.send(type(error).__name__)
        finally:
            os._exit(0)


def _received(line: Connection) -> tuple[Any] | None:
    """One part of the answer, None at its end; of an exception only the name comes back, as from the real one."""
    if not line.poll(PATIENCE):
        raise TimeoutError(f"The fork gave no answer within {PATIENCE} s.")
    told: tuple[Any] | str | None = line.recv()
    if isinstance(told, str):
        raise RuntimeError(told)
    return told
