"""What a command says where it cannot go on, or not begin."""

from __future__ import annotations

import argparse
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


def count(text: str) -> int:
    """A number of things, 1 or more; ``ArgumentTypeError``, which the command line tells, for anything else."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more, got {text!r}")
    return int(text)
