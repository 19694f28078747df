"""The tables of the README and the chart of its claims are those that the committed results give."""

from pathlib import Path

import pytest

from scripts.readme_tables import content_of, out_of_date

ROOT = Path(__file__).parent.parent


def test_the_readme_has_the_findings_as_they_are_measured() -> None:
    if not (ROOT / "checkpoints" / "ranks.jsonl").exists():
        pytest.skip("no ranks are committed")
    late = out_of_date(ROOT / "README.md", content_of(ROOT / "checkpoints"))
    assert not late, "run python -m scripts.readme_tables, and read whether the sentences around are still true"
