"""From a model's explanation (tensors) to the route that is drawn (plain values)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from demo_core.checkpoint import Bundle
from demo_core.engine import wording
from demo_core.engine.answers import Histogram, InputError, Item, Outcome, Route, Station
from demo_core.engine.questions import Question
from demo_core.models import MODELS
from demo_core.models.base import Controls, RouteExplanation
from demo_core.sequences import PADDING, pad
from demo_core.stability import reachable_entropy

NO_ROUTE = "{title} chooses no route; ask for card."


def training_histogram(health: Mapping[str, object]) -> Histogram | None:
    """The evenness of the training histories as the bundle's health records it."""
    recorded = health.get("evenness_histogram")
    if not isinstance(recorded, Mapping):
        return None
    histogram = Histogram(tuple(map(float, recorded["edges"])), tuple(map(int, recorded["counts"])))
    return histogram if sum(histogram.counts) else None


def share_above(histogram: Histogram, value: float) -> float:
    """Share of a histogram above ``value``, in [0, 1]; a bin that holds the value is divided in proportion."""
    above = 0.0
    for low, high, count in zip(histogram.edges[:-1], histogram.edges[1:], histogram.counts, strict=True):
        if low >= value:
            above += count
        elif high > value:
            above += count * (high - value) / (high - low)
    return above / sum(histogram.counts)


@torch.inference_mode()
def read_route(
    bundle: Bundle,
    question: Question,
    removal: Mapping[int, float],
    items: Sequence[Item],
    histogram: Histogram | None,
    device: torch.device,
) -> Route:
    """How the model of ``bundle`` reads the history. ``items`` is the catalogue; ``removal`` maps the distance from the
    newest item (0) to the chance that TDM drops it. Raises :class:`InputError` for a model that chooses no route.
    """
    window = pad([question.read], bundle.model.config.max_length).to(device)
    told = bundle.model.explain(window, Controls(threshold=question.threshold))
    own = told if question.threshold is None else bundle.model.explain(window)
    if not isinstance(told, RouteExplanation) or not isinstance(own, RouteExplanation):
        raise InputError(NO_ROUTE.format(title=MODELS[bundle.name].title))
    if told.threshold is None or own.threshold is None:
        raise InputError(NO_ROUTE.format(title=MODELS[bundle.name].title))
    read = [items[id - 1] for id in window[0].tolist() if id != PADDING]
    return _route(told, told.threshold, own.threshold, removal, read, histogram, bundle.catalogue.noun)


@torch.inference_mode()
def removal_by_distance(tdm: Bundle | None, history: Sequence[int], device: torch.device) -> dict[int, float]:
    """TDM's chance to drop each item it reads, by the distance from the newest item; empty without TDM."""
    if tdm is None:
        return {}
    told = tdm.model.explain(pad([history], tdm.model.config.max_length).to(device))
    if not isinstance(told, RouteExplanation):
        return {}
    slots = zip(told.history[0].flip(0).tolist(), told.removal[0].flip(0).tolist(), strict=True)
    return {distance: chance for distance, (id, chance) in enumerate(slots) if id != PADDING}


def _route(
    told: RouteExplanation,
    threshold: float,
    trained_threshold: float,
    removal: Mapping[int, float],
    read: Sequence[Item],
    histogram: Histogram | None,
    noun: str,
) -> Route:
    pairs, outcome = int(told.steps.pairs[0]), _outcome(told, len(read))
    evenness = float(told.steps.evenness[0]) if pairs >= 2 else None
    share = None if histogram is None else share_above(histogram, threshold)
    between = None
    if share is not None and histogram is not None and evenness is not None:
        between = abs(share - share_above(histogram, evenness))
    return Route(
        stations=_stations(told, removal, read, weighed=outcome == "turning" or _any_weight(told)),
        pairs=pairs,
        entropy=float(told.steps.entropy[0]) if pairs >= 2 else None,
        evenness=evenness,
        reachable=_reachable(pairs),
        threshold=threshold,
        trained_threshold=trained_threshold,
        turning_share=share,
        histogram=histogram,
        outcome=outcome,
        verdict=wording.verdict(outcome, len(read), evenness, between, noun),
        reason=wording.reason(outcome, evenness, threshold, share, noun),
    )


def _any_weight(told: RouteExplanation) -> bool:
    """A learned threshold weighs histories on the stable side too, if only a little."""
    return told.weight is not None and bool((told.weight != 1).any())


def _outcome(told: RouteExplanation, items: int) -> Outcome:
    if not items:
        return "empty"
    if not bool(told.steps.routed[0]):
        return "unrouted"
    return "turning" if bool(told.turning[0]) else "stable"


def _reachable(pairs: int) -> tuple[float, float] | None:
    if pairs < 2:
        return None
    low, high = reachable_entropy(pairs)
    return low / math.log(pairs), high / math.log(pairs)


def _stations(
    told: RouteExplanation, removal: Mapping[int, float], items: Sequence[Item], weighed: bool
) -> tuple[Station, ...]:
    number = len(items)

    def newest(values: Tensor | None, count: int) -> list[float | None]:
        """The last ``count`` columns of the first row; None for items that have no such value."""
        known = [] if values is None else values[0, values.shape[1] - count :].tolist()
        return [None] * (number - len(known)) + known

    cosine, continuity = (
        newest(told.steps.cosine, max(number - 1, 0)),
        newest(told.steps.continuity, max(number - 1, 0)),
    )
    candidate, per, weight = newest(told.candidate, number), newest(told.per, number), newest(told.weight, number)
    return tuple(
        Station(
            item=item,
            position=at + 1,
            cosine=cosine[at],
            continuity=continuity[at],
            candidate=bool(candidate[at]),
            per=per[at],
            weight=weight[at] if weighed else None,
            has_future=at < number - 1,
            removal=removal.get(number - 1 - at),
            duplicate=item in items[:at],
        )
        for at, item in enumerate(items)
    )
