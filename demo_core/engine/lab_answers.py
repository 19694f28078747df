"""What the missing-data lab answers: frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.engine.answers import Item, Route


@dataclass(frozen=True)
class LabItem:
    """One item of an altered history: ``position`` in the whole one, None for a foreign item; ``lost``: not read."""

    item: Item
    position: int | None
    lost: bool


@dataclass(frozen=True)
class LabList:
    """What is left of a model's list: ``kept[i]``: the i-th of the whole list is still in it. Ranks of the true item
    with the whole history (``before``) and now (``after``), None where there is none; ``error`` as in ModelList.
    """

    model: str
    title: str
    kept: tuple[bool, ...]
    before: int | None
    after: int | None
    error: str | None


@dataclass(frozen=True)
class LabAnswer:
    """One draw: the altered history, the routes of the whole and of the altered one (None without CARD), the lists."""

    items: tuple[LabItem, ...]
    whole: Route | None
    route: Route | None
    lists: tuple[LabList, ...]
    provenance: tuple[str, ...]


@dataclass(frozen=True)
class LabPoint:
    """One share of one model's curve, over ``draws``: how many of the list stay on average, the quartiles ``low`` and
    ``high``, and the share of draws in which the true item is in the list (None without one).
    """

    model: str
    share: float
    kept: float
    low: float
    high: float
    found: float | None
    draws: int
