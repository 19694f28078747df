"""Example people: histories of real, anonymous people of the test split, with the item that really came next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator

from demo_core.sequences import Rows
from demo_core.whole_files import written_beside

MOST = 200
SHORTEST = 3


class ExamplesError(ValueError):
    """The file of example histories is missing or not what it should be."""


@dataclass(frozen=True)
class Example:
    """A whole history, oldest first, and the held-out item that really followed."""

    history: tuple[int, ...]
    next: int


def read_examples(path: Path, num_items: int) -> tuple[Example, ...]:
    """``{"histories": [{"history": [ids], "next": id}, ...]}`` -> examples; raises :class:`ExamplesError`."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["histories"]
        examples = tuple(Example(tuple(entry["history"]), entry["next"]) for entry in entries)
    except OSError:
        raise ExamplesError(
            f"There are no example people: expected {path.name} in checkpoints/{path.parent.name}."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise ExamplesError(
            f"There are no example people: {path.parent.name}/{path.name} is not a list of histories ({error!r})."
        ) from error
    ids = {id for example in examples for id in (*example.history, example.next)}
    strange = [id for id in ids if type(id) is not int or not 1 <= id <= num_items]
    if strange or not examples:
        found = f"the id {strange[0]!r}" if strange else "no history"
        raise ExamplesError(
            f"There are no example people: {path.parent.name}/{path.name} holds {found}; expected ids 1..{num_items}."
        )
    return examples


def pick(examples: tuple[Example, ...], seed: int) -> Example:
    """One of the examples, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return examples[int(torch.randint(len(examples), (), generator=generator))]


def choose_examples(rows: Rows, generator: Generator) -> tuple[Example, ...]:
    """Up to 200 random whole sequences with at least three items before the last one, in random order."""
    lengths = rows.target_at - rows.start
    usable = (rows.is_last & (lengths >= SHORTEST)).nonzero().squeeze(1)
    chosen = usable[torch.randperm(len(usable), generator=generator)[:MOST]].tolist()
    items = rows.items.tolist()
    return tuple(
        Example(tuple(items[int(rows.start[row]) : int(rows.target_at[row])]), items[int(rows.target_at[row])])
        for row in chosen
    )


def write_examples(examples: Sequence[Example], path: Path) -> None:
    """The inverse of :func:`read_examples`, written beside and renamed."""
    entries = [{"history": example.history, "next": example.next} for example in examples]
    with written_beside(path) as file:
        file.write_text(json.dumps({"histories": entries}, separators=(",", ":")) + "\n", encoding="utf-8")
