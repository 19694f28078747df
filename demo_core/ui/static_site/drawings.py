"""Altair drawings that follow the page's theme: every colour that has a name there is written as that name."""

from __future__ import annotations

import re

from demo_core.ui.theme import DARK, LIGHT

COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
NUMBER = re.compile(r"-?\d+\.\d{3,}")
PLACES = re.compile(r' (d|x|y|x1|x2|y1|y2|transform)="[^"]*"')
NAMES = {(LIGHT[name].upper(), DARK[name].upper()): f"var(--{name})" for name in reversed(LIGHT)}


class DrawingsDifferError(ValueError):
    """The light and the dark drawing are not the same but for their colours."""


def for_both_themes(light: str, dark: str) -> str:
    """One SVG out of the light and the dark drawing of the same figure. Colours that no theme names stay as they are.

    Raises :class:`DrawingsDifferError` where more than colours differs.
    """
    between = COLOUR.split(light)
    if between != COLOUR.split(dark):
        raise DrawingsDifferError("Expected two drawings that differ in their colours alone.")
    pairs = zip(COLOUR.findall(light), COLOUR.findall(dark), strict=True)
    colours = [NAMES.get((one.upper(), other.upper()), one) for one, other in pairs]
    whole = "".join(part for pair in zip(between, [*colours, ""], strict=True) for part in pair)
    return PLACES.sub(lambda found: NUMBER.sub(_rounded, found[0]), whole)


def _rounded(number: re.Match[str]) -> str:
    """Hundredths of a pixel are enough."""
    return f"{float(number[0]):.2f}"
