"""What stands around a comparison: notes on the history, warnings, and where the figures are from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from demo_core.datasets import PROTOCOLS
from demo_core.engine import wording
from demo_core.engine.answers import Item, ModelList, Route
from demo_core.engine.bundles import Loaded, excludes_history
from demo_core.engine.questions import Question
from demo_core.engine.titles import label

# A weight this close to 0 or 2 carries no degree any more.
SATURATED = 0.02


def shared(left: ModelList, right: ModelList) -> int:
    """How many items stand in both lists."""
    return len({shown.item.id for shown in left.items} & {shown.item.id for shown in right.items})


def reading(
    history: Sequence[int], window: int, models: Sequence[Loaded], items: Sequence[Item], noun: str
) -> Iterator[str]:
    """What is not read of the history, which models read farther back, and what stands in it more than once."""
    if len(history) > window:
        yield wording.dropped(len(history) - window, noun)
        for one in models:
            length = one.bundle.model.config.max_length if one.bundle else window
            if length > window:
                yield f"{one.title} reads the last {length}."
    for id, times in Counter(history[-window:]).items():
        if times > 1:
            often = "twice" if times == 2 else f"{times} times"
            yield f"{label(items[id - 1])} stands in the history {often} and is read each time."


def truth(
    question: Question, models: Sequence[Loaded], lists: Sequence[ModelList], items: Sequence[Item]
) -> Iterator[str]:
    """Where the item really chosen next is ranked, or why it is not."""
    if question.truth is None:
        return
    item = items[question.truth - 1]
    if excludes_history(models) and item.id in question.history:
        yield f"{label(item)} is in the history already, so it is not ranked."
    ranks = wording.truth_ranks(item.title, lists)
    if ranks is not None:
        yield ranks


def warnings(lists: Sequence[ModelList], route: Route | None, noun: str) -> Iterator[str]:
    """Never-trained items in a list, and weights that are a gate."""
    yield from wording.never_trained(lists, noun)
    weights = [station.weight for station in route.stations if station.weight is not None] if route else []
    moved = [weight for weight in weights if weight != 1]
    if moved and all(min(weight, 2 - weight) < SATURATED for weight in moved):
        yield wording.SATURATED


def provenance(
    title: str,
    device: str,
    models: Sequence[Loaded],
    seconds: float | None,
    question: Question,
    num_items: int,
    noun: str,
    noise: str | None = None,
) -> tuple[str, ...]:
    """Data set, protocol, what is excluded, models with preset, training seed and commit, noise, device and time."""
    usable = [(one.title, one.bundle, one.source) for one in models if one.bundle is not None]
    if not usable:
        return (title, device)
    protocols = list(dict.fromkeys(bundle.protocol for _, bundle, _ in usable))
    excluded = "those in the history" if excludes_history(models) else "nothing"
    trained: dict[str, list[str]] = {}
    for name, bundle, source in usable:
        commit, seed = str(bundle.training.get("commit"))[:7], bundle.training.get("seed")
        place = f", from {source}" if source is not None else ""
        trained.setdefault(f"{bundle.preset}, training seed {seed}, commit {commit}{place}", []).append(name)
    return (
        *(f"{title}, {name}: {PROTOCOLS[name].description}" for name in protocols),
        f"Top {question.k} of {num_items:,} {noun}s, {excluded} excluded",
        *(f"{', '.join(names)} {how}" for how, names in trained.items()),
        noise or f"the same noise for all, seed {question.seed}",
        *(f"{one.title} in {one.precision}" for one in models if one.precision is not None),
        device if seconds is None else f"{seconds:.2f} s on {device}",
    )
