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

from demo_core.checkpoint import CONFIG_FILE
from demo_core.engine.answers import InputError
from demo_core.engine.questions import check_name, check_whole
from demo_core.engine.workshop_answers import Lesson, Order, Progress, State, after, seconds_left
from demo_core.interactions import read_interactions
from demo_core.models import MODELS
from demo_core.own_data import FEWEST, About, is_own, keep, slug
from demo_core.prepared import DataError

LAST_WORDS = 200  # characters of an unexpected end


@dataclass
class _Run:
    """What is known of the training that goes on or went last."""

    order: Order
    name: str
    process: subprocess.Popen[str]
    started: float
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
        self._lock = threading.Lock()
        self._run: _Run | None = None

    def check(self, file: Path, fewest: int, noun: str = "item") -> dict[str, Any]:
        """What is in a file: counts, columns and notes. :class:`InputError` where it cannot be trained on."""
        check_whole("the fewest interactions", fewest, FEWEST[0], FEWEST[-1])
        try:
            found = read_interactions(file)
            kept = keep(found, fewest, films=noun == "film")
        except DataError as error:
            raise InputError(str(error)) from error
        return {
            "rows": found.rows,
            "columns": found.columns,
            "notes": list(found.notes),
            "people": kept.people,
            "items": kept.items,
            "interactions": kept.interactions,
            "people_before": kept.people_before,
            "items_before": kept.items_before,
            "since": kept.since,
            "until": kept.until,
            "examples": list(kept.sequences.titles[:3]),
        }

    def start(self, order: Order) -> None:
        """Begins to train; :class:`InputError` while another training goes on, or when the name is taken."""
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
            if (self._checkpoints / name).exists():
                raise InputError(f"There is a data set “{order.title}” already. Remove it, or choose another name.")
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
            self._run = _Run(order, name, process, time.monotonic())
        threading.Thread(target=self._listen, args=(self._run,), daemon=True).start()

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

    def remove(self, name: object) -> None:
        """Deletes an own data set with its models; :class:`InputError` for any other, and while it is trained."""
        known = [one.name for one in self.own()]
        check_name("the data set", name, known)
        with self._lock:
            run = self._run
            if run is not None and run.ended is None and run.name == name:
                raise InputError("It is being trained. Stop that first.")
            shutil.rmtree(self._checkpoints / str(name))
        self._changed(str(name))

    def own(self) -> tuple[About, ...]:
        """The data sets that were brought, by name."""
        folders = sorted(path for path in self._checkpoints.glob("*") if is_own(path.name))
        return tuple(about for folder in folders if (about := About.read(folder)) and about.name == folder.name)

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
        self._tidy(self._checkpoints / run.name)
        self._changed(run.name)
        with self._lock:
            run.ended = time.monotonic()
            if run.state == "running":
                run.state = "failed" if process.returncode else "done"
            if run.state == "failed" and not run.message:
                last = next((line.strip() for line in reversed(last_words) if line.strip()), "without a word")
                run.message = f"The training ended unexpectedly: {last[:LAST_WORDS]}"

    @staticmethod
    def _tidy(folder: Path) -> None:
        """Half-written bundles go, and with them a data set of which nothing was finished."""
        for unfinished in folder.glob("*.new"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if not any(folder.glob(f"*/{CONFIG_FILE}")):
            shutil.rmtree(folder, ignore_errors=True)

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
