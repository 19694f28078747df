"""Three histories to begin with, chosen among the example people by the shape of their line."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from demo_core.engine.answers import InputError, Outcome, Route
from demo_core.engine.explore_engine import ExploreEngine

LOOKED_AT = 20
LENGTH = 7
FEWEST = 4


@dataclass(frozen=True)
class Ready:
    """``items`` ids, oldest first; ``next`` the id that really followed; ``cosines`` of the steps draw its line, and
    ``outcome`` is that of its route.
    """

    name: str
    first: str
    last: str
    items: tuple[int, ...]
    next: int
    cosines: tuple[float, ...]
    outcome: Outcome


@dataclass(frozen=True)
class _Candidate:
    route: Route
    next: int

    @property
    def cosines(self) -> tuple[float, ...]:
        return tuple(station.cosine for station in self.route.stations if station.cosine is not None)

    def named(self, name: str) -> Ready:
        items = [station.item for station in self.route.stations]
        ids = tuple(item.id for item in items)
        return Ready(name, items[0].title, items[-1].title, ids, self.next, self.cosines, self.route.outcome)


def ready_histories(engine: ExploreEngine) -> tuple[Ready, ...]:
    """One flat history, one with a cliff, one wandering; none when CARD or the example people are missing."""
    if not engine.has("card"):  # a CARD that waits on the Hub is not fetched for this
        return ()
    candidates = _candidates(engine)
    if len(candidates) < 3:
        return ()
    cliff = min(candidates, key=lambda one: one.route.evenness or 0)
    rest = [one for one in candidates if one is not cliff]
    flat = max(rest, key=lambda one: fmean(one.cosines))
    wandering = min((one for one in rest if one is not flat), key=lambda one: fmean(one.cosines))
    return flat.named("A steady taste"), cliff.named("A taste with a cliff"), wandering.named("A wandering taste")


def _candidates(engine: ExploreEngine) -> list[_Candidate]:
    found: dict[tuple[int, ...], _Candidate] = {}
    try:
        for seed in range(LOOKED_AT):
            person = engine.real_person(seed)
            history = tuple(item.id for item in person.items[-LENGTH:])
            if len(history) >= FEWEST and person.next is not None and history not in found:
                # Asked of the engine's own models: while the page is built, no GPU is lent yet.
                found[history] = _Candidate(engine.reading(history), person.next.id)
    except InputError:
        return []
    return list(found.values())
