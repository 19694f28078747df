"""What is told of a sampling: frozen values, ready for JSON."""

from __future__ import annotations

from dataclasses import dataclass

from demo_core.engine.answers import Item


@dataclass(frozen=True)
class DenoisingModel:
    """A model whose sampling is shown, and the map it is shown on: places in two dimensions, which hold ``variance``
    (0 to 1) of how its items differ. ``around``: the commonest items; ``history``: the items read, oldest first.
    ``begins_with`` says in words what x_T is; ``steps`` is how many follow. ``error`` says why there are none.
    """

    model: str
    title: str
    error: str | None
    steps: int
    begins_with: str
    variance: float
    around: tuple[tuple[float, float], ...]
    history: tuple[tuple[float, float], ...]
    milliseconds: float


@dataclass(frozen=True)
class DenoisingFrame:
    """One step, 0 being what the sampling begins with: where the estimate lies, the item it is most like (cosine), and
    the list as it would be if sampling ended here.
    """

    model: str
    step: int
    place: tuple[float, float]
    nearest: Item
    likeness: float
    items: tuple[Item, ...]
    truth_rank: int | None


@dataclass(frozen=True)
class DenoisingNotes:
    """What there is to say at the end: ``remarks`` on what the controls change, and the caption."""

    remarks: tuple[str, ...]
    provenance: tuple[str, ...]
