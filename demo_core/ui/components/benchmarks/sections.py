"""The sections below the benchmark figure: a heading, what it is about, and what was measured, or that nothing was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from demo_core import axes
from demo_core.benchmark_rows import dataset_title, metric_title
from demo_core.experiments.honesty import agreements
from demo_core.experiments.overview import overview
from demo_core.experiments.parts import Ablation, ablations
from demo_core.experiments.story import stories
from demo_core.experiments.times import timings
from demo_core.ui.components.benchmarks.dots import Line, Scale, dots, percent_dot
from demo_core.ui.components.benchmarks.figures import SETTING, TIME, figure_block, figures
from demo_core.ui.components.benchmarks.offer import Choice, Offer, comparable, row_name
from demo_core.ui.components.benchmarks.story import story_block
from demo_core.ui.components.benchmarks.tables import (
    health_block,
    honesty_block,
    overview_block,
    reference_block,
    times_block,
    tries_block,
)
from demo_core.variants import AHEAD, DELETED, INSERTED, STEPS

Blocks = list[dict[str, Any]]


def sections(offer: Offer, choice: Choice) -> list[dict[str, Any]]:
    """All sections in the order of the page; one without blocks says that nothing was measured."""
    drawn = {figure.key: figure_block(figure) for figure in figures(offer, choice)}
    ahead = [SETTING + name for name in AHEAD]
    settings = [block for key, block in drawn.items() if key.startswith(SETTING) and key not in ahead]
    made = [
        ("released", "As released", RELEASED, _stories(offer, choice)),
        ("difference", "Is a difference real?", DIFFERENCE, _difference(offer, choice)),
        ("parts", "What each part adds", PARTS, _parts(offer, choice)),
        ("settings", "How a setting moves the result", SETTINGS, settings),
        ("missing", "When a history has holes", MISSING, _drawn(drawn, DELETED, INSERTED)),
        ("ahead", "How far ahead?", AHEAD_TEXT, _drawn(drawn, *ahead)),
        ("steps", "Do more denoising steps help?", STEPS_TEXT, _drawn(drawn, STEPS, TIME + STEPS)),
        ("overview", "Every system in one table", OVERVIEW, _overview(offer, choice)),
        ("reference", "Beside a public implementation", REFERENCE, _references(offer, choice)),
        ("times", "Running times", TIMES, _times(offer, choice)),
        ("health", "Is every model ranking?", HEALTH, _health(offer, choice)),
        ("honesty", "Is PER honest?", HONESTY, _honesty(offer, choice)),
        ("tried", "What was tried", TRIED, _tries(offer, choice)),
    ]
    nothing = f"Not measured yet on {dataset_title(choice.dataset)}, {choice.protocol}."
    if choice.models is not None:
        nothing = f"Nothing of the chosen models on {dataset_title(choice.dataset)}, {choice.protocol}."
    return [
        {"name": name, "title": title, "text": text, "blocks": blocks, "empty": None if blocks else nothing}
        for name, title, text, blocks in made
    ]


RELEASED = "The released settings, measured twice: as the released code does it, and under the protocol of this page."
DIFFERENCE = (
    "Two models rank the same rows; whole histories are drawn again and again, and the middle 95 % are the interval."
)
PARTS = "The same model with one part left out or replaced, beside what its paper prints. Other rows are simple rivals."
SETTINGS = "One setting is moved, everything else stays. Bars: one sd over seeds."
MISSING = (
    "Items are taken out of the test histories, or random ones put in, at the share below. Nothing is trained again."
)
AHEAD_TEXT = (
    "The next four items of each person: one list for all of them, or after each guess a list that takes it for read."
)
STEPS_TEXT = "The same weights, denoised in fewer or more steps."
OVERVIEW = "Default settings only, the best first, under the protocol that is chosen above."
REFERENCE = (
    "The same model as others wrote it: trained on the same rows with the same window, width, depth, dropout, rate,"
    " batches, optimiser and stopping rule, and its ranks counted by the same code. What has no counterpart stands in"
    " scripts/recbole_reference/mapping.py."
)
TIMES = "Ours are wall-clock seconds of the recorded runs."
HEALTH = "A model passes when its lists are personal and made of trained items, and its routes and weights are alive."
HONESTY = (
    "PER says how much an item explains what came after it. Here it is set against what really changes when the item is"
    " left out: 1 is full agreement, 0 none."
)

TRIED = "Settings compared on validation by the grid, mostly with one seed. The test split took no part in these runs."


def _drawn(drawn: dict[str, dict[str, Any]], *keys: str) -> Blocks:
    return [drawn[key] for key in keys if key in drawn]


def _stories(offer: Offer, choice: Choice) -> Blocks:
    # Popularity is a bar for every story, whether or not it is among the chosen models.
    found = offer.chosen([*offer.results, *offer.variants], replace(choice, models=None))
    told = [s for s in stories(found, choice.metric) if choice.models is None or s.model in choice.models]
    return [story_block(story) for story in told]


def _difference(offer: Offer, choice: Choice) -> Blocks:
    shown = comparable(offer.rows(choice))
    if len(shown) < 2:
        return []
    options = [{"name": row_name(row), "title": f"{row.title} · {row.source}"} for row in shown]
    return [{"kind": "difference", "options": options, "first": choice.first, "second": choice.second}]


def _parts(offer: Offer, choice: Choice) -> Blocks:
    found = ablations(offer.chosen([*offer.results, *offer.variants], choice), choice.metric)
    found.sort(key=lambda ablation: ablation.protocol != choice.protocol)
    return [_ablation(ablation, choice) for ablation in found]


def _ablation(ablation: Ablation, choice: Choice) -> dict[str, Any]:
    lines = [Line(part.name, part.row.source, part.row, (percent_dot(part.row),)) for part in ablation.parts]
    axis = axes.zero_based([dot.high or dot.mean for line in lines for dot in line.dots if dot is not None])
    title = f"{ablation.parts[0].row.title}, {metric_title(choice.metric)}"
    return dots(title, lines, [Scale(metric_title(choice.metric), axis, " %")], ablation.protocol)


def _times(offer: Offer, choice: Choice) -> Blocks:
    found = timings(offer.chosen(offer.times, choice, choice.protocol))
    return [times_block(found)] if found else []


def _overview(offer: Offer, choice: Choice) -> Blocks:
    ranking, times = (offer.chosen(results, choice) for results in (offer.results, offer.times))
    systems = overview(ranking, times, choice.dataset, choice.protocol)
    return [overview_block(systems)] if systems else []


def _references(offer: Offer, choice: Choice) -> Blocks:
    found = [
        one
        for one in offer.references
        if (one.reference.dataset, one.reference.protocol) == (choice.dataset, choice.protocol)
        and (choice.models is None or one.reference.model in choice.models)
    ]
    return [reference_block(found)] if found else []


def _health(offer: Offer, choice: Choice) -> Blocks:
    shown = [row for row in offer.rows(choice) if row.result.health]
    return [health_block(shown)] if shown else []


def _honesty(offer: Offer, choice: Choice) -> Blocks:
    found = agreements(offer.chosen(offer.variants, choice, choice.protocol))
    return [honesty_block(found)] if found else []


def _tries(offer: Offer, choice: Choice) -> Blocks:
    found = offer.chosen(offer.tries, choice, choice.protocol)
    return [tries_block(found, choice.metric)] if any(result.metric == choice.metric for result in found) else []
