"""What comes in over HTTP, read or refused with a message for the client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from demo_core.engine.answers import InputError, Parsed
from demo_core.engine.titles import shown


@contextmanager
def messages_for_clients() -> Iterator[None]:
    """What the engine refuses becomes an error that reaches the client as it is."""
    try:
        yield
    except InputError as error:
        raise gr.Error(str(error), print_exception=False) from error


def ids_of(read: Parsed) -> list[int]:
    """The ids of items that were read."""
    return [item.id for item in read.items]


def text(name: str, value: object) -> str:
    """A text, or :class:`InputError`."""
    if not isinstance(value, str):
        raise InputError(f"Expected {name} to be a text, got {shown(repr(value))}.")
    return value


def a_list(name: str, value: object) -> list[Any]:
    """A list, or :class:`InputError`."""
    if not isinstance(value, list):
        raise InputError(f"Expected {name} to be a list, got {shown(repr(value))}.")
    return value
