"""The data sets of one folder of bundles, each with an engine of its own, made when somebody first asks for it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from pathlib import Path

import torch

from demo_core.checkpoint import BESIDE, CONFIG_FILE
from demo_core.datasets import DATASETS
from demo_core.engine.answers import InputError
from demo_core.engine.engine import Engine
from demo_core.engine.titles import shown
from demo_core.own_data import About, is_own

MOST_OTHERS = 2
"""Engines beside the first that are kept: each holds its models in memory."""


@dataclass(frozen=True)
class Shelved:
    """A data set that can be chosen. ``own``: somebody brought it."""

    name: str
    title: str
    own: bool


class Shelf:
    """``first`` is the data set that a visitor meets; it is loaded at once, even when it has no bundle."""

    def __init__(self, checkpoints: Path, first: str = "movielens", device: torch.device | None = None) -> None:
        self.checkpoints = checkpoints
        self.first = Engine(checkpoints, first, device)
        self._device = device
        self._others: OrderedDict[str, Engine] = OrderedDict()
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._versions: Counter[str] = Counter()

    def datasets(self) -> tuple[Shelved, ...]:
        """Those with a bundle, as they are on disk now: the first, the other public ones, then people's own."""
        return tuple(Shelved(name, self._title(name), is_own(name)) for name in self._names())

    def _names(self) -> list[str]:
        """In the order of the page. A bundle that is just being written has another ending, and does not count."""
        bundles = (config.parent for config in self.checkpoints.glob(f"*/*/{CONFIG_FILE}"))
        found = {self.first.dataset, *(bundle.parent.name for bundle in bundles if bundle.suffix not in BESIDE)}
        order = [self.first.dataset, *DATASETS]
        return sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))

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
            made = found or Engine(self.checkpoints, name, self._device)
            with self._lock:
                if self._versions[name] == version:  # else it has changed meanwhile, and is read anew the next time
                    self._others[name] = made
                    self._others.move_to_end(name)
                while len(self._others) > MOST_OTHERS:
                    self._others.popitem(last=False)
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
