"""What a place in the family tree is made of: a branch, a system, a paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """``authors`` as a citation names them; ``year`` that of the venue; ``arxiv``: the number, ``None`` without one."""

    title: str
    authors: str
    venue: str
    year: int
    arxiv: str | None = None

    @property
    def address(self) -> str | None:
        """Where it can be read."""
        return None if self.arxiv is None else f"https://arxiv.org/abs/{self.arxiv}"

    @property
    def citation(self) -> str:
        """``Kang & McAuley, ICDM 2018``."""
        return f"{self.authors}, {self.venue} {self.year}"


@dataclass(frozen=True)
class Branch:
    """An idea of what to do about missing or noisy data. ``idea`` goes on from a system's name: "CARD edits ...".

    ``learned``: whether its systems are those that are compared; the others are baselines.
    """

    name: str
    idea: str
    learned: bool = True


@dataclass(frozen=True)
class System:
    """One place in the tree. ``model`` is its name in ``demo_core.models.MODELS``.

    ``does``: what it does about missing or noisy data, ``know``: what to know about it, a sentence each. ``builds_on``:
    the system that it is, with something changed or added, or whose core it takes over. ``stands_on``: systems of which
    it takes one whole, trained before or beside it.
    """

    model: str
    branch: str
    does: str
    know: str
    paper: Paper | None
    builds_on: str | None = None
    stands_on: tuple[str, ...] = ()
