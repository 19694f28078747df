"""The data sets of one folder of bundles, each with an engine of its own, made when somebody first asks for it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch

from demo_core.bundle_index import IndexFileError, read_index
from demo_core.checkpoint import BESIDE, CONFIG_FILE
from demo_core.datasets import DATASETS
from demo_core.engine.additions import Additions
from demo_core.engine.answers import InputError
from demo_core.engine.borrowing import BorrowedGPU, BorrowingEngine, Loan
from demo_core.engine.bundles import RETRY_AFTER
from demo_core.engine.engine import Engine
from demo_core.engine.serving import Serving
from demo_core.engine.titles import shown
from demo_core.hub import HubError, fetch_bundle
from demo_core.own_data import About, is_own

log = logging.getLogger(__name__)

MOST_OTHERS = 2
"""Engines beside the first that are kept: each holds its models in memory."""


@dataclass(frozen=True)
class Shelved:
    """A data set that can be chosen. ``own``: somebody brought it."""

    name: str
    title: str
    own: bool


class Shelf:
    """``first`` is the data set that a visitor meets; it is loaded at once, even when it has no bundle.

    With a ``loan`` all public data sets are: what runs on a GPU that is lent has to be there before the page listens.
    """

    def __init__(
        self,
        checkpoints: Path,
        first: str = "movielens",
        device: torch.device | None = None,
        serving: Serving | None = None,
        loan: Loan | None = None,
        open_to_bundles: bool = False,
    ) -> None:
        self.checkpoints = checkpoints
        self.serving = serving or Serving()
        self._device = device if loan is None else torch.device("cpu")
        self._gpu = None if loan is None else BorrowedGPU(loan, checkpoints, _public(checkpoints, first), self.serving)
        self.additions = Additions(self.serving.hub, self._renew, open_to_bundles)
        self._first = first
        self._others: OrderedDict[str, Engine] = OrderedDict()
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._versions: Counter[str] = Counter()
        self.first = self._made(first)
        self._fetch_what_is_needed(self.first)

    @property
    def changing(self) -> bool:
        """Whether bundles may come while the page stands, so that a visit has to ask what is there."""
        return self.additions.open or bool(self.additions.told()) or bool(self.first.waiting)

    def datasets(self) -> tuple[Shelved, ...]:
        """Those with a bundle, as they are on disk now: the first, the other public ones, then people's own."""
        return tuple(Shelved(name, self._title(name), is_own(name)) for name in self._names())

    def _names(self) -> list[str]:
        return _names(self.checkpoints, self._first, self.additions.datasets())

    def _made(self, name: str) -> Engine:
        added = self.additions.of(name)
        engine: Engine
        if self._gpu is not None and name in self._gpu.models:
            engine = BorrowingEngine(self.checkpoints, name, self._gpu, self.serving, added)
        else:
            engine = Engine(self.checkpoints, name, self._device, self.serving, added)
        return engine

    def _fetch_what_is_needed(self, engine: Engine) -> None:
        """For an engine that stands in its place already, so that the one made anew comes after it."""
        if engine.waiting and engine.problem:  # without one of its bundles it does not even know its items
            threading.Thread(target=self._fetch_one, args=(engine,), daemon=True).start()

    def _fetch_one(self, engine: Engine) -> None:
        """Fetches one bundle of a data set that has none here, beside the app, and makes its engine anew."""
        while True:
            passing = False
            for one in engine.waiting:
                assert one.source is not None
                try:
                    fetch_bundle(one.source, self.serving.hub)
                except HubError as error:
                    log.warning("%s", error)
                    engine.failed(one, error)
                    passing = passing or error.passing
                    continue
                self._renew(engine.dataset)
                return
            if not passing or self._replaced(engine):
                return
            time.sleep(RETRY_AFTER)

    def _replaced(self, engine: Engine) -> bool:
        with self._lock:
            return engine is not self.first and engine is not self._others.get(engine.dataset)

    def _renew(self, name: str) -> None:
        """Makes the engine of a data set anew: a bundle has come from the Hub. Questions meet the old one till then."""
        with self._renewing:  # the last one to come sees all that have come before
            if name == self._first:
                self.first = self._made(name)
                self._fetch_what_is_needed(self.first)
            else:
                self.forget(name)

    def engine(self, name: object = None) -> Engine:
        """The engine of a data set, ``None``: of the first. :class:`InputError` where there is no such data set."""
        if name is None or name == self.first.dataset:
            return self.first
        known = self._names()
        if not isinstance(name, str) or name not in known:
            raise InputError(f"Expected one of the data sets {', '.join(known)}, got {shown(repr(name))}.")
        with self._lock:
            loading = self._loading.setdefault(name, threading.Lock())
        with loading:  # who asks for this one waits for it, and nobody else
            with self._lock:
                found, version = self._others.get(name), self._versions[name]
            made = found or self._made(name)
            with self._lock:
                if self._versions[name] == version:  # else it has changed meanwhile, and is read anew the next time
                    self._others[name] = made
                    self._others.move_to_end(name)
                while len(self._others) > MOST_OTHERS:
                    self._others.popitem(last=False)
            if found is None:
                self._fetch_what_is_needed(made)
            return made

    def forget(self, name: str) -> None:
        """Reads a data set anew when it is next asked for: its bundles have changed."""
        with self._lock:
            self._versions[name] += 1
            self._others.pop(name, None)

    def _title(self, name: str) -> str:
        if name in DATASETS:
            return DATASETS[name].title
        about = About.read(self.checkpoints / name)
        return about.title if about else name


def _names(checkpoints: Path, first: str, added: Collection[str] = ()) -> list[str]:
    """In the order of the page. A bundle that is just being written has another ending, and does not count."""
    bundles = (config.parent for config in checkpoints.glob(f"*/*/{CONFIG_FILE}"))
    found = {first, *added, *(bundle.parent.name for bundle in bundles if bundle.suffix not in BESIDE)}
    with contextlib.suppress(IndexFileError):  # the engine says so
        found |= {entry.dataset for entry in read_index(checkpoints) if not entry.only_named}
    order = [first, *DATASETS]
    return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))


def _public(checkpoints: Path, first: str) -> list[str]:
    """What stays as it is while the page runs: all but what somebody brought."""
    return [name for name in _names(checkpoints, first) if not is_own(name)]
