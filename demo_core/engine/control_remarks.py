"""Do the controls of the sampling change anything for this history? Said plainly, also where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from demo_core.engine.denoising import MOST_STRENGTH, Walk, last_list
from demo_core.engine.questions import Question
from demo_core.models.base import Controls
from demo_core.models.guided_diffusion import GuidedDiffusion

WalkAgain = Callable[[Walk, Controls], Walk]


def remarks(
    walks: Sequence[Walk], question: Question, controls: Controls, again: WalkAgain, noun: str
) -> Iterator[str]:
    """One sentence on guidance, one on the number of steps."""
    steered = [walked for walked in walks if isinstance(walked.bundle.model, GuidedDiffusion)]
    if steered:
        low, high = (Controls(controls.threshold, controls.steps, strength) for strength in (0.0, MOST_STRENGTH))
        lists = [(walked, last_list(again(walked, low), question)) for walked in steered]
        kept = {walked.one.title: len(found & last_list(again(walked, high), question)) for walked, found in lists}
        yield guidance_remark(kept, max(len(found) for _, found in lists), noun)
    if walks and controls.steps is not None:
        own = Controls(controls.threshold, None, controls.guidance_strength)
        lists = [(walked, last_list(walked, question)) for walked in walks]
        kept = {walked.one.title: len(found & last_list(again(walked, own), question)) for walked, found in lists}
        yield steps_remark(kept, max(len(found) for _, found in lists), noun)


def guidance_remark(kept: dict[str, int], k: int, noun: str) -> str:
    """``kept``: how many of the ``k`` are in both lists, with strength 0 and with the greatest one."""
    end = f"{MOST_STRENGTH:g}"
    if all(number == k for number in kept.values()):
        return f"Guidance changes nothing here. From 0 to {end}, {_names(list(kept))} the same {k} {noun}s."
    return f"Guidance from 0 to {end} leaves {_numbers(kept)} of the {k} {noun}s."


def steps_remark(kept: dict[str, int], k: int, noun: str) -> str:
    """``kept``: how many of the ``k`` are also in the list with the number of steps that the model uses itself."""
    if all(number == k for number in kept.values()):
        return f"The number of steps changes nothing here: with as many as they use themselves, all {k} {noun}s stay."
    return f"Against the number of steps they use themselves, {_numbers(kept)} of the {k} {noun}s stay."


def _names(titles: Sequence[str]) -> str:
    if len(titles) == 1:
        return f"{titles[0]} keeps"
    return f"{', '.join(titles[:-1])} and {titles[-1]} keep"


def _numbers(kept: dict[str, int]) -> str:
    return ", ".join(f"{title} {number}" for title, number in kept.items())
