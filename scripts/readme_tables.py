"""Write the tables of README.md, and the chart of its claims, anew from the committed results.

python -m scripts.readme_tables            # after a measurement
python -m scripts.readme_tables --check    # says which are out of date; exit code 1 then

A table stands between two comments, ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; what is around it is left alone.
The chart carries the digest of the table that it draws, as drawings differ by fonts and versions.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from demo_core.charts import export
from demo_core.experiments.claims import Finding, as_table, findings
from demo_core.experiments.headline import headline_table
from demo_core.experiments.overview import overview_tables
from demo_core.experiments.times import running_times
from demo_core.interval_charts import interval_chart
from demo_core.reference import REFERENCE, beside, markdown, read_references
from demo_core.results import collect, summarise, table
from demo_core.whole_files import written_beside
from scripts.messages import as_message

ALL_SYSTEMS = ("zhihu", "movielens", "ml-1m", "beauty")  # data sets on which they were measured
CHART = Path(".assets/claims.png")
DRAWN = "Table"  # the key of the digest in the chart's file


@dataclass(frozen=True)
class Content:
    """``tables``: name -> Markdown. ``found``: what the table of claims and the chart show."""

    tables: Mapping[str, str]
    found: Sequence[Finding]

    @property
    def digest(self) -> str:
        """sha256 of the table of claims."""
        return hashlib.sha256(self.tables["claims"].encode()).hexdigest()


def main(words: list[str] | None = None) -> None:
    """The command line, or ``words`` in place of it."""
    parser = argparse.ArgumentParser(description="The tables and the chart of README.md, from the committed results.")
    parser.add_argument("--check", action="store_true", help="only say which are out of date")
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--checkpoints", type=Path, default=Path("checkpoints"), help="where the results lie")
    arguments = parser.parse_args(words)
    if not arguments.readme.is_file():
        parser.error(f"expected a README with tables, found no file {arguments.readme}")
    made = content_of(arguments.checkpoints)
    late = out_of_date(arguments.readme, made)
    if not arguments.check:
        write(arguments.readme, made)
    done = "out of date" if arguments.check else "written anew"
    print(f"{done}: {', '.join(late)}" if late else "every table is that of the results")
    if late and arguments.check:
        raise SystemExit(1)


def content_of(checkpoints: Path) -> Content:
    """Everything that the results in the folder ``checkpoints`` say. Ends with what is wrong with their files, if
    anything is: tables without them would be others.
    """
    measured = collect(checkpoints)
    if measured.problems:
        raise SystemExit("\n".join([*measured.problems, "No table is made without it: mend that first."]))
    with as_message(ValueError):  # a damaged line
        found, references = findings(checkpoints), read_references(checkpoints / REFERENCE)
    if not measured.runs:
        raise SystemExit(f"Expected measured runs in {checkpoints}, found none: name the folder with measured.jsonl.")
    tested = [run for run in measured.runs if run.split == "test"]
    made = {
        "headline": headline_table(table(checkpoints)),
        "claims": as_table(found),
        "systems": overview_tables(summarise(tested), running_times(tested), ALL_SYSTEMS),
        "reference": markdown(beside(references, measured.runs)),
    }
    return Content(made, found)


def out_of_date(readme: Path, made: Content) -> list[str]:
    """Which of the tables stand otherwise in ``readme``, and the chart beside it if it draws other figures."""
    text, chart = readme.read_text(encoding="utf-8"), readme.parent / CHART
    late = [name for name, told in made.tables.items() if with_tables(text, {name: told}) != text]
    return late if _drawn(chart) == made.digest else [*late, CHART.name]


def write(readme: Path, made: Content) -> None:
    """Replaces the tables in ``readme``, and the chart beside it if it draws other figures."""
    text = with_tables(readme.read_text(encoding="utf-8"), made.tables)
    with written_beside(readme) as file:
        file.write_text(text, encoding="utf-8", newline="\n")
    chart = readme.parent / CHART
    if _drawn(chart) != made.digest:
        said, content = PngInfo(), BytesIO()
        said.add_text(DRAWN, made.digest)
        Image.open(BytesIO(export(interval_chart(made.found), "png"))).save(content, "png", pnginfo=said, optimize=True)
        with written_beside(chart) as file:
            file.write_bytes(content.getvalue())


def _drawn(chart: Path) -> str | None:
    """The digest in the file, ``None`` without a file or a digest."""
    if not chart.exists():
        return None
    with Image.open(chart) as image:
        return image.info.get(DRAWN)


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
