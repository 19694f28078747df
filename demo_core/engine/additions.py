"""Bundles that somebody names while the app runs, fetched from the Hub beside it: nobody waits for them."""

from __future__ import annotations

import logging
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

log = logging.getLogger(__name__)

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
        self._wished: dict[str, str] = {}  # of each repository, the source that was named last
        self._fetched: dict[str, Fetched] = {}
        self._datasets: dict[str, str] = {}

    def add(self, text: str) -> threading.Thread:
        """Begins to fetch ``owner/name@revision``; of one repository the revision named last counts.

        :class:`InputError` where the text is none, or there are 16 already.
        """
        try:
            source = Source.parse(text)
        except ValueError as error:
            raise InputError(f"{error} Write OWNER/NAME or OWNER/NAME@REVISION.") from error
        with self._lock:
            self._make_room(source)
            known = self._told.get(source.repository)
            same = known is not None and (known.source, known.state) == (str(source), "fetching")
            self._told[source.repository] = Addition(str(source), "fetching")
            self._wished[source.repository] = str(source)
        if same:  # it is on its way
            return threading.current_thread()
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
                self._fetched[name] for name in self._told if name in self._fetched and self._datasets[name] == dataset
            )

    def datasets(self) -> set[str]:
        """The data sets of those that have come."""
        with self._lock:
            return set(self._datasets.values())

    def _make_room(self, source: Source) -> None:
        """What failed gives way to what is named now; what is here stays."""
        if source.repository in self._told or len(self._told) < MOST:
            return
        gone = next(
            (name for name, one in self._told.items() if one.state == "failed" and name not in self._fetched), None
        )
        if gone is None:
            raise InputError(f"{MOST} bundles were added already; start the app again to add others.")
        del self._told[gone]

    def _fetch(self, source: Source) -> None:
        fetched: Fetched | None = None
        try:
            fetched = fetch_bundle(source, self._hub)
            bundle = checkpoint.load(fetched.folder)  # on the CPU, and only to know that it can be
            if not PART.fullmatch(bundle.dataset) or is_own(bundle.dataset):
                raise BundleError(f"the data set {bundle.dataset[:60]!r} has no name that a bundle may have.")
            known = Addition(str(fetched.source), "ready", None, bundle.dataset, bundle.name)
            if self._tell(source, known, fetched):
                self._changed(bundle.dataset)
        except HubError as error:
            self._tell(source, Addition(str(source), "failed", str(error)))
        except Exception as error:  # whatever it holds, it is told here and stops nothing
            log.warning("%s cannot be used", source, exc_info=error)
            # The page is public: no folders of this machine.
            words = str(error).replace(str(fetched.folder), str(source)) if fetched else type(error).__name__
            self._tell(source, Addition(str(source), "failed", f"{source} cannot be used: {words}"))

    def _tell(self, source: Source, found: Addition, fetched: Fetched | None = None) -> bool:
        """Whether ``source`` is still what was asked for of its repository. What came before stays until another has
        come.
        """
        with self._lock:
            if source.repository not in self._told or self._wished[source.repository] != str(source):
                return False
            self._told[source.repository] = found
            if fetched is not None and found.dataset is not None:
                self._fetched[source.repository] = fetched
                self._datasets[source.repository] = found.dataset
            return True
