"""What the workshop is asked and what it tells: orders, lessons, progress."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from demo_core.engine.answers import InputError
from demo_core.engine.questions import LARGEST_SEED, check_name, check_whole
from demo_core.engine.titles import shown
from demo_core.own_data import EFFORTS, FEWEST, SMALL_SET

LONGEST_TITLE, LONGEST_NOUN = 40, 20
LAST_WORDS = 200  # characters of an unexpected end
_TEXTS = (("title", LONGEST_TITLE), ("noun", LONGEST_NOUN))
State = Literal["idle", "running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class Order:
    """What is to be made of a file: see ``scripts.own_data`` for the settings."""

    file: Path
    title: str
    noun: str = "item"
    fewest: int = 5
    models: tuple[str, ...] = SMALL_SET
    effort: str = "quick"
    seed: int = 0

    def checked(self) -> Order:
        """The order with plain texts; raises :class:`InputError` saying what was expected."""
        title, noun = (_words(name, getattr(self, name), most) for name, most in _TEXTS)
        check_whole("the fewest interactions", self.fewest, FEWEST[0], FEWEST[-1])
        check_name("the effort", self.effort, list(EFFORTS))
        check_whole("the seed", self.seed, 0, LARGEST_SEED)
        if not self.models:
            raise InputError("Expected at least one model to train.")
        for name in self.models:
            check_name("a model", name, SMALL_SET)
        return replace(self, title=title, noun=noun.lower())

    def arguments(self) -> list[str]:
        """As ``scripts.own_data`` takes them; the equals signs keep a title that begins with a dash a title."""
        settings = {"title": self.title, "noun": self.noun, "fewest": self.fewest, "effort": self.effort}
        settings["seed"] = self.seed
        return [str(self.file), *(f"--{name}={value}" for name, value in settings.items()), "--models", *self.models]


@dataclass(frozen=True)
class Lesson:
    """One model's training. ``epochs``: at most, 0 where it only counts; ``curve``: validation NDCG@20 after every
    epoch; ``hit``: HR@20 on the held-out last items, once it is trained.
    """

    model: str
    title: str
    epochs: int
    state: Literal["waiting", "training", "trained"] = "waiting"
    curve: tuple[float, ...] = ()
    hit: float | None = None
    rows: int = 0
    protocol: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """``seconds`` since the start; ``left`` until the end, at the pace so far and if no model stops early."""

    state: State = "idle"
    name: str | None = None
    title: str = ""
    lessons: tuple[Lesson, ...] = ()
    message: str = ""
    seconds: float = 0.0
    left: float | None = None


def _words(name: str, text: object, most: int) -> str:
    plain = " ".join(text.encode("utf-8", "replace").decode().split()) if isinstance(text, str) else ""
    if not 1 <= len(plain) <= most or not plain.isprintable():
        raise InputError(f"Expected a {name} of 1 to {most} characters, got {shown(repr(text))}.")
    return plain


def after(lesson: Lesson, kind: str, told: dict[str, Any]) -> Lesson:
    """The lesson when one more piece of news is in."""
    if kind == "began":
        return replace(lesson, state="training")
    if kind == "learned":
        return replace(lesson, curve=(*lesson.curve, told["epoch"]["quality"]))
    known = {"rows": told["rows"], "protocol": told["protocol"], "problems": tuple(told["problems"])}
    return replace(lesson, state="trained", hit=told["metrics"]["hr@20"], **known)


def seconds_left(state: State, lessons: Sequence[Lesson], seconds: float) -> float | None:
    """Seconds until the end at the pace so far; None before the first epoch and when nothing goes on."""
    done = sum(len(lesson.curve) for lesson in lessons)
    open_epochs = sum(lesson.epochs - len(lesson.curve) for lesson in lessons if lesson.state != "trained")
    return seconds / done * open_epochs if state == "running" and done else None


def last_words_of(text: str) -> str:
    """The last line of what a process said before it ended."""
    last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "without a word")
    return last[:LAST_WORDS]


def last_object(text: str) -> dict[str, Any] | None:
    """The last line that is a JSON object with a kind."""
    for line in reversed(text.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and "kind" in found:
            return found
    return None
