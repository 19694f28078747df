"""The sampling of several models, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from demo_core.engine.base_engine import BaseEngine
from demo_core.engine.bundles import Loaded
from demo_core.engine.control_remarks import remarks
from demo_core.engine.denoising import MOST_STEPS, MOST_STRENGTH, Walk, frames, no_stage, stage, walk
from demo_core.engine.denoising_answers import DenoisingFrame, DenoisingModel, DenoisingNotes
from demo_core.engine.questions import Question, check_number, check_whole
from demo_core.models.base import Controls


class DenoiseEngine(BaseEngine):
    """What the Denoise page asks."""

    def denoise(
        self,
        history: Sequence[int],
        models: Sequence[str] | None = None,
        steps: int | None = None,
        guidance_strength: float | None = None,
        k: int = 10,
        seed: int = 0,
        threshold: float | None = None,
        truth: int | None = None,
        off: Sequence[int] = (),
    ) -> Iterator[DenoisingModel | DenoisingFrame | DenoisingNotes]:
        """The sampling of several models from the same noise: first the models, then their frames step by step, then
        the notes. ``steps`` 1..50 and ``guidance_strength`` 0..6; None: as each model does it itself.
        """
        chosen, question = self._chosen(models), self._question(history, k, seed, threshold, truth, off)
        if steps is not None:
            check_whole("the number of steps", steps, 1, MOST_STEPS)
        check_number("the guidance strength", guidance_strength, 0.0, MOST_STRENGTH)
        return self._denoised(chosen, question, Controls(threshold, steps, guidance_strength))

    def _denoised(
        self, chosen: Sequence[Loaded], question: Question, controls: Controls
    ) -> Iterator[DenoisingModel | DenoisingFrame | DenoisingNotes]:
        walks = []
        for one in chosen:
            drawn_on = self._maps.get(one.name)
            if drawn_on is None:
                yield no_stage(one)
                continue
            walks.append(walk(one, question, controls, drawn_on, self._device))
            yield stage(walks[-1], question)
        told = zip_longest(*(frames(walked, question, self._search.items) for walked in walks))
        yield from (frame for together in told for frame in together if frame is not None)

        def again(walked: Walk, changed: Controls) -> Walk:
            return walk(walked.one, question, changed, walked.map, self._device)

        seconds = sum(walked.milliseconds for walked in walks) / 1000
        yield DenoisingNotes(
            tuple(remarks(walks, question, controls, again, self.noun)),
            self._caption(chosen, question, seconds),
        )
