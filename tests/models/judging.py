"""Validation as a test wants it to be."""

from collections.abc import Callable, Sequence

from demo_core.models.base import Validation


def judged_by(quality: Callable[[], float]) -> Validation:
    """What ``quality`` says of the model as each setting leaves it."""

    def under(settings: Sequence[Callable[[], object]]) -> list[float]:
        found = []
        for setting in settings:
            setting()
            found.append(quality())
        return found

    return Validation(under)


UNJUDGED = judged_by(lambda: 0.0)
"""For preparations that do not ask."""
