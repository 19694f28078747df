"""What a variant of a run is called: a name, or ``name=value`` where one setting was moved.

The same names stand in ``measured.jsonl`` and ``published.csv``, so that a printed ablation finds its measured one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

AS_RELEASED = "as_released"
RELEASED_TEST = "released_test"
PER_HONESTY = "per_honesty"
DELETED, INSERTED, STEPS = "deleted", "inserted", "steps"
ALL_STEPS = "steps=all"
SLIT_VOTES = "votes_of_slit"
WITHIN = "/"
LOGGED = {"log_best_on_validation": "epoch best on validation", "log_best_on_test": "epoch best on test"}

PARTS = {
    "no_routing": "no routing: attention for all",
    "no_attention": "no attention: removal for all",
    "neither": "neither: plain diffusion",
    "own_targets": "trained on the next item alone",
    "gaps_in_training": "trained on histories with gaps too",
    "no_bag": "guidance of the Transformer alone",
    "drop_one_weights": "weights from the drop-one effect in place of PER",
    "learned_threshold": "routing threshold learned, in place of the median",
    SLIT_VOTES: "SLIT in place of item-kNN",
    "no_votes": "without votes of item-kNN or SLIT",
    "personal_voter": "personal voter alone",
    "global_voter": "global voter alone",
    "both_voters": "both voters",
    "knn_average": "plain average with item-kNN",
    "clusters": "{value:,g} item clusters",
    "context_state": "approximator sees one state only",
    "context_none": "approximator sees no context",
    "unet2d": "two-dimensional U-Net approximator",
    "mlp1": "one linear layer as approximator",
    "mlp2": "two layers as approximator",
    "diffusion_steps": "{value:g} diffusion steps",
    "softmax_of_queries": "attention normalised over the items that ask, as released",
    "damaged_rows": "copies written into the stored rows, as in the usual code",
    "own_positives": "own items among the extra positives, as released",
    "random_insertion": "items inserted where chance says, as released",
    "weight_average": "weights not averaged",
}
"""Variants shown line by line, in this order: parts left out or replaced. ``{value}`` is what stands after ``=``."""

AXES = {
    DELETED: "share of the history deleted, %",
    INSERTED: "share of random items inserted, %",
    STEPS: "denoising steps",
    "direct": "items ahead, one list for all",
    "rollout": "items ahead, each list after reading the guess before",
    "threshold_quantile": "routing threshold, as a quantile of evenness",
    "future_window": "items ahead that PER looks at",
    "per_temperature": "temperature of the PER weights",
    "guidance_strength": "guidance strength",
}
"""Variants shown as curves: what the horizontal axis says."""

SHARES = (DELETED, INSERTED)
AHEAD = ("direct", "rollout")


class Variant(NamedTuple):
    """``value`` is ``None`` for a variant that moves no number."""

    name: str
    value: float | None


def parse(variant: str) -> Variant:
    """``"deleted=0.1"`` -> ("deleted", 0.1), ``"no_routing"`` -> ("no_routing", None).

    Text after ``=`` that is no finite number belongs to the name. ``ValueError`` for an empty name.
    """
    name, equals, text = variant.partition("=")
    if not name.strip():
        raise ValueError(f"Expected a variant 'name' or 'name=value', got {variant!r}.")
    try:
        value = float(text) if equals else math.nan
    except ValueError:
        value = math.nan
    return Variant(name, value) if math.isfinite(value) else Variant(variant, None)


def of_changed(part: str | None, variant: str) -> str:
    """What a further measurement is called of a model that was trained with a changed part (``None``: as it is):
    ``"gaps_in_training/deleted=0.5"``.
    """
    return variant if part is None else f"{part}{WITHIN}{variant}"


def changed(variant: str) -> tuple[str | None, str]:
    """The inverse of :func:`of_changed`: the part, and what was measured."""
    part, within, rest = variant.rpartition(WITHIN)
    return (part, rest) if within else (None, variant)


def title(variant: str) -> str:
    """The variant in words; one that is not known by name is told as it is written."""
    name, value = parse(variant)
    if name in PARTS:
        return PARTS[name].format(value=value)
    words = name.replace("_", " ").replace("=", " ")
    return words if value is None else f"{words} {value:g}"


def axis_title(name: str) -> str:
    """What the axis of a swept setting says."""
    return AXES.get(name, name.replace("_", " "))


def is_part(variant: str) -> bool:
    """Shown line by line: a part left out or replaced, and any other variant without a number."""
    if WITHIN in variant:
        return False
    name, value = parse(variant)
    if name in (AS_RELEASED, RELEASED_TEST, PER_HONESTY, ALL_STEPS, *LOGGED):
        return False
    return name in PARTS or (value is None and name not in AXES)


def is_setting(variant: str) -> bool:
    """One point of the sweep of a setting."""
    name, value = parse(variant)
    return WITHIN not in variant and value is not None and name not in PARTS and name not in (DELETED, INSERTED, STEPS)
