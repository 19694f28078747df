"""What missing or foreign items do to the lists of several models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from demo_core.engine.answers import InputError
from demo_core.engine.base_engine import BaseEngine
from demo_core.engine.bundles import Loaded
from demo_core.engine.lab import DRAWS, DRAWS_A_PERSON, KINDS, MOST_SHARE, PEOPLE, Subject, altered, lab_point
from demo_core.engine.lab_answers import LabAnswer, LabItem, LabList, LabPoint
from demo_core.engine.questions import LARGEST_SEED, Question, check_name, check_number, check_whole


class LabEngine(BaseEngine):
    """What the Missing data page asks."""

    def lab(
        self,
        history: Sequence[int],
        kind: str = "lost",
        share: float = 0.3,
        draw: int = 0,
        models: Sequence[str] | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
    ) -> LabAnswer:
        """One draw of lost or added items, 0 to 60 %: what becomes of the route and of the lists."""
        self._require_items()
        chosen, question = self._chosen(models), self._question(history, k, seed, threshold, truth)
        check_number("the share", share, 0.0, MOST_SHARE, optional=False)
        check_whole("the draw", draw, 0, LARGEST_SEED)
        changed = altered(question.history, check_name("items", kind, KINDS), share, self.num_items, draw)
        now = replace(question, history=changed.read, seen=question.history)
        card, items, lost = self._bundle("card"), self._search.items, frozenset(changed.lost)
        return LabAnswer(
            items=tuple(LabItem(items[id - 1], position, position in lost) for id, position in changed.items),
            whole=None if card is None else self._route(card, question),
            route=None if card is None else self._route(card, now),
            lists=tuple(self._lab_list(one, question, now) for one in chosen),
            provenance=self._caption(chosen, question),
        )

    def lab_curve(
        self,
        history: Sequence[int],
        kind: str,
        share: float,
        people: bool = False,
        models: Sequence[str] | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
    ) -> tuple[LabPoint, ...]:
        """One share of the curve: over many draws of this history, or over a sample of example people.

        :class:`InputError` also where there are no such people, or no model can be used.
        """
        self._require_items()
        chosen, question = self._chosen(models), self._question(history, k, seed, threshold, truth)
        check_number("the share", share, 0.0, MOST_SHARE, optional=False)
        subjects = self._subjects() if people else [Subject(question.history, truth)]
        draws = DRAWS_A_PERSON if people else DRAWS
        if not subjects:
            raise InputError(self._no_examples or "There are no example people.")
        usable = [one.bundle for one in chosen if one.bundle is not None]
        if not usable:
            raise InputError(str(chosen[0].error))
        return tuple(
            lab_point(
                bundle,
                subjects,
                check_name("items", kind, KINDS),
                share,
                draws=draws,
                k=k,
                seed=seed,
                threshold=threshold,
                device=self._device,
            )
            for bundle in usable
        )

    def _lab_list(self, one: Loaded, before: Question, after: Question) -> LabList:
        whole, now = self._list(one, before), self._list(one, after)
        left = {shown.item.id for shown in now.items}
        kept = tuple(shown.item.id in left for shown in whole.items)
        return LabList(one.name, one.title, kept, whole.truth_rank, now.truth_rank, whole.error or now.error)

    def _subjects(self) -> list[Subject]:
        """The first example people, each with what really followed."""
        return [Subject(example.history, example.next) for example in self._examples[:PEOPLE]]
