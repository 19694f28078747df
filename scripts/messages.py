"""What a command says where it cannot go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_message(*kinds: type[Exception]) -> Iterator[None]:
    """An error of these ``kinds`` ends the program with its message alone: it says what was expected and what to do.

    Around a whole command (as a decorator) only kinds that no fault of ours raises; others need a traceback.
    """
    try:
        yield
    except kinds as error:
        raise SystemExit(str(error)) from error
