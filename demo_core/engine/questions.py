"""What is asked of the models, checked before any of them sees it. The values come from outside and may be anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from demo_core.engine.answers import InputError
from demo_core.engine.titles import shown

LONGEST_HISTORY = 5000
LONGEST_LIST = 100
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Question:
    """``history`` ids, oldest first; a list of ``k`` items; the ``seed`` of the noise, one for all models; evenness
    ``threshold`` in [0, 1], None = as trained; ``truth``: the item really chosen next; ``off``: positions in the
    history, from 1, of what the models do not read. It was seen all the same: lists leave it out.
    """

    history: tuple[int, ...]
    k: int = 10
    seed: int = 0
    threshold: float | None = None
    truth: int | None = None
    off: tuple[int, ...] = ()
    seen: tuple[int, ...] | None = None

    @property
    def excluded(self) -> tuple[int, ...]:
        """What lists leave out, where the protocol does: ``seen``, or the history where None is given."""
        return self.history if self.seen is None else self.seen

    @property
    def read(self) -> tuple[int, ...]:
        """The history as the models get it."""
        off = frozenset(self.off)
        return tuple(id for position, id in enumerate(self.history, start=1) if position not in off)

    def without(self, position: int) -> Self:
        """The same question with one more position off."""
        return replace(self, off=(*self.off, position))

    def checked(self, num_items: int, noun: str) -> Self:
        """The question itself; raises :class:`InputError` saying what was expected and what came."""
        if len(self.history) > LONGEST_HISTORY:
            raise InputError(f"Expected at most {LONGEST_HISTORY} {noun}s, got {len(self.history)}.")
        for id in (*self.history, *(() if self.truth is None else (self.truth,))):
            check_id(id, num_items, noun)
        check_whole("k", self.k, 1, LONGEST_LIST)
        check_whole("the seed", self.seed, 0, LARGEST_SEED)
        check_number("a threshold", self.threshold, 0, 1)
        if len(self.off) > len(self.history):
            raise InputError(f"Expected at most {len(self.history)} {noun}s to switch off, got {len(self.off)}.")
        for position in self.off:
            check_whole(f"a {noun} to switch off", position, 1, len(self.history))
        return self


def check_id(id: object, num_items: int, noun: str) -> None:
    """Raises :class:`InputError` unless ``id`` is a whole number in 1..``num_items``."""
    if isinstance(id, bool) or not isinstance(id, int) or not 1 <= id <= num_items:
        raise InputError(f"Expected {noun} ids from 1 to {num_items}, got {shown(repr(id))}.")


def check_number(name: str, value: object, low: float, high: float, optional: bool = True) -> None:
    """Raises :class:`InputError` unless ``value`` is a finite number in ``low``..``high``, or None where it is
    ``optional``.
    """
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"Expected {name} from {low:g} to {high:g}, got {shown(repr(value))}.")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raises :class:`InputError` unless ``value`` is a whole number in ``low``..``high``."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"Expected {name} to be a whole number from {low} to {high}, got {shown(repr(value))}.")


def check_name(what: str, name: object, known: Sequence[str]) -> str:
    """The name; raises :class:`InputError` unless it is one of ``known``."""
    if not isinstance(name, str) or name not in known:
        raise InputError(f"Expected {what} to be one of {', '.join(known)}, got {shown(repr(name))}.")
    return name
