"""A family tree of the systems: by idea, what each does about missing or noisy data, and by what builds on what.

Facts alone: whether a system is healthy is measured (``demo_core.results``), not written down here.
"""

from __future__ import annotations

from demo_core.families.counted import COUNTED
from demo_core.families.diffusion import GUIDING, INVENTING, RESTORING, SHARING
from demo_core.families.histories import COMPARING, CORRECTING, HIDING, MENDING, READING
from demo_core.families.tree import Branch, Paper, System

__all__ = ["BRANCHES", "LEADING", "SYSTEMS", "Branch", "Paper", "System", "branch", "descendants"]

BRANCHES = (
    Branch("as_it_is", "takes the history as it is"),
    Branch("hides", "hides items and guesses them"),
    Branch("agrees", "makes changed copies agree"),
    Branch("weighs", "corrects its own weights"),
    Branch("mends", "inserts and deletes items"),
    Branch("invents", "makes up what is missing"),
    Branch("restores", "restores from noise"),
    Branch("guides", "edits the guiding history"),
    Branch("shares", "adds what all histories share"),
    Branch("counts", "counted, not learned", learned=False),
)
"""In the order of a talk."""

SYSTEMS: dict[str, System] = {
    one.model: one
    for one in (
        *READING,
        *HIDING,
        *COMPARING,
        *CORRECTING,
        *MENDING,
        *INVENTING,
        *RESTORING,
        *GUIDING,
        *SHARING,
        *COUNTED,
    )
}
"""Every system once, by its name in ``demo_core.models.MODELS``; within a branch by year."""

LEADING = ("card", "globaldiff")
"""The two that this page is about."""


def branch(model: str) -> Branch:
    """The branch of a system; ``KeyError`` for an unknown one."""
    name = SYSTEMS[model].branch
    return next(one for one in BRANCHES if one.name == name)


def descendants(model: str) -> tuple[str, ...]:
    """The systems that build on this one, or stand on it, in the order of the tree."""
    return tuple(one.model for one in SYSTEMS.values() if one.builds_on == model or model in one.stands_on)
