"""All that the page and the API ask, over the bundles of one data set.

Nothing changes after construction but that a bundle comes from the Hub when it is first asked for, so threads may
share an engine. Answers are plain values (``answers.py``); bad input
raises :class:`InputError` with a message for the visitor, and a model that cannot be used says so in its own place.
"""

from __future__ import annotations

from demo_core.engine.bench_engine import BenchEngine
from demo_core.engine.denoise_engine import DenoiseEngine
from demo_core.engine.explore_engine import ExploreEngine
from demo_core.engine.lab_engine import LabEngine
from demo_core.engine.ready import Ready, ready_histories


class Engine(ExploreEngine, DenoiseEngine, LabEngine, BenchEngine):
    """All of it over the bundles in ``checkpoints / dataset``."""

    _ready: tuple[Ready, ...] | None = None

    @property
    def ready(self) -> tuple[Ready, ...]:
        """Histories to begin with; see :func:`ready_histories`. Found once CARD is there."""
        if self._ready is None and self.has("card"):
            self._ready = ready_histories(self)
        return self._ready or ()
