"""Bundles that somebody names while the app runs, fetched from the Hub beside it: nobody waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from demo_core import checkpoint
from demo_core.bundle_index import PART, Source
from demo_core.checkpoint import BundleError
from demo_core.engine.answers import InputError
from demo_core.hub import Fetched, Hub, HubError, fetch_bundle
from demo_core.own_data import is_own

SHOWN_NAME = 100
MOST = 16
"""Bundles that may be added: each holds its model in memory."""


@dataclass(frozen=True)
class Addition:
    """``source`` as it was named. ``message``: why it failed. ``dataset`` and ``model`` are known once it is there."""

    source: str
    state: Literal["fetching", "ready", "failed"]
    message: str | None = None
    dataset: str | None = None
    model: str | None = None


class Additions:
    """Threads may share it. ``changed`` is told the data set of every bundle that has come. ``open``: whether visitors
    may name some too.
    """

    def __init__(self, hub: Hub, changed: Callable[[str], None], open: bool = False) -> None:
        self.open = open
        self._hub = hub
        self._changed = changed
        self._lock = threading.Lock()
        self._told: dict[str, Addition] = {}
        self._fetched: dict[str, Fetched] = {}

    def add(self, text: str) -> threading.Thread:
        """Begins to fetch ``owner/name@revision``; of one repository the revision named last counts.

        :class:`InputError` where the text is none, or there are 16 already.
        """
        try:
            source = Source.parse(text)
        except ValueError as error:
            raise InputError(f"{error} Write OWNER/NAME or OWNER/NAME@REVISION.") from error
        with self._lock:
            if source.repository not in self._told and len(self._told) >= MOST:
                raise InputError(f"{MOST} bundles were added already; start the app again to add others.")
            self._told[source.repository] = Addition(str(source), "fetching")
        thread = threading.Thread(target=self._fetch, args=(source,), name=f"fetch {source}", daemon=True)
        thread.start()
        return thread

    def add_all(self, names: str) -> None:
        """Names with commas between them; one that is no name is told with the others, and stops nothing."""
        for name in filter(None, (name.strip() for name in names.split(","))):
            try:
                self.add(name)
            except InputError as error:
                with self._lock:
                    self._told[name] = Addition(name[:SHOWN_NAME], "failed", str(error))

    def told(self) -> tuple[Addition, ...]:
        """All of them, in the order in which they were named."""
        with self._lock:
            return tuple(self._told.values())

    def of(self, dataset: str) -> tuple[Fetched, ...]:
        """Those of a data set that have come."""
        with self._lock:
            return tuple(
                self._fetched[name]
                for name, one in self._told.items()
                if one.state == "ready" and one.dataset == dataset
            )

    def datasets(self) -> set[str]:
        """The data sets of those that have come."""
        return {one.dataset for one in self.told() if one.dataset is not None}

    def _fetch(self, source: Source) -> None:
        try:
            fetched = fetch_bundle(source, self._hub)
            bundle = checkpoint.load(fetched.folder)  # on the CPU, and only to know that it can be
            if not PART.fullmatch(bundle.dataset) or is_own(bundle.dataset):
                raise BundleError(f"the data set {bundle.dataset[:60]!r} has no name that a bundle may have.")
        except HubError as error:
            self._tell(source, Addition(str(source), "failed", str(error)))
            return
        except (BundleError, OSError) as error:  # the page is public: no folders of this machine
            words = str(error).replace(str(fetched.folder), str(source))
            self._tell(source, Addition(str(source), "failed", f"{source} cannot be used: {words}"))
            return
        known = Addition(str(fetched.source), "ready", None, bundle.dataset, bundle.name)
        if self._tell(source, known, fetched):
            self._changed(bundle.dataset)

    def _tell(self, source: Source, found: Addition, fetched: Fetched | None = None) -> bool:
        """Whether ``source`` is still what was asked for of its repository."""
        with self._lock:
            if self._told[source.repository].source != str(source):
                return False
            self._told[source.repository] = found
            if fetched is not None:
                self._fetched[source.repository] = fetched
            return True
