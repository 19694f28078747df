"""How models arrive at their lists: the steps of their sampling, from the same noise, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from demo_core.checkpoint import Bundle
from demo_core.engine.answers import Item
from demo_core.engine.bundles import Loaded
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel
from demo_core.engine.projection import Projection
from demo_core.engine.questions import Question
from demo_core.engine.ranking import best_ids, rank_of, without_seen
from demo_core.layers import unit
from demo_core.models import MODELS
from demo_core.models.base import Controls, DenoisingStep, Recommender, RecommenderConfig
from demo_core.models.globaldiff_config import GlobalDiffConfig
from demo_core.sequences import pad

MOST_STEPS = 50
MOST_STRENGTH = 6.0
SHOWN_ITEMS = 300
"""As many of the commonest items are drawn around a path."""


@dataclass(frozen=True)
class ItemMap:
    """Where a model's items lie: directions of all of them (M, D) on the CPU, their projection, and the places of the
    commonest, which are drawn around a path.
    """

    directions: Tensor
    projection: Projection
    around: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Walk:
    """The sampling of one model for one question, and the map it is drawn on."""

    one: Loaded
    bundle: Bundle
    steps: list[DenoisingStep]
    map: ItemMap
    milliseconds: float


@torch.inference_mode()
def walk(one: Loaded, question: Question, controls: Controls, drawn_on: ItemMap, device: torch.device) -> Walk:
    """Samples once with every step kept; the model has to be one that samples, with a bundle."""
    bundle = one.bundle
    assert bundle is not None
    started = time.perf_counter()
    window = pad([question.read], bundle.model.config.max_length).to(device)
    told = bundle.model.denoising(window, Generator().manual_seed(question.seed), controls)
    assert told is not None
    return Walk(one, bundle, told, drawn_on, 1000 * (time.perf_counter() - started))


def samples(model: Recommender) -> bool:
    """Whether a model arrives at its list step by step."""
    return type(model).denoising is not Recommender.denoising


@torch.inference_mode()
def item_map(one: Loaded) -> ItemMap | None:
    """The map of a model that samples, made once a bundle; None where there is nothing to draw."""
    if one.bundle is None or not samples(one.bundle.model) or one.bundle.model.config.num_items < 2:
        return None
    vectors, counts = one.bundle.model.embedding(), torch.tensor(one.bundle.catalogue.counts)
    assert vectors is not None
    directions = unit(vectors[1:].detach().cpu())
    projection = Projection.of(directions)
    common = counts.argsort(descending=True, stable=True)[:SHOWN_ITEMS]
    return ItemMap(directions, projection, tuple(projection.places(directions[common])))


def no_stage(one: Loaded) -> DenoisingModel:
    """A model that is not walked, and why."""
    reason = one.error or f"{one.title} does not sample: it has its list at once."
    return DenoisingModel(one.name, one.title, reason, 0, "", 0.0, (), (), 0.0)


def begins_with(config: RecommenderConfig) -> str:
    """What the walk begins with, in words."""
    if not isinstance(config, GlobalDiffConfig) or config.start == "noise":
        return "noise"
    voter = MODELS[config.voter].title
    starts = {"votes": f"{voter}’s list", "average": f"the average of its backbone’s list and {voter}’s"}
    return starts.get(config.start, "its backbone’s list")


@torch.inference_mode()
def stage(walked: Walk, question: Question) -> DenoisingModel:
    """Where the model's items lie, and what its walk begins with."""
    bundle, drawn_on = walked.bundle, walked.map
    read = [id - 1 for id in question.read[-bundle.model.config.max_length :]]
    return DenoisingModel(
        model=walked.one.name,
        title=walked.one.title,
        error=None,
        steps=len(walked.steps) - 1,
        begins_with=begins_with(bundle.model.config),
        variance=drawn_on.projection.share,
        around=drawn_on.around,
        history=tuple(drawn_on.projection.places(drawn_on.directions[read])) if read else (),
        milliseconds=walked.milliseconds,
    )


@torch.inference_mode()
def frames(walked: Walk, question: Question, items: Sequence[Item]) -> Iterator[DenoisingFrame]:
    """One a step; the first is what the walk begins with."""
    drawn_on, model = walked.map, walked.one.name
    for number, step in enumerate(walked.steps):
        scores = without_seen(step.scores[0].cpu(), walked.bundle, question)
        likeness = drawn_on.directions @ unit(step.vector[0].cpu())
        nearest = int(likeness.argmax())
        ((x, y),) = drawn_on.projection.places(step.vector)
        yield DenoisingFrame(
            model=model,
            step=number,
            place=(x, y),
            nearest=items[nearest],
            likeness=float(likeness[nearest]),
            items=tuple(items[id - 1] for id in best_ids(scores, question.k)),
            truth_rank=rank_of(scores, question.truth),
        )


def last_list(walked: Walk, question: Question) -> set[int]:
    """The ids of the list with which the walk ends."""
    return set(best_ids(without_seen(walked.steps[-1].scores[0].cpu(), walked.bundle, question), question.k))
