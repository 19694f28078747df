import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

# The Hub's client reads its environment once, when it is imported; the modules below may do that.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from demo_core import checkpoint
from demo_core.checkpoint import Bundle
from demo_core.datasets import Dataset, toy_world
from demo_core.measure import Subject, measure
from demo_core.models import MODELS
from demo_core.sequences import Catalogue
from demo_core.training import fit

FILMS = (
    ("The Matrix", 1999),
    ("The Matrix Reloaded", 2003),
    ("Monsters, Inc.", 2001),
    ("Amelie (Le Fabuleux destin d'Amélie Poulain)", 2001),
    ("Seven (a.k.a. Se7en)", 1995),
    ("Sabrina", 1954),
    ("Sabrina", 1995),
    ("300", 2007),
    ("The Good, the Bad and the Ugly", 1966),
    ("<img src=x onerror=alert(1)>", 2000),
    ("Alien", 1979),
    ("Aliens", 1986),
    ("Heat", 1995),
    ("Blade Runner", 1982),
    ("Blade Runner 2049", 2017),
    ("WALL·E", 2008),
)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of floats depend on the number of threads; tests must not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def toy() -> Dataset:
    return toy_world()


@pytest.fixture(scope="session")
def film_world() -> Dataset:
    """The toy world of 16 items with film titles; each film is followed by the next one."""
    world = toy_world(len(FILMS), 120, 8)
    titles, years = zip(*FILMS, strict=True)
    genres = (("Drama",),) * len(FILMS)
    catalogue = Catalogue(titles, years, genres, world.catalogue.counts, noun="film")
    return replace(world, name="movielens", title="MovieLens", catalogue=catalogue)


@pytest.fixture(scope="session")
def film_checkpoints(film_world: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoints folder with small bundles over :func:`film_world` (window 5, a few steps of training) and examples.

    Tests that break something copy it first.
    """
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    for name in ("card", "tdm", "globaldiff", "popularity"):
        settings = ["max_length=5", "embedding_dim=16", "max_epochs=2", "rows_per_epoch=256"]
        settings += ["backbone_epochs=1", "hidden_dim=16"] if name == "globaldiff" else []
        settings += ["layers=1"] if name in ("card", "tdm") else []
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = MODELS[name].model(MODELS[name].config(num_items=len(FILMS)).override(*settings))
        report = fit(model, film_world, seed=0, progress=False)
        run = measure(
            model, film_world, "test", Subject(name, "default", None, 0, report.epochs, report.seconds_per_epoch)
        ).run
        training = {"seed": 0, "epochs": report.epochs, "commit": "0123456789", "date": run.date}
        bundle = Bundle(
            model, name, "default", "movielens", film_world.protocol.name, film_world.catalogue, (run,), training
        )
        checkpoint.save(bundle, checkpoints / "movielens" / name)
    rows = film_world.test.seen(torch.arange(8))
    people = [
        {"history": rows[1][rows[0] == row].tolist(), "next": int(film_world.test.target[row])} for row in range(8)
    ]
    (checkpoints / "movielens" / "examples.json").write_text(json.dumps({"histories": people}))
    return checkpoints
