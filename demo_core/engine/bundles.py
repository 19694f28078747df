"""The bundles of one data set, loaded so that one that cannot be used takes no other with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from demo_core import checkpoint
from demo_core.checkpoint import BESIDE, Bundle, BundleError
from demo_core.datasets import PROTOCOLS
from demo_core.engine.answers import ModelStatus
from demo_core.health import failures
from demo_core.models import MODELS
from demo_core.own_data import is_own
from demo_core.runs import Run
from demo_core.sequences import Catalogue

# The three methods that the page compares, in the order of their lists.
COMPARED = ("tdm", "card", "globaldiff")
# Who is believed first when two catalogues are equally common.
_PRECEDENCE = ("card", "tdm", "globaldiff")


@dataclass(frozen=True)
class Loaded:
    """A model's bundle, or the reason why there is none; exactly one of the two is given."""

    name: str
    title: str
    bundle: Bundle | None
    error: str | None


def load_bundles(folder: Path, dataset: str, device: torch.device) -> tuple[Loaded, ...]:
    """All bundles in ``folder``, one subfolder a model, and an entry for each compared model that has none; on own data
    only what was chosen was trained, and nothing is missing.
    """
    found = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    others = [name for name in MODELS if name in found and name not in COMPARED]
    whole = [name for name in found if not name.startswith(".") and not name.endswith(BESIDE)]
    strangers = [name for name in whole if name not in MODELS]
    compared = [name for name in COMPARED if name in found or not is_own(dataset)]
    loaded = [_load(folder / name, dataset, device) for name in (*compared, *others, *strangers)]
    return with_one_catalogue(loaded)


def with_one_catalogue(loaded: Sequence[Loaded]) -> tuple[Loaded, ...]:
    """Keeps the bundles with the commonest catalogue; the others become errors, since ids would mean other items."""
    hashes = {one.name: one.bundle.catalogue.hash for one in loaded if one.bundle is not None}
    if not hashes:
        return tuple(loaded)
    common = Counter(hashes.values())
    order = sorted(hashes, key=lambda name: _PRECEDENCE.index(name) if name in _PRECEDENCE else len(_PRECEDENCE))
    kept = max((hashes[name] for name in order), key=lambda found: common[found])
    like = next(one.title for name in order if hashes[name] == kept for one in loaded if one.name == name)
    reason = f"its catalogue is not the one of {like}. Train both on the same prepared data."
    return tuple(
        replace(one, bundle=None, error=_could_not(one.title, reason)) if hashes.get(one.name, kept) != kept else one
        for one in loaded
    )


def shared_catalogue(loaded: Sequence[Loaded]) -> Catalogue | None:
    """The catalogue of the usable bundles, if there are any."""
    return next((one.bundle.catalogue for one in loaded if one.bundle is not None), None)


def status(one: Loaded, dataset: str) -> ModelStatus:
    """What the page tells about a model; the health is that of the bundle's own test run."""
    if one.bundle is None:
        return ModelStatus(one.name, one.title, None, dataset, None, {}, (), one.error, ())
    run = test_run(one.bundle)
    health = {} if run is None else dict(run.health)
    try:
        problems = failures(health) if health else ()
        healthy = not problems if health else None
    except KeyError as missing:
        problems, healthy = (f"its health lacks the figure {missing}",), None
    return ModelStatus(
        one.name, one.title, one.bundle.preset, dataset, healthy, dict(health), problems, None, one.bundle.runs
    )


def test_run(bundle: Bundle) -> Run | None:
    """The run on the test split of exactly these weights: its training seed, no variant; the newest if repeated."""
    seed = bundle.training.get("seed")
    runs = [run for run in bundle.runs if run.split == "test" and run.variant is None and run.seed == seed]
    return max(runs, key=lambda run: run.date, default=None)


def _load(folder: Path, dataset: str, device: torch.device) -> Loaded:
    name = folder.name
    title = MODELS[name].title if name in MODELS else name
    try:
        bundle = checkpoint.load(folder, device)
    except (BundleError, OSError) as error:
        # The page is public: it names the bundle, not the folders of this machine.
        return Loaded(name, title, None, _could_not(title, str(error).replace(str(folder), f"{dataset}/{name}")))
    if (bundle.name, bundle.dataset) != (name, dataset):
        reason = f"{dataset}/{name} holds {bundle.name} for {bundle.dataset}; expected {name} for {dataset}."
        return Loaded(name, title, None, _could_not(title, reason))
    if bundle.protocol not in PROTOCOLS:
        reason = f"{dataset}/{name} has the protocol {bundle.protocol!r}; expected one of {', '.join(PROTOCOLS)}."
        return Loaded(name, title, None, _could_not(title, reason))
    return Loaded(name, title, bundle, None)


def _could_not(title: str, reason: str) -> str:
    return f"{title} could not be loaded: {reason}"
