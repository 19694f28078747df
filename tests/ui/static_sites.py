"""Small bundles to make static sites of: a title that would end a script, longer histories, and terms of the data."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from demo_core import checkpoint

HOSTILE = "</script><img src=x onerror=alert(1)>"  # the first film
TERMS = "LICENSE-films.txt"
PEOPLE = [
    ([1, 2, 3, 4, 5, 6, 7], 8),
    ([11, 12, 13, 3, 15], 16),
    ([16, 3, 9, 4, 1], 2),
    ([5, 6, 7, 8, 9, 10], 11),
    ([2, 11, 12, 14], 15),
    ([8, 9, 10], 11),
    ([14, 7, 5], 9),
    ([13, 2, 10], 4),
]


def prepared(film_checkpoints: Path, folder: Path) -> Path:
    """A copy of the bundles in ``folder``."""
    shutil.copytree(film_checkpoints, folder)
    movielens = folder / "movielens"
    for bundle_folder in [path for path in movielens.iterdir() if path.is_dir()]:
        bundle = checkpoint.load(bundle_folder)
        titles = (HOSTILE, *bundle.catalogue.titles[1:])
        checkpoint.save(replace(bundle, catalogue=replace(bundle.catalogue, titles=titles)), bundle_folder)
    people = [{"history": history, "next": following} for history, following in PEOPLE]
    (movielens / "examples.json").write_text(json.dumps({"histories": people}), encoding="utf-8")
    (movielens / TERMS).write_text("Terms of the films.", encoding="utf-8")
    return folder
