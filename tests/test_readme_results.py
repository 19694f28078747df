"""The tables of models, of claims and of all systems in the README are those that the committed results give."""

from pathlib import Path

import pytest

from scripts.readme_tables import out_of_date, tables

ROOT = Path(__file__).parent.parent


def test_the_readme_has_the_findings_as_they_are_measured() -> None:
    if not (ROOT / "checkpoints" / "ranks.jsonl").exists():
        pytest.skip("no ranks are committed")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    late = out_of_date(readme, tables(ROOT / "checkpoints"))
    assert not late, "run python -m scripts.readme_tables, and read whether the sentences around are still true"
