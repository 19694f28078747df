"""The README's tables are replaced where they are marked, and nothing else is."""

from pathlib import Path

import pytest

from scripts import readme_tables
from scripts.readme_tables import with_tables

README = """# Title

<!-- begin claims -->

| old |

<!-- end claims -->

Between.

<!-- begin systems -->

<!-- end systems -->
After.
"""


def test_only_what_stands_between_the_comments_is_replaced() -> None:
    made = with_tables(README, {"claims": "| new |", "systems": "| \\1 of all |"})
    assert "| old |" not in made
    assert "<!-- begin claims -->\n\n| new |\n\n<!-- end claims -->\n\nBetween." in made
    assert made.endswith("<!-- begin systems -->\n\n| \\1 of all |\n\n<!-- end systems -->\nAfter.\n")


def test_a_second_time_changes_nothing() -> None:
    once = with_tables(README, {"claims": "| new |"})
    assert with_tables(once, {"claims": "| new |"}) == once


@pytest.mark.parametrize(
    "readme",
    [
        "no comment\n",
        "<!-- begin claims -->\n",
        "<!-- end claims -->\n<!-- begin claims -->\n",
        "<!-- begin claims -->\n<!-- end claims -->\n" * 2,
    ],
)
def test_comments_that_are_not_a_pair_are_refused(readme: str) -> None:
    with pytest.raises(ValueError, match=r"begin claims.*once each"):
        with_tables(readme, {"claims": "| new |"})


def test_what_is_out_of_date_is_named_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    monkeypatch.setattr(readme_tables, "tables", lambda _: {"claims": "| new |"})
    words = ["--readme", str(readme), "--checkpoints", str(tmp_path)]
    with pytest.raises(SystemExit, match="1"):
        readme_tables.main([*words, "--check"])
    assert capsys.readouterr().out == "out of date: claims\n"
    assert readme.read_text(encoding="utf-8") == README
    readme_tables.main(words)
    capsys.readouterr()
    readme_tables.main([*words, "--check"])
    assert capsys.readouterr().out == "every table is that of the results\n"
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
