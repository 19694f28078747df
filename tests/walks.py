"""Interactions for tests: people who walk along the items in a circle, so that who comes next is easy to learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def walks(
    path: Path,
    people: int = 60,
    items: int = 30,
    length: int = 7,
    *,
    title: Callable[[int], str] | None = None,
    time: Callable[[int], str] = str,
    mark: str = ",",
) -> Path:
    """Writes a table with the columns user, item, time and, where ``title`` names an item, title; gives ``path`` back.

    Person p begins at item p and takes ``length`` steps, at ``time(0)``, ``time(1)`` and so on.
    """
    lines = [["user", "item", "time", *(["title"] if title else [])]]
    for person in range(people):
        for step in range(length):
            item = (person + step) % items
            lines.append([f"u{person}", str(item), time(step), *([title(item)] if title else [])])
    path.write_text("\n".join(mark.join(line) for line in lines), encoding="utf-8")
    return path
