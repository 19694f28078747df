"""The table of claims in the README is the one that the committed ranks give."""

from pathlib import Path

import pytest

from demo_core.experiments.claims import as_table, findings

ROOT = Path(__file__).parent.parent


def test_the_readme_has_the_findings_as_they_are_measured() -> None:
    found = findings(ROOT / "checkpoints")
    if not found:
        pytest.skip("no ranks are committed")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [line for line in as_table(found).splitlines() if line not in readme]
    assert not missing, "run python -m scripts.compare and put its table into README.md"
