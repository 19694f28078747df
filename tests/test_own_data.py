"""From somebody's own interactions to a data set."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from demo_core import own_data
from demo_core.interactions import Interactions
from demo_core.own_data import About, is_own, keep, slug
from demo_core.prepared import DataError


def of(rows: list[tuple[str, str, float]], titles: dict[str, str] | None = None, dated: bool = False) -> Interactions:
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    frame["title"] = frame["item"].map(titles or {}).fillna("")
    return Interactions(frame, len(frame), {}, dated, ())


def circle(people: int = 60, items: int = 30, length: int = 6) -> list[tuple[str, str, float]]:
    return [(f"p{p}", str((p + step) % items + 8), float(step)) for p in range(people) for step in range(length)]


def test_ids_follow_item_numbers_and_people_keep_their_order() -> None:
    kept = keep(of(circle()), 3)
    assert kept.sequences.titles[:3] == ("8", "9", "10"), "numbers, not letters"
    assert kept.sequences.items[0] == (1, 2, 3, 4, 5, 6)
    assert (kept.people, kept.items, kept.interactions) == (60, 30, 360)


def test_who_and_what_is_rare_goes_until_nothing_more_has_to_go() -> None:
    rare = [("q", str(item), 0.0) for item in (8, 9, 900)] + [("r", "900", 0.0), ("r", "901", 1.0), ("r", "8", 2.0)]
    kept = keep(of([*circle(), *rare]), 3)
    assert (kept.people, kept.people_before, kept.items, kept.items_before) == (60, 62, 30, 32)


def test_every_item_gets_its_commonest_title_and_films_their_year() -> None:
    rows = circle()
    titles = {str(n): f"Film {n}, The (19{n + 10})" for n in range(8, 38)}
    found = of(rows, titles)
    found.frame.loc[found.frame.index[0], "title"] = "Another"
    assert keep(found, 3).sequences.titles[0] == "Film 8, The (1918)"
    films = keep(found, 3, films=True).sequences
    assert (films.titles[0], films.years[0]) == ("The Film 8", 1918)


def test_titles_are_printable_and_not_too_long() -> None:
    kept = keep(of(circle(), {"8": "a\x07b" + "c" * 500, "9": "\x00"}), 3)
    assert kept.sequences.titles[0] == "ab" + "c" * 198
    assert kept.sequences.titles[1] == "(no title)"


def test_dates_tell_the_first_and_the_last_day() -> None:
    day = 86_400 * 10**6
    dated = keep(of([(user, item, time * day) for user, item, time in circle()], dated=True), 3)
    assert (dated.since, dated.until) == ("1970-01-01", "1970-01-06")
    assert keep(of(circle()), 3).since is None


@pytest.mark.parametrize(
    "rows, fewest, message",
    [
        (circle(people=49), 3, "got 49 of 49 people and 30 of 30 items with|at least 50 people"),
        (circle(items=20), 3, "got 60 of 60 people and 20 of 20 items"),
        (circle(), 7, "got 0 of 60 people"),
        (circle(), 2, "3 to 50 interactions"),
        (circle(), 51, "3 to 50 interactions"),
    ],
)
def test_too_little_is_refused_with_counts(rows: list[tuple[str, str, float]], fewest: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        keep(of(rows), fewest)


def test_more_items_than_models_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "MOST_ITEMS", 29)
    with pytest.raises(DataError, match=r"at most 29 items .* got 30\. Ask for more interactions"):
        keep(of(circle()), 3)


@pytest.mark.parametrize(
    "title, name",
    [
        ("My films", "own-my-films"),
        ("Büchli & Co.", "own-buchli-co"),
        ("movielens", "own-movielens"),
        ("../x", "own-x"),
    ],
)
def test_names_are_plain_and_never_those_of_a_public_data_set(title: str, name: str) -> None:
    assert slug(title) == name and is_own(name)


@pytest.mark.parametrize("title", ["", "夜", "--", "..."])
def test_a_title_that_no_address_can_hold_is_refused(title: str) -> None:
    with pytest.raises(DataError, match="Latin letters or digits"):
        slug(title)


def test_what_is_known_of_a_data_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = of(circle())
    about = About.of("Büchli", "book", found, keep(found, 3), 3)
    about.write(tmp_path / "own-buchli")
    assert About.read(tmp_path / "own-buchli") == about
    assert About.read(tmp_path) is None
    (tmp_path / "own-buchli" / "about.json").write_text("[1")
    assert About.read(tmp_path / "own-buchli") is None


def test_a_table_that_loses_only_its_ends_each_round_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_data, "MOST_ROUNDS", 3)
    ladder = [(f"p{p}", str(p + step), float(step)) for p in range(80) for step in range(3)]
    with pytest.raises(DataError, match="found no end in 3 rounds"):
        keep(of(ladder), 3)
