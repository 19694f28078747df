"""The metadata at the top of a model card, and what the Hub makes of it."""

from __future__ import annotations

import re
from typing import Any

import yaml

FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)^---\s*$", re.DOTALL | re.MULTILINE)
TAGGED = {"license": "license:", "datasets": "dataset:", "base_model": "base_model:", "language": ""}


def card_data(text: str) -> dict[str, Any]:
    """The metadata of ``text``; empty without any. Raises ``ValueError`` if it is no YAML mapping."""
    match = FRONT_MATTER.match(text)
    if match is None:
        return {}
    try:
        data = yaml.safe_load(match[1]) or {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(data, dict):
        raise ValueError(f"Expected a mapping between the lines ---, got {type(data).__name__}")
    return data


def tags(data: dict[str, Any]) -> list[str]:
    """The tags under which a repository with this card is found."""
    found = [*_several(data.get("tags")), *_several(data.get("library_name"))]
    for key, prefix in TAGGED.items():
        found += [f"{prefix}{value}" for value in _several(data.get(key))]
    return list(dict.fromkeys(found))


def _several(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]
