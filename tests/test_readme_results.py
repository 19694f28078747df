"""The tables of models and of claims in the README are those that the committed results give."""

from pathlib import Path

import pytest

from demo_core.experiments.claims import as_table, findings
from demo_core.experiments.headline import headline_table
from demo_core.experiments.overview import overview_tables
from demo_core.experiments.times import running_times
from demo_core.results import collect, summarise, table

ROOT = Path(__file__).parent.parent


def test_the_readme_has_the_findings_as_they_are_measured() -> None:
    found = findings(ROOT / "checkpoints")
    if not found:
        pytest.skip("no ranks are committed")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    runs = [one for one in collect(ROOT / "checkpoints").runs if one.split == "test"]
    systems = overview_tables(summarise(runs), running_times(runs), ["zhihu"])
    tables = headline_table(table(ROOT / "checkpoints")), as_table(found), systems
    missing = [line for lines in tables for line in lines.splitlines() if line not in readme]
    assert not missing, "run scripts.compare and scripts.overview zhihu, and put their tables into README.md"
