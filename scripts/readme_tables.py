"""Write the tables of README.md anew from the committed results.

python -m scripts.readme_tables            # after a measurement
python -m scripts.readme_tables --check    # says which are out of date; exit code 1 then

A table stands between two comments, ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; what is around it is left alone.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from demo_core.experiments.claims import as_table, findings
from demo_core.experiments.headline import headline_table
from demo_core.experiments.overview import overview_tables
from demo_core.experiments.times import running_times
from demo_core.reference import REFERENCE, beside, markdown, read_references
from demo_core.results import collect, summarise, table

ALL_SYSTEMS = ("zhihu",)  # data sets on which they were measured


def main(words: list[str] | None = None) -> None:
    """The command line, or ``words`` in place of it."""
    parser = argparse.ArgumentParser(description="The tables of README.md, from the committed results.")
    parser.add_argument("--check", action="store_true", help="only say which tables are out of date")
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where the results lie")
    arguments = parser.parse_args(words)
    old = arguments.readme.read_text(encoding="utf-8")
    made = tables(arguments.checkpoints)
    late = out_of_date(old, made)
    if not arguments.check:
        beside_it = arguments.readme.with_name(arguments.readme.name + ".new")
        beside_it.write_text(with_tables(old, made), encoding="utf-8")
        beside_it.replace(arguments.readme)
    print(f"out of date: {', '.join(late)}" if late else "every table is that of the results")
    if late and arguments.check:
        raise SystemExit(1)


def tables(checkpoints: Path) -> dict[str, str]:
    """Name -> Markdown of every table, from the results in the folder ``checkpoints``."""
    runs = collect(checkpoints).runs
    tested = [run for run in runs if run.split == "test"]
    return {
        "headline": headline_table(table(checkpoints)),
        "claims": as_table(findings(checkpoints)),
        "systems": overview_tables(summarise(tested), running_times(tested), ALL_SYSTEMS),
        "reference": markdown(beside(read_references(checkpoints / REFERENCE), runs)),
    }


def out_of_date(readme: str, made: Mapping[str, str]) -> list[str]:
    """Which of the tables ``made`` stand otherwise in ``readme``."""
    return [name for name, told in made.items() if with_tables(readme, {name: told}) != readme]


def with_tables(readme: str, made: Mapping[str, str]) -> str:
    """``readme`` with the texts of ``made`` between their comments; ``ValueError`` where a pair is not there once."""
    for name, told in made.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        between = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}\n", re.DOTALL)
        if (readme.count(begin), readme.count(end), len(between.findall(readme))) != (1, 1, 1):
            raise ValueError(f"Expected {begin} and behind it {end} once each, on lines of their own, found others.")
        before, after = between.split(readme)
        readme = f"{before}{begin}\n\n{told}\n\n{end}\n{after}"
    return readme


if __name__ == "__main__":
    main()
