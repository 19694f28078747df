"""Is a model really ranking? Figures of its lists and routes, taken from the same pass as its metrics, and the gate.

A model can reach a published level while every list holds the same never-trained items; these figures show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from demo_core.evaluation import Evaluation
from demo_core.models.base import Recommender, RouteExplanation
from demo_core.sequences import Rows, batches

LIST_LENGTH = 20
PAIRS_OF_LISTS = 2000
ROUTE_SAMPLE = 20000
HISTOGRAM_BINS = 40
SATURATED = 0.02  # a weight closer than this to 0 or 2 carries no degree any more

MINIMUM_DISTINCT_ITEMS = 200
MAXIMUM_OVERLAP = 0.5
MINIMUM_ROUTE_SHARE = 0.1
MAXIMUM_SATURATED = 0.1


def list_health(evaluation: Evaluation, counts: Tensor) -> dict[str, Any]:
    """Figures of the top-20 lists; ``counts`` (M + 1,) = how often each item is a training target, all shares in [0,
    1].

    ``never_trained_share`` of the list slots beside ``never_trained_catalogue_share`` of the items; ``distinct_items``
    over all rows; ``list_overlap``: mean share that two random rows' lists have in common; ``popularity_share``: slots
    filled by the 20 most popular items.
    """
    top = evaluation.top[:, :LIST_LENGTH]
    popular = torch.zeros_like(counts, dtype=torch.bool)
    popular[counts.argsort(descending=True, stable=True)[:LIST_LENGTH]] = True
    return {
        "never_trained_share": float((counts[top] == 0).double().mean()),
        "never_trained_catalogue_share": float((counts[1:] == 0).double().mean()),
        "distinct_items": int(top.unique().numel()),
        "list_overlap": _overlap(top),
        "popularity_share": float(popular[top].double().mean()),
    }


@torch.inference_mode()
def route_health(model: Recommender, rows: Rows, device: torch.device) -> dict[str, Any]:
    """Figures of the routes over up to 20,000 random ``rows``; empty for a model without routes.

    Shares of all histories: ``turning_share``, ``stable_share``, ``unrouted_share`` (fewer than two steps). Over slots
    that are weighed: ``weight_quantiles`` (5, 25, 50, 75, 95 %), ``saturated_weight_share`` (0 or 2 within 0.02).
    ``evenness_histogram`` of the histories that have something to route.
    """
    order = torch.randperm(len(rows), generator=Generator().manual_seed(0))[:ROUTE_SAMPLE]
    told = [
        model.explain(rows.history(order[i], model.config.max_length).to(device)) for i in batches(len(order), 1024)
    ]
    routes = [part for part in told if isinstance(part, RouteExplanation)]
    if not routes or routes[0].weight is None:
        return {}
    routed = torch.cat([part.steps.routed for part in routes]).cpu()
    turning = torch.cat([part.turning for part in routes]).cpu()
    evenness = torch.cat([part.steps.evenness for part in routes]).cpu()[routed]
    weights = torch.cat([part.weight[part.weight != 1].flatten() for part in routes if part.weight is not None]).cpu()
    return {
        "turning_share": float(turning.double().mean()),
        "stable_share": float((routed & ~turning).double().mean()),
        "unrouted_share": float((~routed).double().mean()),
        "weight_quantiles": _quantiles(weights),
        "saturated_weight_share": float(((weights < SATURATED) | (weights > 2 - SATURATED)).double().mean())
        if len(weights)
        else 1.0,
        "evenness_histogram": _histogram(evenness),
    }


def failures(health: Mapping[str, Any]) -> tuple[str, ...]:
    """What keeps a model from being called healthy, in words; empty = healthy."""
    found = []
    if health["never_trained_share"] > health["never_trained_catalogue_share"]:
        found.append(f"{health['never_trained_share']:.0%} of its list slots are items that were never trained")
    if health["distinct_items"] < MINIMUM_DISTINCT_ITEMS:
        found.append(f"its lists hold only {health['distinct_items']} different items")
    if health["list_overlap"] > MAXIMUM_OVERLAP:
        found.append(f"two people's lists share {health['list_overlap']:.0%}")
    for route in ("turning", "stable"):
        if health.get(f"{route}_share", 1.0) < MINIMUM_ROUTE_SHARE:
            found.append(f"only {health[f'{route}_share']:.0%} of the histories are {route}")
    if health.get("saturated_weight_share", 0.0) > MAXIMUM_SATURATED:
        found.append(f"{health['saturated_weight_share']:.0%} of its weights are 0 or 2")
    return tuple(found)


def _overlap(top: Tensor) -> float:
    if len(top) < 2:
        return 1.0
    pair = torch.randint(len(top), (2, PAIRS_OF_LISTS), generator=Generator().manual_seed(0))
    first, second = top[pair[0][pair[0] != pair[1]]], top[pair[1][pair[0] != pair[1]]]
    return float((first[:, :, None] == second[:, None, :]).any(dim=2).double().mean())


def _quantiles(values: Tensor) -> list[float]:
    if not len(values):
        return []
    shares = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)
    return [round(float(q), 4) for q in values.double().quantile(shares)]


def _histogram(values: Tensor) -> dict[str, list[float]]:
    """40 equal bins from the 1 % quantile to 1, after one bin for the long tail below."""
    if not len(values):
        return {"edges": [], "counts": []}
    values = values.double()
    edges = torch.linspace(float(values.quantile(0.01)), 1.0, HISTOGRAM_BINS + 1, dtype=torch.float64)
    if float(values.min()) < float(edges[0]):
        edges = torch.cat([values.min()[None], edges])
    counts = torch.histogram(values, edges).hist
    return {"edges": [round(float(e), 5) for e in edges], "counts": [float(c) for c in counts]}
