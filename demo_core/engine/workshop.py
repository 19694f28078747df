"""Where a visitor's own data become models: one training at a time, in a process of its own, told as it goes.

A process of its own leaves the page its memory and its answers, and can be stopped at any moment: what was finished
stays, what was not leaves nothing behind.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo_core.engine.answers import InputError
from demo_core.engine.finished import is_finished, tidy
from demo_core.engine.questions import check_name
from demo_core.engine.workshop_answers import (
    Lesson,
    Order,
    Progress,
    State,
    after,
    last_object,
    last_words_of,
    seconds_left,
)
from demo_core.models import MODELS
from demo_core.own_data import About, is_own, slug
from demo_core.prepared import DataError

PATIENCE = 60  # seconds
MOST_SETS = 20


@dataclass
class _Run:
    """What is known of the training that goes on or went last."""

    order: Order
    name: str
    process: subprocess.Popen[str]
    started: float
    forget_file: bool
    listener: threading.Thread | None = None
    ended: float | None = None
    state: State = "running"
    message: str = ""
    lessons: dict[str, Lesson] = field(default_factory=dict)


class Workshop:
    """``command`` is what trains, ``scripts.own_data`` as a command line; ``changed`` is told which data set has new
    bundles, or has gone; ``home``: the folder in which the command runs.
    """

    def __init__(
        self, checkpoints: Path, command: Sequence[str], changed: Callable[[str], None], home: Path | None = None
    ) -> None:
        self._checkpoints, self._command, self._changed = checkpoints.resolve(), tuple(command), changed
        self._home = home
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._run: _Run | None = None

    def check(self, file: Path, fewest: int, noun: str = "item") -> dict[str, Any]:
        """What is in a file: counts, columns and notes. :class:`InputError` where it cannot be trained on.

        It is read by the command too, one file at a time and within a minute: a table may be made to fill a machine.
        """
        order = Order(file, title="Table", noun=noun, fewest=fewest).checked()
        if not self._reading.acquire(timeout=PATIENCE):
            raise InputError("Another table is being read. Try again in a moment.")
        try:
            done = self._run_command([*order.arguments(), "--check"])
        except subprocess.TimeoutExpired as error:
            raise InputError(f"The table was not read within {PATIENCE} s; bring a sample of the people.") from error
        finally:
            self._reading.release()
        told = last_object(done.stdout)
        if told is None or told.pop("kind") == "problem":
            raise InputError(told["message"] if told else f"The table could not be read: {last_words_of(done.stderr)}")
        return told

    def _run_command(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = [*self._command, *arguments, "--json"]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=self._home,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, order: Order, forget_file: bool = False) -> None:
        """Begins to train; :class:`InputError` while another training goes on, or when the name is taken.

        ``forget_file``: the table is deleted when it is over.
        """
        order = order.checked()
        try:
            name = slug(order.title)
        except DataError as error:
            raise InputError(str(error)) from error
        with self._lock:
            if self._run is not None and self._run.ended is None:
                raise InputError(
                    f"“{self._run.order.title}” is being trained. One at a time: try again when it is done."
                )
            if any(is_finished(bundle) for bundle in (self._checkpoints / name).glob("*")):
                raise InputError(f"There is a data set “{order.title}” already. Remove it, or choose another name.")
            if len(self.own()) >= MOST_SETS:
                raise InputError(f"There are {MOST_SETS} data sets already. Remove one first.")
            shutil.rmtree(self._checkpoints / name, ignore_errors=True)  # of a training that was broken off
            command = [*self._command, *order.arguments(), f"--checkpoints={self._checkpoints}", "--json"]
            process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                cwd=self._home,
            )
            run = self._run = _Run(order, name, process, time.monotonic(), forget_file)
            run.listener = threading.Thread(target=self._listen, args=(run,), daemon=True)
            run.listener.start()

    def progress(self) -> Progress:
        """How far the training is that goes on, or went last."""
        with self._lock:
            run = self._run
            if run is None:
                return Progress()
            seconds = (run.ended or time.monotonic()) - run.started
            lessons = tuple(run.lessons.values())
            state: State = "running" if run.ended is None else run.state
            left = seconds_left(state, lessons, seconds)
            return Progress(state, run.name, run.order.title, lessons, run.message, seconds, left)

    def stop(self) -> None:
        """Breaks the training off; models that are trained stay."""
        with self._lock:
            run = self._run
            if run is None or run.ended is not None:
                return
            run.state = "stopped"
            run.process.terminate()

    def close(self) -> None:
        """:meth:`stop`, and waits until all is tidy."""
        self.stop()
        run = self._run
        if run is not None and run.listener is not None:
            run.listener.join(PATIENCE)

    def remove(self, name: object) -> None:
        """Deletes an own data set with its models; :class:`InputError` for any other, and while it is trained."""
        with self._lock:
            check_name("the data set", name, [one.name for one in self.own()])
            run = self._run
            if run is not None and run.ended is None and run.name == name:
                raise InputError("It is being trained. Stop that first.")
            shutil.rmtree(self._checkpoints / str(name))
            if run is not None and run.name == name:
                self._run = None
        self._changed(str(name))

    def own(self) -> tuple[About, ...]:
        """The data sets that were brought and have a model, by name."""
        folders = sorted(path for path in self._checkpoints.glob("*") if is_own(path.name))
        there = [folder for folder in folders if any(is_finished(bundle) for bundle in folder.glob("*"))]
        return tuple(about for folder in there if (about := About.read(folder)) and about.name == folder.name)

    def _listen(self, run: _Run) -> None:
        """Reads what the process tells to its end, then tidies up."""
        last_words: list[str] = []
        with run.process as process:
            assert process.stdout is not None and process.stderr is not None
            errors = threading.Thread(target=last_words.extend, args=(process.stderr,), daemon=True)
            errors.start()
            for line in process.stdout:
                self._hear(run, line)
            errors.join()
        tidy(self._checkpoints / run.name)
        if run.forget_file:
            run.order.file.unlink(missing_ok=True)
        self._changed(run.name)
        with self._lock:
            run.ended = time.monotonic()
            if run.state == "running":
                run.state = "failed" if process.returncode else "done"
            if run.state == "failed" and not run.message:
                run.message = f"The training ended unexpectedly: {last_words_of(''.join(last_words))}"

    def _hear(self, run: _Run, line: str) -> None:
        try:
            told = json.loads(line)
            kind = told["kind"]
        except (ValueError, LookupError, TypeError):
            return  # a warning of a library
        with self._lock:
            if kind == "planned":
                run.lessons = {name: Lesson(name, MODELS[name].title, most) for name, most in told["epochs"].items()}
            elif kind == "problem":
                run.message = told["message"]
            elif kind in ("began", "learned", "trained"):
                run.lessons[told["model"]] = after(run.lessons[told["model"]], kind, told)
        if kind == "trained":
            self._changed(run.name)
