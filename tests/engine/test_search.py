import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz, process

from demo_core.engine.answers import InputError, Item
from demo_core.engine.search import MOST_ENTRIES, TitleSearch
from demo_core.engine.titles import catalogue_items, label, names_of, normalised
from demo_core.sequences import Catalogue

ROWS = (
    ("The Matrix", 1999, 90),
    ("The Matrix Reloaded", 2003, 40),
    ("Monsters, Inc.", 2001, 70),
    ("Amelie (Le Fabuleux destin d'Amélie Poulain)", 2001, 60),
    ("Seven (a.k.a. Se7en)", 1995, 80),
    ("Sabrina", 1954, 3),
    ("Sabrina", 1995, 9),
    ("300", 2007, 20),
    ("The Good, the Bad and the Ugly (Il Buono, il brutto, il cattivo)", 1966, 50),
    ("<img src=x onerror=alert(1)>", None, 0),
    ("Alien", 1979, 75),
    ("Aliens", 1986, 65),
    ("Animatrix", 2003, 5),
)


@pytest.fixture(scope="module")
def search() -> TitleSearch:
    titles, years, counts = zip(*ROWS, strict=True)
    return TitleSearch(Catalogue(titles, years, ((),) * len(ROWS), counts, noun="film"))


def found(search: TitleSearch, query: str) -> list[str]:
    return [suggestion.item.title for suggestion in search.suggest(query).suggestions]


def test_exact_title_comes_before_longer_ones_and_those_inside_a_word_come_last(search: TitleSearch) -> None:
    assert found(search, "matrix") == ["The Matrix", "The Matrix Reloaded", "Animatrix"]
    assert found(search, "alien") == ["Alien", "Aliens"]


@pytest.mark.parametrize(
    "query", ["AMÉLIE", "amelie", "fabuleux", "le fabuleux destin d’amelie poulain", "Amelie (2001)", "amelie 20"]
)
def test_case_accents_punctuation_and_alternative_titles_do_not_matter(search: TitleSearch, query: str) -> None:
    answer = search.suggest(query)
    assert answer.suggestions[0].item.title.startswith("Amelie")
    assert not answer.suggestions[0].near_miss


@pytest.mark.parametrize("query", ["The Matrix (1999)", "Matrix, The (1999)", "matrix 1999", "the matrix (19"])
def test_title_with_its_year_finds_that_film_alone(search: TitleSearch, query: str) -> None:
    assert found(search, query) == ["The Matrix"]


def test_words_may_be_left_out(search: TitleSearch) -> None:
    assert found(search, "good ugly")[0].startswith("The Good, the Bad")


@pytest.mark.parametrize(
    ("query", "meant"), [("Matrxi", "The Matrix"), ("alein", "Alien"), ("monstres inc", "Monsters, Inc.")]
)
def test_misspelt_title_is_a_near_miss(search: TitleSearch, query: str, meant: str) -> None:
    best = search.suggest(query).suggestions[0]
    assert best.near_miss
    assert best.item.title == meant


def test_popular_film_comes_first_among_equals(search: TitleSearch) -> None:
    assert [s.item.year for s in search.suggest("sabrina").suggestions] == [1995, 1954]


def test_number_finds_the_title_first_and_then_the_id(search: TitleSearch) -> None:
    assert found(search, "#3") == ["Monsters, Inc."]
    assert found(search, "300") == ["300"]
    assert "Monsters, Inc." in found(search, "3")


@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
def test_empty_query_has_no_suggestions_and_no_message(search: TitleSearch, query: str) -> None:
    answer = search.suggest(query)
    assert (answer.suggestions, answer.message) == ((), None)


@pytest.mark.parametrize("query", ["qqqqzzzz", "!!!"])
def test_query_that_matches_nothing_says_so(search: TitleSearch, query: str) -> None:
    answer = search.suggest(query)
    assert answer.suggestions == ()
    assert answer.message == f"No film is called “{query}”, and none is spelt like it."


@pytest.mark.parametrize("query", ["#99", " 99999 ", "0"])
def test_number_past_the_catalogue_names_the_range_of_ids(search: TitleSearch, query: str) -> None:
    answer = search.suggest(query)
    assert answer.suggestions == ()
    assert answer.message == f"No film has the id {int(query.strip(' #'))}: ids run from 1 to {len(search.items)}."


def test_overlong_query_is_refused_with_the_limit(search: TitleSearch) -> None:
    assert search.suggest("a" * 201).message == "Type at most 200 characters."


def test_markup_in_a_query_comes_back_as_it_was(search: TitleSearch) -> None:
    assert search.suggest("<b>zzqq</b>").query == "<b>zzqq</b>"
    assert found(search, "<img src=x") == ["<img src=x onerror=alert(1)>"]


def test_pasted_titles_and_ids_keep_their_order(search: TitleSearch) -> None:
    parsed = search.parse('Alien\n3, #1\n"Seven (1995)"\n- Se7en\n2. Aliens')
    assert [item.id for item in parsed.items] == [11, 3, 1, 5, 5, 12]
    assert parsed.messages == ()


def test_commas_inside_titles_do_not_split_them(search: TitleSearch) -> None:
    text = "Monsters, Inc., Matrix, The (1999), Alien, The Good, the Bad and the Ugly"
    assert [item.id for item in search.parse(text).items] == [3, 1, 11, 9]
    line = "Good, the Bad and the Ugly, The (Buono, il brutto, il cattivo, Il) (1966)"
    assert [item.id for item in search.parse(line).items] == [9]


def test_every_entry_not_understood_names_the_nearest_title(search: TitleSearch) -> None:
    parsed = search.parse("Matrxi\nAlien\n<b>zzqqxx</b>\n99")
    assert [item.title for item in parsed.items] == ["Alien"]
    assert parsed.messages == (
        "No film “Matrxi”. Did you mean The Matrix (1999)?",
        "No film “<b>zzqqxx</b>”.",
        "No film has the id 99: ids run from 1 to 13.",
    )


def test_title_of_several_films_means_the_popular_one_and_says_how_to_choose(search: TitleSearch) -> None:
    parsed = search.parse("Sabrina\nSabrina (1954)")
    assert [item.year for item in parsed.items] == [1995, 1954]
    assert parsed.messages == ("2 films are called “Sabrina”, read as Sabrina (1995). Add the year to choose.",)


def test_pasted_number_is_an_id_and_a_film_of_that_name_is_mentioned() -> None:
    search = TitleSearch(Catalogue(("2", "Alien"), (None, 1979), ((), ()), (1, 1), noun="film"))
    assert search.parse("2").items[0].title == "Alien"
    assert search.parse("2").messages == ("2 is read as an id: Alien (1979). The film called 2 has the id 1.",)
    assert search.parse("#2").messages == ()


def test_long_paste_is_cut_with_a_message(search: TitleSearch) -> None:
    parsed = search.parse("1\n" * (MOST_ENTRIES + 50))
    assert len(parsed.items) == MOST_ENTRIES
    assert parsed.messages == ("Only the first 200 of 250 entries were read.",)


@pytest.mark.parametrize("id", [0, -1, 14, True, 1.0, "1", None])
def test_id_outside_the_catalogue_names_the_range(search: TitleSearch, id: int) -> None:
    with pytest.raises(InputError, match="Expected film ids from 1 to 13, got"):
        search.item(id)


def test_popularity_is_the_quarter_of_the_catalogue_and_untrained_items_are_marked() -> None:
    catalogue = Catalogue.untitled([0, 5, 10, 20, 20, 30, 40, 50])
    items = catalogue_items(catalogue)
    assert [item.popularity for item in items] == [1, 1, 2, 2, 2, 3, 4, 4]
    assert [item.trained for item in items] == [False] + [True] * 7


def test_label_has_the_year_where_there_is_one(search: TitleSearch) -> None:
    assert [label(search.item(1)), label(search.item(10))] == ["The Matrix (1999)", "<img src=x onerror=alert(1)>"]


def test_normalised_drops_accents_case_and_punctuation() -> None:
    assert normalised("  WALL·E &  Ünïted³, l’Été ") == "wall e and united3 lete"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_no_text_breaks_search_or_paste(text: str) -> None:
    titles, years, counts = zip(*ROWS, strict=True)
    search = TitleSearch(Catalogue(titles, years, ((),) * len(ROWS), counts, noun="film"))
    answer, parsed = search.suggest(text), search.parse(text)
    assert len(answer.suggestions) <= 8
    assert all(1 <= item.id <= len(ROWS) for item in parsed.items)


def test_a_query_over_3674_titles_costs_a_few_plain_passes_over_them() -> None:
    words = ("night", "star", "dark", "love", "war", "city", "last", "king", "blue", "road", "game", "house", "river")
    titles = tuple(f"The {words[i % 13]} {words[i // 13 % 13]} {words[i // 169 % 13]} {i}" for i in range(3674))
    search = TitleSearch(Catalogue(titles, (1999,) * 3674, ((),) * 3674, tuple(range(3674)), noun="film"))
    for query in ("the night star", "nihgt sta", "zzzz", "s"):
        own = fastest(partial(search.suggest, query))
        one_pass = fastest(partial(process.extract, query, titles, scorer=fuzz.WRatio, limit=8))
        assert own < 5 * one_pass, f"{query}: {1000 * own:.1f} ms against {1000 * one_pass:.1f} ms"


def fastest(call: Callable[[], object]) -> float:
    """Seconds of the fastest of seven calls, which is what the call costs when nothing disturbs it."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_title_full_of_brackets_is_read_at_once() -> None:
    started = time.perf_counter()
    names = list(names_of(Item(1, "a, the" + "()" * 2000 + "x", None, (), 1, True)))
    assert names and time.perf_counter() - started < 2.0
