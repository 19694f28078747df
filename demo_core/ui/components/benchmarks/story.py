"""What the released code reaches, in figures and one sentence a model. Every number comes from the results."""

from __future__ import annotations

from typing import Any

from demo_core.benchmark_rows import Row, model_title
from demo_core.experiments.story import Story
from demo_core.ui.components.benchmarks.dots import percent_dot, provenance

SPACE = "\N{NO-BREAK SPACE}"


def story_block(story: Story) -> dict[str, Any]:
    """A sentence, the figures as tiles with the mark of their evidence, and how to run it again."""
    released = story.released
    title = model_title(story.model) + (
        f" on {model_title(released.result.backbone)}" if released.result.backbone else ""
    )
    tiles = [
        _tile(story.published, "printed"),
        _tile(released, f"{_trained(released)}chosen and measured as released"),
        *_never_trained(released),
        _tile(story.same_weights, _our_reading(story)),
        _tile(story.repaired, "our default"),
        _tile(story.popularity, "popularity"),
    ]
    return {
        "kind": "story",
        "title": title,
        "text": _sentence(story, title),
        "tiles": [tile for tile in tiles if tile is not None],
        "command": "python -m scripts.experiments released",
    }


def _trained(released: Row) -> str:
    """The authors train longer, or as long as they like what they see."""
    return "" if released.result.epochs is None else f"trained for {released.result.epochs} epochs, "


def _tile(row: Row | None, label: str) -> dict[str, Any] | None:
    if row is None:
        return None
    dot = percent_dot(row)
    # The paper's own protocol, where it differs, is part of what the number means.
    return {
        "number": f"{dot.text}{SPACE}%",
        "spread": f"{dot.spread} {dot.n}".strip(),
        "label": label if row.result.source == "measured" else f"{label}, {row.result.protocol}",
        "shape": row.shape,
        "colour": row.colour,
        "fill": row.fill,
        "origin": provenance(row),
    }


def _never_trained(released: Row) -> list[dict[str, Any]]:
    if released.never_trained is None:
        return []
    number = f"{100 * released.never_trained:.0f}{SPACE}%"
    return [{"number": number, "spread": "", "label": "of those list slots hold an item that was never trained"}]


def _our_reading(story: Story) -> str:
    row = story.same_weights
    return f"the same weights under {row.result.protocol}" if row else ""


def _sentence(story: Story, title: str) -> str:
    released, metric = story.released, story.released.result.metric.upper()
    parts = [f"{metric} of {title}."]
    if story.published is not None:
        parts.append(f"Printed: {_percent(story.published.result.mean)} ({story.published.result.origin}).")
    parts.append(f"Run as released: {_percent(released.result.mean)}.")
    if released.overlap is not None and released.distinct is not None:
        parts.append(
            f"Those lists hold {released.distinct:,.0f} different items, and two people's lists share"
            f" {100 * released.overlap:.0f}{SPACE}%."
        )
    if story.logged:
        chosen = ", ".join(f"{_percent(result.mean)} at the {name}" for name, result in sorted(story.logged.items()))
        parts.append(f"The training log in the authors' repository: {chosen}.")
    return " ".join(parts)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}{SPACE}%"
