"""Colours, type and the frame of the page: tokens as CSS variables, Gradio's theme, the header."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from gradio.themes import Base, LocalFont

ASSETS = Path(__file__).parent / "assets"
FAVICON = ASSETS / "favicon.svg"

LIGHT = {
    "bg": "#F4F6FA",
    "panel": "#FFFFFF",
    "sunk": "#E9EDF4",
    "line": "#CBD3E0",
    "line2": "#75819A",
    "ink": "#131A2A",
    "muted": "#525D72",
    "card": "#B8420B",
    "tdm": "#1B5FC0",
    "gd": "#007558",
    "turn": "#8A0F6A",
    "turn-ink": "#FFFFFF",
    "turn-soft": "#F7E6F1",
    "truth": "#FFD84A",
    "truth-ink": "#131A2A",
    "bad": "#A8121F",
    "focus": "#131A2A",
}
DARK = LIGHT | {
    "bg": "#0B1120",
    "panel": "#131B2E",
    "sunk": "#1C2740",
    "line": "#33415F",
    "line2": "#6F7F9F",
    "ink": "#EEF2FA",
    "muted": "#A9B5CB",
    "card": "#FF9A5C",
    "tdm": "#7FB2FF",
    "gd": "#4FD99A",
    "turn": "#FFA6E6",
    "turn-ink": "#2A0A20",
    "turn-soft": "#3A1B38",
    "bad": "#FF8A8F",
    "focus": "#EEF2FA",
}


def gradio_theme() -> Base:
    """Gradio's own parts in the same colours. Bundled IBM Plex Sans has no usable weight 600: only 400 and 700."""
    theme = Base(
        font=(LocalFont("IBM Plex Sans", weights=(400, 700)), "Segoe UI", "Helvetica Neue", "Arial", "sans-serif")
    )
    return theme.set(
        body_background_fill="var(--bg)",
        body_background_fill_dark="var(--bg)",
        body_text_color="var(--ink)",
        body_text_color_dark="var(--ink)",
        body_text_color_subdued="var(--muted)",
        body_text_color_subdued_dark="var(--muted)",
        background_fill_primary="var(--panel)",
        background_fill_primary_dark="var(--panel)",
        block_background_fill="var(--panel)",
        block_background_fill_dark="var(--panel)",
        border_color_primary="var(--line)",
        border_color_primary_dark="var(--line)",
        button_primary_background_fill="var(--ink)",
        button_primary_background_fill_dark="var(--ink)",
        button_primary_text_color="var(--bg)",
        button_primary_text_color_dark="var(--bg)",
        block_label_text_weight="400",
        block_title_text_weight="700",
        button_large_text_weight="700",
        button_medium_text_weight="700",
        button_small_text_weight="400",
        checkbox_label_text_weight="400",
        prose_header_text_weight="700",
        section_header_text_weight="700",
    )


@cache
def css() -> str:
    """Tokens for both themes, then the frame's rules."""
    frame = (ASSETS / "frame.css").read_text(encoding="utf-8")
    return f":root {{ {_variables(LIGHT)} }}\n.dark {{ {_variables(DARK)} }}\n{frame}"


def _variables(tokens: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in tokens.items())
