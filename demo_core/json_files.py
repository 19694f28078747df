"""JSON objects as files: nothing but what JSON knows, so that other programs can read them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any


def read_json(path: Path) -> dict[str, Any]:
    """The object in ``path``; ``ValueError`` naming the file where it holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, got something else or a cut-off file ({error}).") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes ``content``; ``ValueError`` where it holds NaN or infinity, which JSON has no word for."""
    _require_finite(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _require_finite(content: object) -> None:
    if isinstance(content, float) and not math.isfinite(content):
        raise ValueError("A bundle's JSON must not hold NaN or infinity.")
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        _require_finite(value)
