"""Which bundles are whole, and what a training that was broken off leaves behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from demo_core.checkpoint import BESIDE, METRICS_FILE


def is_finished(bundle: Path) -> bool:
    """Whether a bundle is whole: it is saved first and measured then, and its figures come last."""
    try:
        return bool(json.loads((bundle / METRICS_FILE).read_text(encoding="utf-8"))["runs"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def tidy(folder: Path) -> None:
    """Unfinished bundles go, and with them a data set of which nothing was finished."""
    bundles = [path for path in folder.glob("*") if path.is_dir()]
    for bundle in bundles:
        if not is_finished(bundle) or bundle.suffix in BESIDE:
            shutil.rmtree(bundle, ignore_errors=True)
    if not any(is_finished(bundle) for bundle in bundles):
        shutil.rmtree(folder, ignore_errors=True)
