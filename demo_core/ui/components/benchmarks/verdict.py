"""The sentence above the benchmark figure, written from its rows: the highest means, and where their worth is told.

It claims no winner: that takes an interval, which stands in the section on differences.
"""

from __future__ import annotations

from collections.abc import Sequence

from demo_core.benchmark_rows import Row, dataset_title, metric_title, model_title, points
from demo_core.models import BASELINES

ONE_SEED = "One seed. The difference may be chance."
MORE = "Whether that is more than chance is told under “Is a difference real?”."
NAMED = 3


def verdict(rows: Sequence[Row]) -> tuple[str, str]:
    """(headline, reason) for the rows of one figure: the highest measured means and the baselines.

    Without a measured model the best printed figure is named instead. No difference is reported without the number of
    seeds.
    """
    measured = sorted((row for row in rows if row.result.source == "measured"), key=lambda row: -row.result.mean)
    if not rows:
        return "No figures here yet.", "Nothing was printed or measured for this choice."
    if not measured:
        return _printed(rows)
    best, rival = measured[0], _rival(measured)
    lead = _lead(best, rival)
    seeds = "" if ONE_SEED in lead and best.result.n == 1 else f", {_seeds(best)}"
    return _headline(measured), f"{_where(best)}{seeds}. {lead}{_print_beside(best, rows)}"


def _printed(rows: Sequence[Row]) -> tuple[str, str]:
    best = max(rows, key=lambda row: row.result.mean)
    runs = {None: "number of runs not stated", 1: "one run"}.get(best.result.n, f"mean of {best.result.n} runs")
    return (
        f"Printed: {_name(best)}, {_percent(best)}. Not measured here.",
        f"{_where(best)}, {runs}, as printed in the {best.result.origin}.",
    )


def _headline(measured: Sequence[Row]) -> str:
    highest = _highest(measured)
    baselines = [row for row in measured if row.result.model in BASELINES and row not in highest]
    bars = [row for row in baselines if row is baselines[0] or row.result.model == "popularity"]
    opening = "Highest means: " if len(highest) > 1 else "Highest mean: "
    return opening + " ".join(f"{_list(part)}." for part in (highest, bars) if part)


def _highest(measured: Sequence[Row]) -> list[Row]:
    """The highest row of each of the three highest models; the first may be a baseline."""
    highest = [measured[0]]
    for row in _learned(*measured[1:]):
        if row.result.model not in [known.result.model for known in highest]:
            highest.append(row)
    return highest[:NAMED]


def _list(rows: Sequence[Row]) -> str:
    return ", ".join(f"{_name(row)} {_percent(row)}" for row in rows).replace(", Popularity", ", popularity")


def _lead(best: Row, rival: Row | None) -> str:
    if rival is None:
        return "No other model was measured here."
    text = f"{_name(rival)} is {points(_gap(best, rival))} points lower"
    learned = _learned(best, rival)
    if not learned:
        return f"{text}; neither depends on a seed."
    return f"{text}. {ONE_SEED if any(row.result.n == 1 for row in learned) else MORE}"


def _rival(measured: Sequence[Row]) -> Row | None:
    """The best row of another model than the best one's."""
    return next((row for row in measured if row.result.model != measured[0].result.model), None)


def _learned(*rows: Row) -> list[Row]:
    """Those that training with another seed would change."""
    return [row for row in rows if row.result.model not in BASELINES]


def _gap(best: Row, rival: Row) -> float:
    return best.result.mean - rival.result.mean


def _print_beside(best: Row, rows: Sequence[Row]) -> str:
    same = [row for row in rows if row.result.source == "published" and row.result.model == best.result.model]
    if not same:
        return ""
    printed = max(same, key=lambda row: row.result.mean)
    return f" Printed for {best.title}: {_percent(printed)} ({printed.result.origin})."


def _where(row: Row) -> str:
    scored = f", {row.result.rows:,} test rows" if row.result.rows else ""
    return f"{metric_title(row.result.metric)} on {dataset_title(row.result.dataset)}, {row.result.protocol}{scored}"


def _seeds(row: Row) -> str:
    if row.result.model in BASELINES:
        return "no seed in it"
    return "one seed" if row.result.n == 1 else f"mean of {row.result.n} seeds"


def _name(row: Row) -> str:
    backbone = f" on {model_title(row.result.backbone)}" if row.result.backbone else ""
    unusual = row.result.source == "measured" and row.result.preset != "default" and row.result.model not in BASELINES
    return f"{row.title}{backbone}" + (f" ({row.source.partition(' on ')[0]})" if unusual else "")


def _percent(row: Row) -> str:
    return f"{100 * row.result.mean:.2f}\N{NO-BREAK SPACE}%"
