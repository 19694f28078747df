"""Findings -> one chart of differences with intervals: a line a claim, a column a data set, zero in the middle."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from demo_core.charts import TOKENS, Theme, themed
from demo_core.experiments.claims import Finding, claims_of, places_of

ROW = 26
TITLE = "What holds (filled) and what was not shown (open): difference in HR@20, points, with 95 % interval"
SUBTITLE = "test rows; seeds and sequences drawn; steps shrink away from 0"


def interval_chart(found: Sequence[Finding], theme: Theme = "light", width: int = 170) -> alt.FacetChart:
    """A dot at the difference in HR@20 and its 95 % interval, filled where zero lies outside; ``width`` in pixels of
    one data set.

    Raises ``ValueError`` without findings.
    """
    if not found:
        raise ValueError("Expected at least one finding to draw, got none.")
    colours = TOKENS[theme]
    claims, places = claims_of(found), places_of(found)
    base = alt.Chart()
    lines = alt.Y("claim:N", sort=claims, title=None, axis=alt.Axis(labelLimit=520, ticks=False, domain=False))
    filled = alt.Scale(domain=[True, False], range=[colours["ink"], colours["panel"]])
    dots = base.mark_point(size=60, strokeWidth=1.6, opacity=1).encode(
        # Close to zero equal steps are equal points, far from it equal ratios: a rival may be ten points away.
        x=alt.X(
            "mean:Q",
            title=None,
            scale=alt.Scale(type="symlog", constant=0.5),
            axis=alt.Axis(values=[-5, -1, 0, 1, 5, 20], format="~g"),
        ),
        y=lines,
        fill=alt.Fill("clear:N", scale=filled, legend=None),
        stroke=alt.value(colours["ink"]),
    )
    bars = base.mark_rule(strokeWidth=2, color=colours["muted"]).encode(x="low:Q", x2="high:Q", y=lines)
    zero = base.mark_rule(strokeDash=[3, 3], color=colours["ink"]).encode(x=alt.datum(0))
    panel = alt.layer(zero, bars, dots).properties(width=width, height=ROW * len(claims))
    columns = alt.Column(
        "place:N", sort=places, title=None, header=alt.Header(labelColor=colours["ink"], labelFontSize=12)
    )
    chart = panel.facet(column=columns, data=alt.InlineData(values=[_record(one) for one in found]))
    return themed(chart.properties(title=alt.Title(TITLE, subtitle=SUBTITLE, anchor="start")), colours)


def _record(one: Finding) -> dict[str, object]:
    difference = one.difference
    return {
        "claim": one.claim.words,
        "place": one.place,
        "mean": 100 * difference.mean,
        "low": 100 * difference.low,
        "high": 100 * difference.high,
        "clear": difference.is_clear,
    }
