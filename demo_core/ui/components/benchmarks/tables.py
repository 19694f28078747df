"""Running times, health and PER's honesty as plain values for the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo_core import axes
from demo_core.benchmark_rows import Row, metric_title, model_title, points
from demo_core.experiments.honesty import Agreement
from demo_core.experiments.overview import System
from demo_core.experiments.times import Timing
from demo_core.reference import BELOW, Beside
from demo_core.results import Result
from demo_core.ui.components.benchmarks.dots import Dot, Line, Scale, dots, provenance, seeds

PRINTED_TIMES = (
    "Whether a printed scoring time is for a batch or for the whole split is not clear; ours are for the whole test"
    " split, metrics included."
)
DEVICES = "Compare times only on one device."
HEALTH = (
    ("never trained", "Share of the slots of all top-20 lists that hold an item no training row asked for."),
    ("distinct items", "Different items in all top-20 lists together."),
    ("overlap", "Share that two people's top-20 lists have in common, on average."),
    ("20 most popular", "Share of the slots that hold one of the 20 most popular items."),
    ("turning", "Share of the histories that take CARD's turning route."),
    ("stable", "Share of the histories that take CARD's stable route."),
    ("weights of 0 or 2", "Share of the weights that are 0 or 2: a gate, not a measure."),
)


def times_block(timings: Sequence[Timing]) -> dict[str, Any]:
    """Both times of every model, on logarithmic axes, each with its device."""
    lines = [
        Line(
            model_title(timing.row.result.model),
            f"{timing.row.source} · {timing.device or 'device not stated'}",
            timing.row,
            tuple(None if r is None else _seconds(timing.row, r) for r in (timing.training, timing.scoring)),
        )
        for timing in timings
    ]
    ends = [[dot.mean for line in lines if (dot := line.dots[i]) is not None] for i in (0, 1)]
    scales = [
        Scale(title, axes.logarithmic(values), " s")
        for title, values in zip(("one training epoch", "scoring the test split"), ends, strict=True)
    ]
    printed = any(timing.row.result.source == "published" for timing in timings)
    several = len({timing.device for timing in timings}) > 1
    note = " ".join([PRINTED_TIMES] * printed + [DEVICES] * several)
    return dots("Seconds, each step of the axis ten times the one before", lines, scales, note=note)


def _seconds(row: Row, result: Result) -> Dot:
    places = max(0, 2 - max(0, len(f"{result.mean:.0f}") - 1))
    spread = "" if result.sd is None else f"± {result.sd:.{places}f}"
    low = None if result.sd is None else max(result.mean - result.sd, result.mean / 10)
    high = None if result.sd is None else result.mean + result.sd
    # A paper prints one time and does not say of how many runs.
    return Dot(result.mean, low, high, f"{result.mean:,.{places}f} s", spread, seeds(result.n), provenance(row))


OVERVIEW = (
    ("Model", "With its default settings."),
    ("HR@20, %", "Share of the test rows whose next item is among the first 20. ± one sd over seeds."),
    ("NDCG@20, %", "The same, but a hit counts the more the higher it stands."),
    ("n", "Seeds."),
    ("s an epoch", "Seconds of one training epoch, on the device of the figures."),
    ("s for the test", "Seconds to rank the whole test split, metrics included."),
    ("parameters", "Trained numbers, those of a frozen backbone included."),
    ("gate", "What a model has to pass to be drawn solid."),
)


def overview_block(systems: Sequence[System]) -> dict[str, Any]:
    """One line for every model that was measured, the best first."""
    heads = [{"text": text, "title": title} for text, title in OVERVIEW]
    lines = [[{"text": text, "bad": False} for text in system.texts[:-1]] for system in systems]
    gates = [{"text": system.texts[-1], "bad": bool(system.failures)} for system in systems]
    rows = [[*line, gate] for line, gate in zip(lines, gates, strict=True)]
    return {"kind": "table", "title": "", "heads": heads, "rows": rows}


REFERENCE_METRICS = ("hr@20", "ndcg@20")


def reference_block(found: Sequence[Beside]) -> dict[str, Any]:
    """A public implementation beside ours: a line a recipe; a ratio below .95 is marked."""
    heads = [("Model", ""), ("reference", ""), ("ours", "What is changed in our default.")]
    heads += [("theirs", "What is not taken over from ours.")]
    for metric in REFERENCE_METRICS:
        name = metric_title(metric)
        heads += [(f"{name}, ours", "Per cent, mean over seeds."), (f"{name}, theirs", "Per cent, mean over seeds.")]
        heads += [("ratio", f"Ours / theirs; below {BELOW:.2f} it is marked.".replace("0.", "."))]
    heads += [("n", "Seeds, ours / theirs.")]
    told = [{"text": text, "title": title} for text, title in heads]
    return {"kind": "table", "title": "", "heads": told, "rows": [_beside(one) for one in found]}


def _beside(one: Beside) -> list[dict[str, Any]]:
    reference = one.reference
    changed = ("no averaged weights" if one.variant else "", ", ".join(reference.changes))
    cells = [model_title(reference.model), reference.system, *changed]
    line = [{"text": text or "–", "bad": False} for text in cells]
    for metric in REFERENCE_METRICS:
        ratio = one.ratio(metric)
        for value in (one.ours.get(metric), one.theirs.get(metric)):
            line.append({"text": "–" if value is None else f"{100 * value:.2f}", "bad": False})
        line.append({"text": "–" if ratio is None else f"{ratio:.2f}", "bad": ratio is not None and ratio < BELOW})
    return [*line, {"text": f"{one.our_seeds} / {one.their_seeds}", "bad": False}]


def health_block(shown: Sequence[Row]) -> dict[str, Any]:
    """One line for every measured model and preset: what its lists are made of, its routes, and the gate's verdict."""
    heads = [
        {"text": "Model", "title": ""},
        {"text": "Preset", "title": ""},
        *({"text": text, "title": title} for text, title in HEALTH),
        {"text": "gate", "title": "What a model has to pass to be drawn solid."},
    ]
    return {"kind": "table", "title": "", "heads": heads, "rows": [_health(row) for row in shown]}


def _health(row: Row) -> list[dict[str, Any]]:
    found = row.result.health or {}
    shares = ("never_trained_share", "list_overlap", "popularity_share")
    never, overlap, popular = (_share(found.get(name), 1) for name in shares)
    distinct = "–" if row.distinct is None else f"{row.distinct:,.0f}"
    routes = [_share(found.get(f"{name}_share")) for name in ("turning", "stable", "saturated_weight")]
    texts = [row.title, row.source, never, distinct, overlap, popular, *routes]
    return [*({"text": text, "bad": False} for text in texts), _verdict(row)]


def _verdict(row: Row) -> dict[str, Any]:
    if row.source == "baseline":
        return {"text": "no gate for a baseline", "bad": False}
    if not row.result.health:
        return {"text": "not stated", "bad": False}
    if row.failures:
        return {"text": "fails: " + "; ".join(row.failures), "bad": True}
    return {"text": "passes", "bad": False}


def _share(value: float | None, places: int = 0) -> str:
    return "–" if value is None else f"{100 * value:.{places}f} %"


def tries_block(found: Sequence[Result], metric: str) -> dict[str, Any]:
    """Settings that were compared on validation: by model, newest first, since the default itself moved on."""
    heads = [
        {"text": "Model", "title": ""},
        {"text": "changed", "title": "Settings that differ from those of the model's default on that day."},
        {"text": f"{metric_title(metric)}, validation, %", "title": ""},
        {"text": "seeds", "title": ""},
        {"text": "date", "title": ""},
    ]
    newest = sorted((r for r in found if r.metric == metric), key=lambda r: r.date or "", reverse=True)
    shown = sorted(newest, key=lambda r: model_title(r.model).lower())
    return {"kind": "table", "title": "", "heads": heads, "rows": [_tried(result) for result in shown]}


def _tried(result: Result) -> list[dict[str, Any]]:
    settings = (
        (result.variant or "the default of that day")
        .replace(",", ", ")
        .replace("=", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    )
    on = f" on {model_title(result.backbone)}" if result.backbone else ""
    spread = "" if result.sd is None else f" ± {points(result.sd)}"
    texts = (
        model_title(result.model) + on,
        settings,
        f"{100 * result.mean:.2f}{spread}",
        str(result.n),
        (result.date or "")[:10],
    )
    cells: list[dict[str, Any]] = [{"text": text, "bad": False} for text in texts]
    cells[1]["words"] = True  # settings may be many: they are broken into lines, and the figures stay in sight
    return cells


def honesty_block(found: Sequence[Agreement]) -> dict[str, Any]:
    """Every coefficient on an axis from -1 to 1."""
    lines = [
        Line(
            agreement.name,
            f"{agreement.row.title} · {agreement.row.source}, {agreement.row.result.rows or 0:,} histories",
            agreement.row,
            (_coefficient(agreement.row),),
        )
        for agreement in found
    ]
    scale = Scale("Spearman's ρ", axes.CORRELATION, level=(0.0, "no agreement"))
    return dots("", lines, [scale])


def _coefficient(row: Row) -> Dot:
    result = row.result
    low, high = (None, None) if result.sd is None else (result.mean - result.sd, result.mean + result.sd)
    spread = "" if result.sd is None else f"± {_signed(result.sd).removeprefix('+')}"
    return Dot(result.mean, low, high, _signed(result.mean), spread, seeds(result.n), provenance(row))


def _signed(value: float) -> str:
    """``+.25``, ``−.06``, ``.00``: two places, no leading zero."""
    text = f"{abs(value):.2f}".removeprefix("0") if abs(value) < 1 else f"{abs(value):.2f}"
    return text if text == ".00" else ("−" if value < 0 else "+") + text
