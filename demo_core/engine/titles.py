"""What items are called: labels, and the normalised names by which a title can be found.

Titles are compared without case, accents and punctuation. One item has several names: its whole title, the title
without alternatives in brackets, without its leading article, each alternative, and each of these with the year.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from demo_core.engine.answers import Item
from demo_core.sequences import Catalogue

ARTICLES = (
    "the",
    "a",
    "an",
    "la",
    "le",
    "les",
    "el",
    "los",
    "las",
    "il",
    "lo",
    "der",
    "die",
    "das",
    "un",
    "une",
    "una",
)

# How a name belongs to its item, best first.
TITLE, WITHOUT_ARTICLE, ALTERNATIVE = range(3)

_BRACKETS = re.compile(r"\(([^()]*)\)")
_BRACKETED_WORDS = re.compile(r"\((?!\d{4}\))[^()]*\)")
_ARTICLE_LAST = re.compile(rf"^(.*), ({'|'.join(ARTICLES)}|l')((?: *\([^()]*\))*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Name:
    """One normalised name of item ``id``; ``kind`` says which, 0 is the title itself. ``dated``: the year is added."""

    text: str
    id: int
    kind: int
    dated: bool


def normalised(text: str) -> str:
    """Lower case without accents, apostrophes and punctuation, ``&`` read as "and", words one space apart."""
    plain = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    kept = (c for c in plain if not unicodedata.combining(c) and c not in "'’`")
    return " ".join("".join(c if c.isalnum() else " " for c in kept).split())


def article_first(text: str) -> str:
    """``Matrix, The (1999)`` -> ``The Matrix (1999)``."""
    return _ARTICLE_LAST.sub(r"\2 \1\3", text)


def without_alternatives(text: str) -> str:
    """``Seven (a.k.a. Se7en) (1995)`` -> ``Seven (1995)``."""
    return " ".join(_BRACKETED_WORDS.sub(" ", text).split())


def label(item: Item) -> str:
    """``The Matrix (1999)``, or the title alone."""
    return item.title if item.year is None else f"{item.title} ({item.year})"


def shown(text: str) -> str:
    """What a visitor typed, for a message: one line of at most 60 characters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def catalogue_items(catalogue: Catalogue) -> tuple[Item, ...]:
    """The items 1..M in order; popularity is the quarter of the catalogue by how often an item is a target."""
    order = sorted(catalogue.counts)
    columns = zip(catalogue.titles, catalogue.years, catalogue.genres, catalogue.counts, strict=True)
    return tuple(
        Item(id, title, year, genres, 1 + 4 * bisect.bisect_left(order, count) // len(order), count > 0)
        for id, (title, year, genres, count) in enumerate(columns, start=1)
    )


def names_of(item: Item) -> Iterator[Name]:
    """All names of an item, each once."""
    found = {normalised(item.title): TITLE, normalised(without_alternatives(item.title)): TITLE}
    for alternative in _BRACKETS.findall(item.title):
        found.setdefault(normalised(alternative.removeprefix("a.k.a. ")), ALTERNATIVE)
    for text, kind in list(found.items()):
        article, _, rest = text.partition(" ")
        if article in ARTICLES and rest:
            found.setdefault(rest, max(kind, WITHOUT_ARTICLE))
    for text, kind in found.items():
        if text:
            yield Name(text, item.id, kind, dated=False)
            if item.year is not None:
                yield Name(f"{text} {item.year}", item.id, kind, dated=True)
