"""The answer of the difference panel: a mean difference with its interval, in words and as a mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from demo_core import axes
from demo_core.benchmark_rows import Row, metric_title, points
from demo_core.ui.components.benchmarks.dots import Dot, Line, Scale, dots

if TYPE_CHECKING:
    from demo_core.comparison import Difference

NO_RANKS = "No interval: the rank of every row was not kept for both. Without one, no difference is claimed."
LOSSES = "Lost less: right of 0 the first model loses less than the second when items are deleted."


def told(
    first: Row, second: Row, difference: Difference | None, losses: Sequence[tuple[float, Difference]] = ()
) -> dict[str, Any]:
    """``{"text", "block"}``; without an interval only the text, which claims nothing.

    ``losses``: for a share of items deleted, how much less the first loses than the second.
    """
    if difference is None:
        return {"text": NO_RANKS, "block": None}
    low, high = signed(difference.low), signed(difference.high)
    seeds = "1 seed" if difference.seeds == 1 else f"{difference.seeds} seeds"
    lines = [Line(f"{_name(first)} − {_name(second)}", "", first, (_dot(difference),))]
    lines += [Line(f"lost less with {100 * share:.0f} % deleted", "", first, (_dot(saved),)) for share, saved in losses]
    ends = [100 * end for one in (difference, *(saved for _, saved in losses)) for end in (one.low, one.high)]
    scale = Scale(
        f"difference in {metric_title(first.result.metric)}, points",
        axes.symmetric(ends),
        level=(0.0, "no difference"),
    )
    text = (
        f"{_reading(difference, first, second)} 95 % interval {low} to {high} points, from"
        f" {difference.sequences:,} histories and {seeds}."
    )
    return {"text": text, "block": dots("", lines, [scale], note=LOSSES if losses else "")}


def _dot(difference: Difference) -> Dot:
    return Dot(
        mean=100 * difference.mean,
        low=100 * difference.low,
        high=100 * difference.high,
        text=signed(difference.mean),
        spread=f"{signed(difference.low)} to {signed(difference.high)}",
        n="",
        origin=f"paired bootstrap over {difference.sequences:,} histories",
    )


def _reading(difference: Difference, first: Row, second: Row) -> str:
    if not difference.is_clear:
        return "The interval holds 0: neither is shown to be ahead."
    return f"{_name(first if difference.low > 0 else second)} is ahead: the whole interval is on its side of 0."


def _name(row: Row) -> str:
    return f"{row.title} ({row.source})"


def signed(fraction: float) -> str:
    """Percentage points with their sign: ``+.05``, ``−.12``, ``.00``."""
    text = points(abs(fraction))
    return text if text == ".00" else ("−" if fraction < 0 else "+") + text
