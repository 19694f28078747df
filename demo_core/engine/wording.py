"""The sentences that answers carry. ``noun`` is what one item is called: film, product, item."""

from __future__ import annotations

import re
from collections.abc import Sequence

from demo_core.engine.answers import ModelList, Outcome

# With no more than this share of the training histories between evenness and threshold, it was a hair. A fixed distance
# would call nearly every history so: the evenness of most lies within a hundredth.
HAIR = 0.05

EMPTY = "Type {a} {noun} you like, or take a random person."
WEIGHS = "so CARD weighs each {noun}."
THINS = "so CARD thins the history."
OTHER_WAY = "TDM reads the same number the other way: even means steady."
TRAINING_ONLY = "CARD thins in training only; here the raw history is read."
UNROUTED_REASON = "CARD needs three {noun}s to choose a route; until then the raw history is read."

SATURATED = "These weights are only 0, 1 or 2. They are a gate, not a measure."


def decimal(value: float, digits: int) -> str:
    """A fraction for a figure, without its leading zero: ``.961``."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.{digits}f}")


def verdict(outcome: Outcome, items: int, evenness: float | None, between: float | None, noun: str) -> str:
    """One sentence that says how CARD reads the history.

    ``between``: share of the training histories whose evenness lies between this one's and the threshold, if known.
    """
    if outcome == "empty":
        return EMPTY.format(a="an" if noun[0] in "aeiou" else "a", noun=noun)
    if outcome == "unrouted" or evenness is None:
        return f"One {noun} has no steps." if items == 1 else f"Two {noun}s always give the same evenness."
    hair = between is not None and between <= HAIR
    if outcome == "turning":
        steps = "by a hair: the steps are just even enough" if hair else "the steps are even"
    else:
        steps = (
            "by a hair: the steps are just too uneven" if hair else "one step stands out and the rest holds together"
        )
    joint = ", " if hair else ": "
    then = WEIGHS.format(noun=noun) if outcome == "turning" else THINS
    return f"{outcome.capitalize()}{joint}{steps}, {then}"


def reason(outcome: Outcome, evenness: float | None, threshold: float, share: float | None, noun: str) -> str:
    """The figures behind the verdict. ``share`` of the training histories lies above the threshold."""
    if outcome == "empty":
        return ""
    if outcome == "unrouted" or evenness is None:
        return UNROUTED_REASON.format(noun=noun)
    # Two figures that differ must not be printed alike.
    digits = next((d for d in (3, 4, 5) if decimal(evenness, d) != decimal(threshold, d)), 6)
    side = "above" if outcome == "turning" else "below"
    lies = "" if share is None else f"; {100 * share:.0f} % of training histories lie above it"
    text = f"Evenness {decimal(evenness, digits)} is {side} the threshold {decimal(threshold, digits)}{lies}."
    return " ".join([text, OTHER_WAY, *([TRAINING_ONLY] if outcome == "stable" else [])])


def dropped(number: int, noun: str) -> str:
    """How many items lie before the window."""
    return f"1 earlier {noun} is not read." if number == 1 else f"{number} earlier {noun}s are not read."


def never_trained(lists: Sequence[ModelList], noun: str) -> list[str]:
    """One warning for each list that holds items without any training."""
    texts = []
    for one in lists:
        number = sum(not shown.item.trained for shown in one.items)
        if number:
            verb, place = ("was", "Its place") if number == 1 else ("were", "Their place")
            of = f"{number} of these {len(one.items)} {noun}s {verb} never trained on."
            texts.append(f"{one.title}: {of} {place} in the list is an accident of the starting values.")
    return texts


def truth_ranks(title: str, lists: Sequence[ModelList]) -> str | None:
    """``Before Sunset is 6th with CARD, 14th with GlobalDiff.`` None when no list ranks it."""
    ranked = sorted((one.truth_rank, one.title) for one in lists if one.truth_rank is not None)
    if not ranked:
        return None
    return f"{title} is {', '.join(f'{ordinal(rank)} with {name}' for rank, name in ranked)}."


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``11th``, ``1,203rd``."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
