"""The README of a site, with the front matter by which Hugging Face serves it as a static Space."""

from __future__ import annotations

import html
from collections.abc import Sequence

FRONT = """---
title: Turnpoint
emoji: ↘️
colorFrom: blue
colorTo: pink
sdk: static
app_file: index.html
header: mini
license: {license}
short_description: Why a diffusion recommender recommends, without a server
tags:
  - recommender-system
  - sequential-recommendation
  - diffusion
  - explainability
---
"""


def readme(title: str, about: str, source: str, licences: Sequence[str]) -> str:
    """``title`` and ``about``: the data set, and what the site holds; ``source``: code and date; ``licences``: files of
    the data set that stand beside. A data set without one may be anybody's: then no licence is claimed for the whole.
    """
    name = html.escape(title)
    data = f"Titles and histories are from {name}."
    if licences:
        data += f" Their terms: {', '.join(f'[{name}]({name})' for name in licences)}."
    paragraphs = [
        FRONT.format(license="apache-2.0" if licences else "other"),
        "# Turnpoint, without a server",
        html.escape(about),
        "Open `index.html`, from a disk too; keep the folder whole. Nothing is fetched from anywhere else.",
        f"{html.escape(source)} The code is under the Apache License 2.0 ([LICENSE](LICENSE)). {data}",
        "The type is IBM Plex Sans (IBM Corp., SIL Open Font License 1.1).",
    ]
    return "\n\n".join(paragraphs) + "\n"
