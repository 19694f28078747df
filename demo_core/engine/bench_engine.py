"""A benchmark of one's own: several models over example people, told while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from demo_core.engine.answers import InputError
from demo_core.engine.base_engine import BaseEngine
from demo_core.engine.bench import CHUNK, METRICS, SLICES, person_value, row_of
from demo_core.engine.bench_answers import BenchProgress
from demo_core.engine.bundles import Loaded
from demo_core.engine.lab import MOST_SHARE, Subject
from demo_core.engine.questions import LARGEST_SEED, Question, check_name, check_number, check_whole


class BenchEngine(BaseEngine):
    """What the page to run one's own asks."""

    def people(self, slice: str = "all") -> tuple[Subject, ...]:
        """The example people of a slice."""
        self._require_items()
        chosen = SLICES[check_name("the slice", slice, tuple(SLICES))]
        subjects = (Subject(example.history, example.next) for example in self._examples)
        return tuple(person for person in subjects if chosen(person, self._search.items))

    def run_benchmark(
        self,
        models: Sequence[str] | None = None,
        slice: str = "all",
        metric: str = "hr@10",
        lost: float = 0.0,
        seed: int = 0,
    ) -> Iterator[BenchProgress]:
        """Ranks what each person really chose next; one message every ten people, the last one over all of them.

        ``lost``: share of every history that goes missing at random, 0 to 0.6, the same items for every model.
        """
        chosen = list({one.name: one for one in self._chosen(models)}.values())
        people = self.people(slice)
        check_name("the metric", metric, METRICS)
        check_number("the share", lost, 0.0, MOST_SHARE, optional=False)
        check_whole("the seed", seed, 0, LARGEST_SEED)
        if not people:
            raise InputError(self._no_examples or f"There are no example people in the slice {slice!r}.")
        return self._measured(chosen, people, slice, metric, lost, seed)

    def _measured(
        self, chosen: Sequence[Loaded], people: Sequence[Subject], slice: str, metric: str, lost: float, seed: int
    ) -> Iterator[BenchProgress]:
        values: dict[str, list[float]] = {one.name: [] for one in chosen}
        seconds = dict.fromkeys(values, 0.0)
        protocol = next((one.bundle.protocol for one in chosen if one.bundle is not None), "")
        question = Question((), k=int(metric.partition("@")[2]), seed=seed)
        caption = self._caption(
            chosen, question, noise=f"the same noise for all models, seed {seed} + the person’s number"
        )
        for number, person in enumerate(people, start=1):
            for one in chosen:
                if one.bundle is None:
                    continue
                started = time.perf_counter()
                values[one.name].append(person_value(one.bundle, person, metric, lost, seed + number, self._device))
                seconds[one.name] += time.perf_counter() - started
            if number % CHUNK == 0 or number == len(people):
                rows = tuple(row_of(one, values[one.name], seconds[one.name]) for one in chosen)
                yield BenchProgress(self.title, protocol, slice, metric, lost, seed, number, len(people), rows, caption)
