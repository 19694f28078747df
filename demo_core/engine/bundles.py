"""The bundles of one data set, loaded so that one that cannot be used takes no other with it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from demo_core import checkpoint
from demo_core.bundle_index import Entry, Source, weights_hash
from demo_core.checkpoint import BESIDE, WEIGHTS_FILE, Bundle, BundleError
from demo_core.datasets import PROTOCOLS
from demo_core.engine.answers import ModelStatus
from demo_core.health import failures
from demo_core.hub import Fetched, Hub, HubError, fetch_bundle
from demo_core.models import MODELS
from demo_core.own_data import is_own
from demo_core.runs import Run
from demo_core.sequences import Catalogue

# The three methods that the page compares, in the order of their lists.
COMPARED = ("tdm", "card", "globaldiff")
# Who is believed first when two catalogues are equally common.
_PRECEDENCE = ("card", "tdm", "globaldiff")
RETRY_AFTER = 30.0  # seconds
REPIN = "python -m scripts.pin checkpoints/{folder}"
TRAIN = "python -m scripts.train {model} --dataset {dataset}"


@dataclass(frozen=True)
class Loaded:
    """A model's bundle, or the reason why there is none; with neither it waits on the Hub until it is first asked for.

    ``to_train``: the index names it, and nobody has trained it here yet; ``error`` says how.
    ``precision``: what to tell about it, where another than float32 was asked for. ``source``: where on the Hub it is
    from. ``retry_at``: when (:func:`time.monotonic`) what failed may be tried again, ``None`` for never.
    """

    name: str
    title: str
    bundle: Bundle | None
    error: str | None
    precision: str | None = None
    source: Source | None = None
    retry_at: float | None = None
    to_train: bool = False

    @property
    def waiting(self) -> bool:
        """Whether asking for it now would fetch it."""
        if self.bundle is not None or self.source is None:
            return False
        return self.error is None or (self.retry_at is not None and time.monotonic() >= self.retry_at)


def load_bundles(
    folder: Path, dataset: str, device: torch.device, entries: Sequence[Entry] = (), added: Sequence[Fetched] = ()
) -> tuple[Loaded, ...]:
    """All bundles in ``folder``, one subfolder a model, and an entry for each compared model that has none; on own data
    only what was chosen was trained, and nothing is missing.

    ``entries`` of the index say what the weights have to be, and which bundles wait on the Hub; ``added`` are further
    ones that were fetched, each beside the model of the same name.
    """
    found = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    pinned = {entry.model: entry for entry in entries if entry.dataset == dataset}
    whole = [name for name in found if not name.startswith(".") and not name.endswith(BESIDE)]
    known = {*whole, *pinned}
    compared = [name for name in COMPARED if name in known or not is_own(dataset)]
    others = [name for name in MODELS if name in known and name not in COMPARED]
    strangers = sorted(known - set(MODELS))
    found_here = (_find(folder, name, dataset, device, pinned.get(name)) for name in (*compared, *others, *strangers))
    loaded = with_one_catalogue(list(found_here))
    guests = tuple(_added(one, dataset, device) for one in added)
    shared = shared_catalogue(loaded)
    if shared is None:  # the first of them says what the items are
        return (*loaded, *with_one_catalogue(guests))
    return (*loaded, *(with_catalogue(one, shared, dataset) for one in guests))


def trained_since(one: Loaded, folder: Path, dataset: str, device: torch.device) -> Loaded:
    """The bundle that was to be trained, if that was done meanwhile."""
    here = folder / one.name
    return _load(here, one.name, dataset, device) if (here / WEIGHTS_FILE).is_file() else one


def fetch(one: Loaded, dataset: str, device: torch.device, hub: Hub) -> Loaded:
    """The bundle that waits on the Hub, or why it could not be had; what may pass is tried again after half a minute,
    at the earliest.
    """
    assert one.source is not None
    try:
        fetched = fetch_bundle(one.source, hub)
    except HubError as error:
        return not_fetched(one, error)
    found = _load(fetched.folder, one.name, dataset, device, str(one.source))
    return replace(found, source=fetched.source)


def not_fetched(one: Loaded, error: HubError) -> Loaded:
    """A bundle that could not be had; what may pass may be tried again after half a minute."""
    later = time.monotonic() + RETRY_AFTER if error.passing else None
    return replace(one, error=_could_not(one.title, str(error)), retry_at=later)


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


def with_catalogue(one: Loaded, catalogue: Catalogue, title: str) -> Loaded:
    """The model, or an error where it knows other items than the page."""
    if one.bundle is None or one.bundle.catalogue.hash == catalogue.hash:
        return one
    reason = f"its catalogue is not the one of {title} here. Train it on the same prepared data."
    return replace(one, bundle=None, error=_could_not(one.title, reason))


def shared_catalogue(loaded: Sequence[Loaded]) -> Catalogue | None:
    """The catalogue of the usable bundles, if there are any."""
    return next((one.bundle.catalogue for one in loaded if one.bundle is not None), None)


def status(one: Loaded, dataset: str) -> ModelStatus:
    """What the page tells about a model; the health is that of the bundle's own test run."""
    if one.bundle is None:
        return ModelStatus(
            one.name, one.title, None, dataset, None, {}, (), one.error, (), _place(one), one.waiting, one.to_train
        )
    run = test_run(one.bundle)
    health = {} if run is None else dict(run.health)
    try:
        problems = failures(health) if health else ()
        healthy = not problems if health else None
    except (KeyError, TypeError, ValueError) as missing:
        problems, healthy = (f"its health lacks the figure {missing}",), None
    return ModelStatus(
        one.name,
        one.title,
        one.bundle.preset,
        dataset,
        healthy,
        dict(health),
        problems,
        None,
        one.bundle.runs,
        _place(one),
        False,
    )


def excludes_history(models: Iterable[Loaded]) -> bool:
    """Whether some of them leave the items of the history out of their lists."""
    return any(one.bundle is not None and PROTOCOLS[one.bundle.protocol].exclude_history for one in models)


def test_run(bundle: Bundle) -> Run | None:
    """The run on the test split of exactly these weights: its training seed, no variant; the newest if repeated."""
    seed = bundle.training.get("seed")
    runs = [run for run in bundle.runs if run.split == "test" and run.variant is None and run.seed == seed]
    return max(runs, key=lambda run: run.date, default=None)


def _place(one: Loaded) -> str | None:
    return None if one.source is None else str(one.source)


def _find(folder: Path, name: str, dataset: str, device: torch.device, entry: Entry | None) -> Loaded:
    """What lies in the folder, unless the index says that other weights on the Hub are meant."""
    here = folder / name
    if entry is not None and entry.only_named and not here.is_dir():
        command = TRAIN.format(model=name, dataset=dataset)
        told = f"{_title(name)} is not trained here yet. Train it, then choose it again: {command}"
        return Loaded(name, _title(name), None, told, to_train=True)
    if entry is None or entry.only_named:
        return _load(here, name, dataset, device)
    same = (here / WEIGHTS_FILE).is_file() and weights_hash(here) == entry.sha256
    if entry.source is not None and not same:
        return Loaded(name, _title(name), None, None, source=entry.source)
    if same or not (here / WEIGHTS_FILE).is_file():
        return replace(_load(here, name, dataset, device), source=entry.source)
    reason = f"{dataset}/{name} does not hold the weights that the index names. If they are right: {REPIN}."
    return Loaded(name, _title(name), None, _could_not(_title(name), reason.format(folder=f"{dataset}/{name}")))


def _added(one: Fetched, dataset: str, device: torch.device) -> Loaded:
    """A bundle beside the others, under a name that says where it is from."""
    found = _load(one.folder, None, dataset, device, str(one.source))
    name, title = f"{found.name}@{one.source.repository}", f"{found.title} ({one.source.repository})"
    return replace(found, name=name, title=title, source=one.source)


def _load(folder: Path, name: str | None, dataset: str, device: torch.device, place: str | None = None) -> Loaded:
    """The bundle in ``folder``; it has to be of the model ``name``, ``None``: of any. ``place`` is what to call it."""
    place = place or f"{dataset}/{name}"
    try:
        bundle = checkpoint.load(folder, device)
    except (BundleError, OSError) as error:
        # The page is public: it names the bundle, not the folders of this machine.
        reason = str(error).replace(str(folder), place)
        return Loaded(name or "unknown", _title(name or place), None, _could_not(_title(name or place), reason))
    name = name or bundle.name
    title = _title(name)
    if (bundle.name, bundle.dataset) != (name, dataset):
        reason = f"{place} holds {bundle.name} for {bundle.dataset}; expected {name} for {dataset}."
        return Loaded(name, title, None, _could_not(title, reason))
    if bundle.protocol not in PROTOCOLS:
        reason = f"{place} has the protocol {bundle.protocol!r}; expected one of {', '.join(PROTOCOLS)}."
        return Loaded(name, title, None, _could_not(title, reason))
    return Loaded(name, title, bundle, None)


def _title(name: str) -> str:
    return MODELS[name].title if name in MODELS else name


def _could_not(title: str, reason: str) -> str:
    return f"{title} could not be loaded: {reason}"
