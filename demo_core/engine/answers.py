"""What the engine answers: frozen values, ready for JSON through ``dataclasses.asdict``.

Ids run 1..M. Evenness is entropy / ln(pairs), in [0, 1]. Titles are given as they are: escaping is the page's task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from demo_core.results import Run

Outcome = Literal["turning", "stable", "unrouted", "empty"]


class InputError(ValueError):
    """Something the visitor gave cannot be used; the message says what would be right."""


@dataclass(frozen=True)
class Item:
    """One item. ``popularity`` 1..4 is the quarter of the catalogue it is in; ``trained`` is False for an item that was
    never a training target.
    """

    id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    popularity: int
    trained: bool


@dataclass(frozen=True)
class Suggestion:
    """``near_miss``: the text typed is not in any of the item's titles, they are only alike."""

    item: Item
    near_miss: bool


@dataclass(frozen=True)
class SearchAnswer:
    """Suggestions, best first; ``message`` says why there are none."""

    query: str
    suggestions: tuple[Suggestion, ...]
    message: str | None


@dataclass(frozen=True)
class Parsed:
    """Items of a pasted text in its order, and one message for each entry that was not understood."""

    items: tuple[Item, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """A person's whole history, oldest first. ``next`` is the held-out item; ``older`` of the items lie before the
    window and are not read.
    """

    items: tuple[Item, ...]
    next: Item | None
    older: int


@dataclass(frozen=True)
class ModelStatus:
    """One model of the data set. ``healthy`` is None without a test run; ``health`` holds that run's figures;
    ``failures`` says what is wrong with it; ``error`` says why it could not be loaded. ``source``: repository and
    commit of a bundle from the Hub; ``waiting``: it is fetched when it is first asked for; ``to_train``: the index
    names it, and it is not trained here yet.
    """

    name: str
    title: str
    preset: str | None
    dataset: str
    healthy: bool | None
    health: dict[str, object]
    failures: tuple[str, ...]
    error: str | None
    runs: tuple[Run, ...]
    source: str | None = None
    waiting: bool = False
    to_train: bool = False


@dataclass(frozen=True)
class Recommended:
    """``rank`` starts at 1; ``score`` is comparable within one list only."""

    rank: int
    item: Item
    score: float


@dataclass(frozen=True)
class ModelList:
    """One model's list. ``truth_rank`` is the rank of the item really chosen next, None when there is none or it is
    excluded; ``error`` says why the list is empty.
    """

    model: str
    title: str
    preset: str | None
    healthy: bool | None
    items: tuple[Recommended, ...]
    truth_rank: int | None
    milliseconds: float
    error: str | None


@dataclass(frozen=True)
class Station:
    """One item of the window. ``position`` starts at 1; ``cosine`` and ``continuity`` (its share of the softmax) are of
    the step that leads here, None for the first. ``candidate``: that step is below the average. ``per`` is the
    prediction error reduction and ``weight`` in (0, 2) what the attention uses, None where no weights apply.
    ``has_future``: a later item is in the window. ``removal``: chance that TDM drops it in training, None without TDM.
    ``duplicate``: the item stands earlier in the window too.
    """

    item: Item
    position: int
    cosine: float | None
    continuity: float | None
    candidate: bool
    per: float | None
    weight: float | None
    has_future: bool
    removal: float | None
    duplicate: bool


@dataclass(frozen=True)
class Histogram:
    """``edges`` has one entry more than ``counts``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Route:
    """How CARD reads a history. ``entropy`` in nats; ``evenness`` and ``reachable`` (what can be reached with this many
    items) are None with fewer than two steps. ``turning_share`` is the share of training histories above ``threshold``,
    ``histogram`` their evenness; both None when the bundle does not record them.
    """

    stations: tuple[Station, ...]
    pairs: int
    entropy: float | None
    evenness: float | None
    reachable: tuple[float, float] | None
    threshold: float
    trained_threshold: float
    turning_share: float | None
    histogram: Histogram | None
    outcome: Outcome
    verdict: str
    reason: str


@dataclass(frozen=True)
class Effect:
    """What a list is without one item of the history, the one at ``position`` (from 1). ``kept[i]``: the i-th of the
    whole list is still in it; ``truth_rank`` as in :class:`ModelList`; ``change`` of the whole answer: KL divergence in
    nats, >= 0.
    """

    item: Item
    position: int
    kept: tuple[bool, ...]
    truth_rank: int | None
    change: float


@dataclass(frozen=True)
class Effects:
    """Of every item that ``model`` reads, oldest first. ``agreement``: Spearman's rho of weight and change over the
    ``weighed`` items; None for too few.
    """

    model: str
    items: tuple[Effect, ...]
    truth_rank: int | None
    agreement: float | None
    weighed: int


@dataclass(frozen=True)
class Likeness:
    """An item of the history, and the ``cosine`` of its vector to another's."""

    item: Item
    cosine: float


@dataclass(frozen=True)
class ModelReason:
    """What one model says of an item: its ``rank`` (None: no candidate), the ``nearest`` items of the history, and its
    rank with either voter (None: the model does not vote).
    """

    model: str
    title: str
    rank: int | None
    nearest: tuple[Likeness, ...]
    personal: int | None
    global_: int | None


@dataclass(frozen=True)
class Why:
    """Why ``item`` is recommended. ``count``: how often it is a training target; ``popularity_rank`` from 1."""

    item: Item
    count: int
    popularity_rank: int
    reasons: tuple[ModelReason, ...]


@dataclass(frozen=True)
class Comparison:
    """``lists`` in the order asked for; ``shared[i]`` items stand in both list i and list i + 1. ``effects`` are those
    on CARD's list, None without CARD. ``dropped`` older items lie before the window. ``provenance`` is the caption:
    data set, protocol, models, seeds, commit, device, time.
    """

    route: Route | None
    lists: tuple[ModelList, ...]
    effects: Effects | None
    shared: tuple[int, ...]
    dropped: int
    messages: tuple[str, ...]
    provenance: tuple[str, ...]
