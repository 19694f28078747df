"""Parts of a stream that reach every client as they were told.

Between two parts of a stream Gradio sends a client only what changed. Where something was taken out of a list that
stands in another list, it counts wrongly: films with fewer genres than before are enough, and the client stops with an
error or takes a wrong part for a right one. Only dicts, lists and texts are looked into, so that a part that is none of
these goes out whole; in JSON it is the same object.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import make_dataclass
from functools import lru_cache, wraps
from typing import Any


def in_whole_parts(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """``endpoint`` under its name, with its hints and its text; if it streams, each dict goes out :func:`whole`."""
    if not inspect.isgeneratorfunction(endpoint):
        return endpoint

    @wraps(endpoint)
    def streamed(*asked: Any, **named: Any) -> Iterator[object]:
        with closing(endpoint(*asked, **named)) as parts:  # a client that leaves ends the work, too
            yield from map(whole, parts)

    return streamed


def whole(part: Mapping[str, Any]) -> object:
    """A dataclass object with the keys of ``part``, which are identifiers, as its fields."""
    return _shape(tuple(part))(**part)


@lru_cache(maxsize=64)
def _shape(names: tuple[str, ...]) -> type:
    # Compared by identity: a difference is never looked for.
    return make_dataclass("Part", names, eq=False)
