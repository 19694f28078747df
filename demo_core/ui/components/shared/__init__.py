"""What the pages' components have in common: scripts and styles, each read once and put before a component's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


def joined(folder: Path, common: tuple[str, ...], own: tuple[str, ...], ending: str) -> str:
    """The files ``common`` of this folder, then those of ``folder``, as one text; they share one scope."""
    return "\n".join(
        [*(_text(FOLDER, name + ending) for name in common), *(_text(folder, name + ending) for name in own)]
    )


@cache
def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")
