"""All that the page and the API ask, over the bundles of one data set.

Nothing changes after construction, so threads may share an engine. Answers are plain values (``answers.py``); bad input
raises :class:`InputError` with a message for the visitor, and a model that cannot be used says so in its own place.
"""

from __future__ import annotations

from demo_core.engine.benchmarking import Benchmarking
from demo_core.engine.comparing import Comparing
from demo_core.engine.losing import Losing
from demo_core.engine.walking import Walking


class Engine(Comparing, Walking, Losing, Benchmarking):
    """All of it over the bundles in ``checkpoints / dataset``."""
