"""The README's tables are replaced where they are marked, its chart where it draws other figures; nothing else is."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from demo_core.comparison import Difference
from demo_core.experiments.claims import Claim, Contender, Finding
from scripts import readme_tables
from scripts.readme_tables import CHART, Content, out_of_date, with_tables, write

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


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(README, encoding="utf-8")
    return path


def made(claims: str, mean: float = 0.01) -> Content:
    claim = Claim("CARD ranks better than TDM", Contender("card"), Contender("tdm"))
    return Content({"claims": claims}, [Finding(claim, "zhihu", Difference(mean, mean - 0.02, mean + 0.02, 3, 100))])


def pixels(path: Path) -> bytes:
    with Image.open(BytesIO(path.read_bytes())) as image:
        return image.convert("RGB").tobytes()


def test_what_is_out_of_date_is_named_then_written(
    readme: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(readme_tables, "content_of", lambda _: made("| new |"))
    words = ["--readme", str(readme), "--checkpoints", str(readme.parent)]
    with pytest.raises(SystemExit, match="1"):
        readme_tables.main([*words, "--check"])
    assert capsys.readouterr().out == "out of date: claims, claims.png\n"
    assert readme.read_text(encoding="utf-8") == README
    readme_tables.main(words)
    assert capsys.readouterr().out == "written anew: claims, claims.png\n"
    readme_tables.main([*words, "--check"])
    assert capsys.readouterr().out == "every table is that of the results\n"
    assert sorted(path.name for path in readme.parent.rglob("*") if path.is_file()) == ["README.md", "claims.png"]


def test_a_chart_of_other_figures_is_out_of_date_and_drawn_anew(readme: Path) -> None:
    write(readme, made("| one |"))
    first, chart = pixels(readme.parent / CHART), readme.parent / CHART
    readme.write_text(with_tables(README, {"claims": "| two |"}), encoding="utf-8")
    other = made("| two |", mean=0.05)
    assert out_of_date(readme, other) == ["claims.png"]
    write(readme, other)
    assert out_of_date(readme, other) == []
    assert pixels(chart) != first


def test_a_chart_of_the_same_figures_is_left_as_it_is(readme: Path) -> None:
    write(readme, made("| one |"))
    before = (readme.parent / CHART).stat().st_mtime_ns
    write(readme, made("| one |"))
    assert (readme.parent / CHART).stat().st_mtime_ns == before


def test_a_chart_that_says_nothing_about_its_figures_is_out_of_date(readme: Path) -> None:
    write(readme, made("| one |"))
    Image.new("RGB", (4, 4)).save(readme.parent / CHART)
    assert out_of_date(readme, made("| one |")) == ["claims.png"]


def test_no_table_is_made_without_what_cannot_be_read(readme: Path) -> None:
    (readme.parent / "measured.jsonl").write_text('{"model": "card"\n')
    words = ["--readme", str(readme), "--checkpoints", str(readme.parent)]
    for further in ([], ["--check"]):
        with pytest.raises(SystemExit, match=r"measured\.jsonl was left out: .*line 1") as ended:
            readme_tables.main([*words, *further])
        assert "mend that first" in str(ended.value)
    assert readme.read_text(encoding="utf-8") == README and not (readme.parent / CHART).exists()


@pytest.mark.parametrize("name", ["ranks.jsonl", "reference.jsonl"])
def test_a_damaged_line_of_the_other_files_is_named(readme: Path, name: str) -> None:
    (readme.parent / name).write_text('{"model": "card"}\n')
    with pytest.raises(SystemExit, match=f"{name}, line 1: expected"):
        readme_tables.content_of(readme.parent)


def test_a_folder_without_results_empties_no_table(readme: Path, tmp_path: Path) -> None:
    before = readme.read_text(encoding="utf-8")
    with pytest.raises(SystemExit, match=r"Expected measured runs in .*nowhere, found none: name the folder with"):
        readme_tables.main(["--readme", str(readme), "--checkpoints", str(tmp_path / "nowhere")])
    assert readme.read_text(encoding="utf-8") == before


def test_a_readme_that_is_not_there_is_said_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        readme_tables.main(["--readme", str(tmp_path / "none.md"), "--checkpoints", str(tmp_path)])
    assert "expected a README with tables, found no file" in capsys.readouterr().err
