"""The whole catalogue as the page needs it: facts of every item, and the names by which it is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo_core.engine import Engine
from demo_core.engine.search import ALIKE, LONGEST_QUERY
from demo_core.engine.titles import ALTERNATIVE, ARTICLES, names_of


def catalogue(engine: Engine, checkpoints: Path) -> dict[str, Any]:
    """One entry an item in every list, in the order of the ids. ``names``: normalised, each with its kind; ``counts``:
    how often an item is a training target. With it, the rules of the search.
    """
    items = [engine.item(id) for id in range(1, engine.num_items + 1)]
    genres = sorted({genre for item in items for genre in item.genres})
    place = {genre: at for at, genre in enumerate(genres)}
    return {
        "titles": [item.title for item in items],
        "years": [item.year for item in items],
        "genres": genres,
        "genres_of": [[place[genre] for genre in item.genres] for item in items],
        "popularity": [item.popularity for item in items],
        "counts": list(engine.counts),
        "names": [[[name.text, name.kind] for name in names_of(item) if not name.dated] for item in items],
        "search": {"articles": ARTICLES, "alternative": ALTERNATIVE, "alike": ALIKE, "longest": LONGEST_QUERY},
    }
