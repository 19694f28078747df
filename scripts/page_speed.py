"""``python -m scripts.page_speed``: the app against its budgets, for a visitor in Chromium and for a crowd.

python -m scripts.page_speed                        # everything; some minutes
python -m scripts.page_speed page --repeats 10      # or: start, visitors

Starts ``app.py`` itself and needs the requirements of the tests. The budgets are for two idle cores; the median and the
worst of the repeats are printed, and a budget is met when it is never exceeded.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

from scripts import budgets, load
from scripts.browser import BrowserMissingError, chromium
from scripts.budgets import Figure
from scripts.load import Outcome
from scripts.messages import as_message, count
from scripts.page_times import Visit, open_other_views, visit
from scripts.serving import APP, EMPTY, seconds_to_listen, served

CLIENTS, CALLS = 20, 5
LEAVERS = 4  # twice as many as are answered at once


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"out of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--repeats", type=count, default=5, help="starts and visits (default: 5)")
    parser.add_argument("--requests", type=count, default=1000, help="calls for the memory (default: 1000)")
    wishes = parser.parse_args()
    unknown = sorted(set(wishes.parts) - set(PARTS))
    if unknown:
        parser.error(f"expected parts out of {', '.join(PARTS)}, got {', '.join(unknown)}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before it began")
    with as_message(BrowserMissingError):
        for name in wishes.parts:
            for figure in PARTS[name](wishes):
                print(figure.line(), flush=True)


def start(wishes: argparse.Namespace) -> Iterator[Figure]:
    """The app and an empty page in turn, so that whatever else the machine does meets both."""
    pairs = [(seconds_to_listen(APP), seconds_to_listen(EMPTY)) for _ in range(wishes.repeats)]
    yield Figure(budgets.START, [app for app, _ in pairs])
    yield Figure(budgets.START_RATIO, [app / empty for app, empty in pairs])


def page(wishes: argparse.Namespace) -> Iterator[Figure]:
    """Visitors one after the other, each with an empty cache."""
    with served() as app, chromium() as browser:
        outside: list[str] = []
        yield from visited([visit(browser, app.address, number, outside) for number in range(wishes.repeats)])
        yield memory("after these visits", load.resident_megabytes(app.pid))
        open_other_views(browser, app.address, outside)
        yield memory("when every view was opened", load.resident_megabytes(app.pid))
        yield Figure(budgets.OUTSIDE, [len(outside)])


def visited(visits: list[Visit]) -> Iterator[Figure]:
    """What the visitors waited for; where one waited several times, all of them count."""

    def every(times: Callable[[Visit], Iterable[float]]) -> list[float]:
        return list(chain.from_iterable(map(times, visits)))

    yield Figure(budgets.ROW, [one.row for one in visits])
    yield Figure(budgets.ANSWERS, [one.answers for one in visits])
    yield Figure(budgets.LINK, [one.link for one in visits])
    yield Figure(budgets.SEARCH, every(lambda one: one.search))
    yield Figure(budgets.TOGGLE, every(lambda one: one.toggle))
    yield Figure(budgets.FIRST_FRAME, [one.first_frame for one in visits])
    yield Figure(budgets.FRAME, every(lambda one: one.frames))
    yield Figure(budgets.SCRUB, every(lambda one: one.scrub))
    yield Figure(budgets.PLAY, [one.play for one in visits])


def visitors(wishes: argparse.Namespace) -> Iterator[Figure]:
    """Programs: many at once, some that leave, and one that never stops asking."""
    with served() as app:
        yield memory("after the start", load.resident_megabytes(app.pid))
        yield from crowded(load.crowd(app.address, CLIENTS, CALLS))
        yield Figure(budgets.FREED, [seconds_until_free(app.address)])
        before, after = load.grown(app.address, app.pid, wishes.requests)
        yield memory("after 100 calls more", before)
        yield memory(f"after {wishes.requests} calls more", after)
        yield Figure(budgets.GROWTH, [after / before])


def crowded(told: list[Outcome]) -> Iterator[Figure]:
    """What became of the calls of a crowd."""
    refused = [one.seconds for one in told if one.kind == "refused"]
    answered = [one.seconds for one in told if one.kind == "answered"]
    yield Figure(budgets.LOST, [sum(one.kind == "lost" for one in told)])
    if refused:
        yield Figure(budgets.REFUSED, refused)
    yield Figure(budgets.P95, [load.percentile(answered or [math.inf], 95)])


def seconds_until_free(address: str) -> float:
    """From the moment when every place was left in the middle of an answer to the end of the next answer."""
    load.leave(address, LEAVERS)
    started = time.perf_counter()
    kind = load.ask(address, *load.CALLS[0]).kind
    return time.perf_counter() - started if kind == "answered" else math.inf


def memory(when: str, megabytes: float) -> Figure:
    """What the app holds at one moment."""
    return Figure(replace(budgets.MEMORY, name=f"{budgets.MEMORY.name} {when}"), [megabytes])


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Figure]]] = {
    "start": start,
    "page": page,
    "visitors": visitors,
}


if __name__ == "__main__":
    main()
