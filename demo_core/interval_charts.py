"""Findings -> one chart of differences with their intervals, zero in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from demo_core.charts import TOKENS, Theme, themed
from demo_core.experiments.claims import Finding

ROW = 30


def interval_chart(found: Sequence[Finding], theme: Theme = "light", width: int = 460) -> alt.LayerChart:
    """One line a finding: a dot at the difference in HR@20 and its 95 % interval, filled where zero lies outside.

    Raises ``ValueError`` without findings.
    """
    if not found:
        raise ValueError("Expected at least one finding to draw, got none.")
    colours = TOKENS[theme]
    records = [_record(one) for one in found]
    names = [str(record["name"]) for record in records]
    lines = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=620, ticks=False, domain=False))
    base = alt.Chart(alt.InlineData(values=records))
    filled = alt.Scale(domain=[True, False], range=[colours["ink"], colours["panel"]])
    dots = base.mark_point(size=80, strokeWidth=1.6, opacity=1).encode(
        # Close to zero equal steps are equal points, far from it equal ratios: a rival may be ten points away.
        x=alt.X(
            "mean:Q",
            title="difference in HR@20, points, with 95 % interval; steps shrink away from 0",
            scale=alt.Scale(type="symlog", constant=0.5),
            axis=alt.Axis(values=[-2, -1, -0.5, 0, 0.5, 1, 2, 5, 10, 15], format="~g"),
        ),
        y=lines,
        fill=alt.Fill("clear:N", scale=filled, legend=None),
        stroke=alt.value(colours["ink"]),
    )
    bars = base.mark_rule(strokeWidth=2, color=colours["muted"]).encode(x="low:Q", x2="high:Q", y=lines)
    zero = (
        alt.Chart(alt.InlineData(values=[{"at": 0}]))
        .mark_rule(strokeDash=[3, 3], color=colours["ink"])
        .encode(x="at:Q")
    )
    title = "What holds (filled) and what was not shown (open), test rows, seeds and sequences drawn"
    chart = alt.layer(zero, bars, dots).properties(width=width, height=ROW * len(records), title=title)
    return themed(chart, colours)


def _record(one: Finding) -> dict[str, object]:
    name = f"{one.claim.words} · {one.place}"
    difference = one.difference
    return {
        "name": name,
        "mean": 100 * difference.mean,
        "low": 100 * difference.low,
        "high": 100 * difference.high,
        "clear": difference.is_clear,
    }
