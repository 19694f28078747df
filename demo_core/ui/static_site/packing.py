"""What was computed before, as scripts that hand it to the page: JSON, deflated, in base64.

A page that is opened from a disk may run scripts beside it, but may not fetch files. Base64 holds nothing that could
end a script, whatever the titles are.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from typing import Any

from demo_core.engine.answers import Item

ITEM_FIELDS = frozenset(field.name for field in dataclasses.fields(Item))
DIGITS = 6
"""Significant digits of a number; the page shows four at most."""


def data_script(name: str, value: object) -> str:
    """A script that hands in ``value`` under ``name``; plain values alone, and no number that is not finite."""
    text = json.dumps(slim(value), separators=(",", ":"), allow_nan=False)
    packed = base64.b64encode(zlib.compress(text.encode(), level=9)).decode()
    return f"turnpoint.put({json.dumps(name)}, {json.dumps(packed)});\n"


def slim(value: object) -> Any:
    """The same with every item as ``{"#": id}``, which the page looks up in its catalogue, and numbers rounded."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        if value.keys() == ITEM_FIELDS:
            return {"#": value["id"]}
        return {name: slim(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [slim(each) for each in value]
    return value
