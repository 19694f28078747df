"""The tables of models and of claims in the README are those that the committed results give."""

from pathlib import Path

import pytest

from demo_core.experiments.claims import as_table, findings
from demo_core.experiments.headline import headline_table
from demo_core.results import table

ROOT = Path(__file__).parent.parent


def test_the_readme_has_the_findings_as_they_are_measured() -> None:
    found = findings(ROOT / "checkpoints")
    if not found:
        pytest.skip("no ranks are committed")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tables = headline_table(table(ROOT / "checkpoints")), as_table(found)
    missing = [line for lines in tables for line in lines.splitlines() if line not in readme]
    assert not missing, "run python -m scripts.compare and put its tables into README.md"
