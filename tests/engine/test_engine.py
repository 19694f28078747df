import json
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from demo_core import checkpoint
from demo_core.bundle_index import Entry, write_index
from demo_core.engine import Engine, Shelf
from demo_core.engine.answers import InputError, ModelList, Outcome, Route
from demo_core.engine.bundles import Loaded, with_one_catalogue
from demo_core.engine.questions import LONGEST_HISTORY
from demo_core.engine.routes import Histogram, share_above
from demo_core.engine.wording import ordinal, reason, verdict
from demo_core.models.base import Controls
from demo_core.sequences import pad

HISTORY = (1, 3, 5, 7, 11)


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


@pytest.fixture
def own(film_checkpoints: Path, tmp_path: Path) -> Path:
    """A copy that a test may break."""
    return Path(shutil.copytree(film_checkpoints, tmp_path / "checkpoints"))


def ids(answer: ModelList) -> list[int]:
    return [shown.item.id for shown in answer.items]


# Lists


def test_list_is_the_models_ranking_without_the_history(engine: Engine, film_checkpoints: Path) -> None:
    bundle = checkpoint.load(film_checkpoints / "movielens" / "card")
    best, scores = bundle.model.recommend(pad([HISTORY], 5), 10, generator=torch.Generator().manual_seed(3))
    answer = engine.recommend("card", HISTORY, k=10, seed=3)
    assert ids(answer) == best[0].tolist()
    assert [shown.score for shown in answer.items] == pytest.approx(scores[0].tolist())
    assert [shown.rank for shown in answer.items] == list(range(1, 11))


def test_whole_history_is_excluded_not_only_the_window(engine: Engine) -> None:
    history = (1, 2, 3, 4, 5, 6, 7, 8)
    answer = engine.recommend("tdm", history, k=100)
    assert set(ids(answer)) == set(range(9, 17))


def test_nothing_is_excluded_where_the_protocol_says_so(own: Path) -> None:
    for name in ("card", "tdm", "globaldiff", "popularity"):
        path = own / "movielens" / name / "config.json"
        path.write_text(path.read_text().replace("leave-one-out-full", "prefix-full"))
    comparison = Engine(own).compare(HISTORY, k=16)
    assert all(len(one.items) == 16 for one in comparison.lists)
    assert "Top 16 of 16 films, nothing excluded" in comparison.provenance


@pytest.mark.parametrize("model", ["card", "tdm", "globaldiff", "popularity"])
def test_same_seed_gives_the_same_list(engine: Engine, model: str) -> None:
    first, again = (replace(engine.recommend(model, HISTORY, seed=5), milliseconds=0) for _ in range(2))
    assert first == again


def test_threads_share_an_engine(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda seed: ids(engine.recommend("card", HISTORY, seed=seed % 2)), range(16)))
    assert answers[::2] == [ids(engine.recommend("card", HISTORY, seed=0))] * 8
    assert answers[1::2] == [ids(engine.recommend("card", HISTORY, seed=1))] * 8


def test_answers_are_json_with_finite_numbers(engine: Engine) -> None:
    answers = [asdict(engine.compare(HISTORY, truth=8)), asdict(engine.compare(())), asdict(engine.real_person(0))]
    answers += [asdict(status) for status in engine.models()]
    assert all(json.loads(json.dumps(answer, allow_nan=False)) for answer in answers)


def test_scores_that_are_not_finite_become_the_lists_error(own: Path) -> None:
    engine = Engine(own)
    model = engine._loaded["tdm"].bundle.model  # type: ignore[union-attr]
    with torch.no_grad():
        next(model.parameters()).fill_(math.nan)
    by_name = {one.model: one for one in engine.compare(HISTORY).lists}
    assert by_name["tdm"].error == "TDM gave scores that are not finite; train it again."
    assert by_name["card"].items


# Comparison


def test_shared_counts_items_of_neighbouring_lists(engine: Engine) -> None:
    comparison = engine.compare(HISTORY, k=5)
    tdm, card, globaldiff = (set(ids(one)) for one in comparison.lists)
    assert comparison.shared == (len(tdm & card), len(card & globaldiff))


def test_truth_is_ranked_among_the_candidates(engine: Engine) -> None:
    comparison = engine.compare(HISTORY, k=100, truth=8)
    for one in comparison.lists:
        assert one.truth_rank == 1 + ids(one).index(8)
    assert any(text.startswith("300 is ") and "with CARD" in text for text in comparison.messages)


def test_truth_in_the_history_is_not_ranked_and_a_message_says_so(engine: Engine) -> None:
    comparison = engine.compare(HISTORY, truth=1)
    assert [one.truth_rank for one in comparison.lists] == [None] * 3
    assert "The Matrix (1999) is in the history already, so it is not ranked." in comparison.messages


def test_history_longer_than_the_window_is_cut_with_a_message(engine: Engine) -> None:
    comparison = engine.compare((9, 10, *HISTORY))
    assert comparison.dropped == 2
    assert "2 earlier films are not read." in comparison.messages
    assert comparison.route is not None
    assert [station.item.id for station in comparison.route.stations] == list(HISTORY)
    assert "1 earlier film is not read." in engine.compare((9, *HISTORY)).messages


def test_duplicates_are_kept_with_a_message(engine: Engine) -> None:
    comparison = engine.compare((1, 3, 1))
    assert comparison.route is not None
    assert [station.duplicate for station in comparison.route.stations] == [False, False, True]
    told = "The Matrix (1999) stands in the history twice and is read each time."
    assert told in comparison.messages
    assert told not in engine.compare((1, *HISTORY[1:], 1)).messages, "the first one is not read"


def test_never_trained_items_in_a_list_are_warned_about(own: Path, engine: Engine) -> None:
    first = ids(engine.recommend("card", HISTORY))[0]
    for name in ("card", "tdm", "globaldiff", "popularity"):
        bundle = checkpoint.load(own / "movielens" / name)
        counts = tuple(0 if id == first else count for id, count in enumerate(bundle.catalogue.counts, start=1))
        changed = replace(bundle, catalogue=replace(bundle.catalogue, counts=counts))
        checkpoint.save(changed, own / "movielens" / name)
    comparison = Engine(own).compare(HISTORY, models=["card"])
    warning = (
        "CARD: 1 of these 10 films was never trained on. Its place in the list is an accident of the starting values."
    )
    assert warning in comparison.messages
    assert not comparison.lists[0].items[0].item.trained


def test_provenance_names_data_protocol_models_seeds_commit_and_device(engine: Engine) -> None:
    caption = engine.compare(HISTORY, seed=4).provenance
    assert caption[0].startswith("MovieLens, leave-one-out-full: ")
    assert caption[1] == "Top 10 of 16 films, those in the history excluded"
    assert caption[2] == "TDM, CARD, GlobalDiff default, training seed 0, commit 0123456"
    assert caption[3] == "the same noise for all, seed 4"
    assert caption[4].endswith(" s on CPU")


# Routes


def test_route_reads_the_window_and_its_figures_fit_together(engine: Engine) -> None:
    route = engine.explain(HISTORY)
    assert [station.position for station in route.stations] == [1, 2, 3, 4, 5]
    assert route.stations[0].cosine is None
    assert route.stations[0].continuity is None
    shares = [station.continuity for station in route.stations[1:] if station.continuity is not None]
    assert sum(shares) == pytest.approx(1)
    assert route.pairs == len(shares) == 4
    assert route.entropy == pytest.approx(-sum(share * math.log(share) for share in shares), rel=1e-5)
    assert route.entropy is not None
    assert route.evenness == pytest.approx(route.entropy / math.log(4), rel=1e-5)
    assert route.reachable is not None
    assert route.evenness is not None
    assert route.reachable[0] <= route.evenness <= route.reachable[1] == 1
    assert [station.candidate for station in route.stations] == [False, *(share < 1 / 4 for share in shares)]
    assert [station.has_future for station in route.stations] == [True] * 4 + [False]


def test_threshold_moves_the_route_and_the_trained_one_stays_known(engine: Engine) -> None:
    turning, stable = engine.explain(HISTORY, threshold=0.0), engine.explain(HISTORY, threshold=1.0)
    assert (turning.outcome, stable.outcome) == ("turning", "stable")
    assert (turning.threshold, stable.threshold) == (0.0, 1.0)
    assert turning.trained_threshold == stable.trained_threshold == engine.explain(HISTORY).threshold
    assert (turning.turning_share, stable.turning_share) == (1.0, 0.0)
    assert all(station.weight is None for station in stable.stations)
    weighed = [s for s in turning.stations if s.candidate and s.has_future]
    assert weighed
    assert all(station.weight != 1 for station in weighed)
    assert turning.stations[-1].weight == 1


def test_threshold_changes_cards_list_and_no_other(engine: Engine) -> None:
    low, high = engine.compare(HISTORY, threshold=0.0), engine.compare(HISTORY, threshold=1.0)
    changed = {one.model: one.items != other.items for one, other in zip(low.lists, high.lists, strict=True)}
    assert changed == {"tdm": False, "card": True, "globaldiff": False}


def test_route_is_what_the_model_explains(engine: Engine, film_checkpoints: Path) -> None:
    card = checkpoint.load(film_checkpoints / "movielens" / "card").model
    told = card.explain(pad([HISTORY], 5), Controls(threshold=0.0))
    route = engine.explain(HISTORY, threshold=0.0)
    assert [station.per for station in route.stations] == pytest.approx(told.per[0].tolist())  # type: ignore[union-attr, index]
    assert [station.weight for station in route.stations] == pytest.approx(told.weight[0].tolist())  # type: ignore[union-attr, index]


def test_removal_is_tdms_own(engine: Engine, film_checkpoints: Path) -> None:
    tdm = checkpoint.load(film_checkpoints / "movielens" / "tdm").model
    told = tdm.explain(pad([(3, 5, 7)], 5))
    stations = engine.explain((3, 5, 7)).stations
    assert [station.removal for station in stations] == pytest.approx(told.removal[0, 2:].tolist())  # type: ignore[union-attr]
    assert stations[-1].removal == 0


def test_histogram_is_that_of_the_training_histories(engine: Engine) -> None:
    route = engine.explain(HISTORY)
    status = next(status for status in engine.models() if status.name == "card")
    recorded = status.health["evenness_histogram"]
    assert route.histogram is not None
    assert {"edges": list(route.histogram.edges), "counts": list(route.histogram.counts)} == recorded


@pytest.mark.parametrize(
    ("history", "outcome", "verdict_text"),
    [
        ((), "empty", "Type a film you like, or take a random person."),
        ((1,), "unrouted", "One film has no steps."),
        ((1, 3), "unrouted", "Two films always give the same evenness."),
    ],
)
def test_short_histories_have_no_route_but_lists(
    engine: Engine, history: tuple[int, ...], outcome: Outcome, verdict_text: str
) -> None:
    comparison = engine.compare(history)
    route = comparison.route
    assert route is not None
    assert (route.outcome, route.verdict) == (outcome, verdict_text)
    assert (route.evenness, route.entropy, route.reachable) == (None, None, None)
    assert len(route.stations) == len(history)
    assert all(len(one.items) == 10 for one in comparison.lists)


def test_model_without_routes_says_so(engine: Engine) -> None:
    for name, title in (("tdm", "TDM"), ("globaldiff", "GlobalDiff"), ("popularity", "Popularity")):
        with pytest.raises(InputError, match=f"{title} chooses no route; ask for card"):
            engine.explain(HISTORY, model=name)


@pytest.mark.parametrize(
    ("outcome", "between", "text"),
    [
        ("turning", 0.30, "Turning: the steps are even, so CARD weighs each film."),
        ("turning", 0.05, "Turning, by a hair: the steps are just even enough, so CARD weighs each film."),
        ("stable", 0.01, "Stable, by a hair: the steps are just too uneven, so CARD thins the history."),
        ("stable", 0.06, "Stable: one step stands out and the rest holds together, so CARD thins the history."),
        ("turning", None, "Turning: the steps are even, so CARD weighs each film."),
    ],
)
def test_verdict_says_route_and_how_close_it_was(outcome: Outcome, between: float | None, text: str) -> None:
    assert verdict(outcome, 5, 0.955, between, "film") == text


def test_reason_gives_the_figures_and_tdms_reading() -> None:
    assert reason("turning", 0.984, 0.955, 0.65, "film") == (
        "Evenness .984 is above the threshold .955; 65 % of training histories lie above it. "
        "TDM reads the same number the other way: even means steady."
    )
    stable = reason("stable", 0.9549, 0.955, None, "film")
    assert stable.startswith("Evenness .9549 is below the threshold .9550. TDM reads")
    assert stable.endswith("CARD thins in training only; here the raw history is read.")


def test_texts_use_the_catalogues_noun() -> None:
    assert verdict("empty", 0, None, 0.9, "item") == "Type an item you like, or take a random person."
    assert verdict("unrouted", 2, None, 0.9, "item") == "Two items always give the same evenness."


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1203)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "1,203rd",
    ]  # fmt: skip


def test_share_above_divides_the_bin_that_holds_the_value() -> None:
    histogram = Histogram((0.0, 0.5, 1.0), (1, 3))
    assert [share_above(histogram, value) for value in (-1.0, 0.0, 0.25, 0.5, 0.75, 1.0)] == pytest.approx(
        [1, 1, 0.875, 0.75, 0.375, 0]
    )
    assert share_above(Histogram((1.0, 1.0), (5,)), 0.9) == 1


# People


def test_real_person_has_the_held_out_film_and_is_the_same_for_the_same_seed(engine: Engine) -> None:
    person = engine.real_person(3)
    assert person == engine.real_person(3)
    assert person.next is not None
    assert person.next.id == person.items[-1].id % 16 + 1
    assert person.older == max(len(person.items) - 5, 0)
    assert len({engine.real_person(seed).items for seed in range(20)}) > 1


def test_random_person_has_no_known_next_film(engine: Engine) -> None:
    assert engine.random_person(3).next is None
    assert engine.random_person(3).items == engine.real_person(3).items


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected examples.json in"),
        ("[", "is not a list of histories"),
        ('{"histories": []}', "holds no history; expected ids 1..16"),
        ('{"histories": [{"history": [1, 99], "next": 2}]}', "holds the id 99; expected ids 1..16"),
    ],
)
def test_unusable_examples_stop_nothing_but_the_example_people(own: Path, content: str | None, message: str) -> None:
    path = own / "movielens" / "examples.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    engine = Engine(own)
    assert engine.compare(HISTORY).lists[0].items
    with pytest.raises(InputError, match=message):
        engine.real_person(0)


# Input that cannot be used


@pytest.mark.parametrize("history", [[0], [17], [-3], [1.5], ["1"], [True], [None]])
def test_ids_out_of_range_or_not_whole_name_the_range(engine: Engine, history: list[int]) -> None:
    with pytest.raises(InputError, match=r"Expected film ids from 1 to 16, got"):
        engine.compare(history)
    with pytest.raises(InputError, match=r"Expected film ids from 1 to 16, got"):
        engine.compare((), truth=history[0] or 0)


@pytest.mark.parametrize("k", [0, -1, 101, 2.5, True])
def test_list_length_out_of_range_names_the_range(engine: Engine, k: int) -> None:
    with pytest.raises(InputError, match="Expected k to be a whole number from 1 to 100, got"):
        engine.recommend("card", HISTORY, k=k)


@pytest.mark.parametrize("threshold", [math.nan, math.inf, -0.1, 1.5, "high"])
def test_threshold_out_of_range_names_the_range(engine: Engine, threshold: float) -> None:
    with pytest.raises(InputError, match="Expected a threshold from 0 to 1, got"):
        engine.explain(HISTORY, threshold=threshold)


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5])
def test_seed_out_of_range_names_the_range(engine: Engine, seed: int) -> None:
    with pytest.raises(InputError, match="Expected the seed to be a whole number from 0 to 2147483647, got"):
        engine.compare(HISTORY, seed=seed)


@pytest.mark.parametrize("name", ["crad", "", 7, ["card"]])
def test_unknown_model_names_the_known(engine: Engine, name: str) -> None:
    with pytest.raises(InputError, match="Expected one of the models tdm, card, globaldiff, popularity, got"):
        engine.recommend(name, HISTORY)


def test_too_many_models_or_films_are_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="Expected 1 to 8 models to compare, got 9"):
        engine.compare(HISTORY, models=["card"] * 9)
    with pytest.raises(InputError, match=f"Expected at most {LONGEST_HISTORY} films, got {LONGEST_HISTORY + 1}"):
        engine.compare([1] * (LONGEST_HISTORY + 1))


def test_titles_are_read_and_an_unknown_one_names_the_nearest(engine: Engine) -> None:
    assert [item.id for item in engine.read(["Matrix", 3, "Alien (1979)"]).items] == [1, 3, 11]
    with pytest.raises(InputError, match=r"No film “Matrxi”\. Did you mean The Matrix \(1999\)\?"):
        engine.read(["Matrxi"])


# Bundles that cannot be used


def _missing(folder: Path) -> None:
    shutil.rmtree(folder)


def _truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def _other_format(folder: Path) -> None:
    _edit(folder / "config.json", "format", 99)


def _unknown_field(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    _edit(folder / "config.json", "config", {**config["config"], "colour": "red"})


def _other_protocol(folder: Path) -> None:
    _edit(folder / "config.json", "protocol", "best-on-test")


def _other_data_set(folder: Path) -> None:
    _edit(folder / "config.json", "dataset", "zhihu")


def _other_catalogue(folder: Path) -> None:
    bundle = checkpoint.load(folder)
    titles = ("Another film", *bundle.catalogue.titles[1:])
    checkpoint.save(replace(bundle, catalogue=replace(bundle.catalogue, titles=titles)), folder)


def _not_json(folder: Path) -> None:
    (folder / "catalogue.json").write_text("{")


def _edit(path: Path, key: str, value: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_missing, "config.json|model.safetensors"),
        (_truncated, "model.safetensors"),
        (_other_format, "expected bundle format 1, got 99"),
        (_unknown_field, "colour"),
        (_other_protocol, "has the protocol 'best-on-test'; expected one of"),
        (_other_data_set, "holds card for zhihu; expected card for movielens"),
        (_other_catalogue, "its catalogue is not the one of TDM"),
        (_not_json, "catalogue.json"),
    ],
)
def test_unusable_bundle_says_why_and_the_others_work(
    own: Path, engine: Engine, damage: Callable[[Path], None], message: str
) -> None:
    damage(own / "movielens" / "card")
    damaged = Engine(own)
    status = next(status for status in damaged.models() if status.name == "card")
    assert status.error is not None
    assert status.error.startswith("CARD could not be loaded: ")
    assert any(part in status.error for part in message.split("|"))
    comparison = damaged.compare(HISTORY)
    before = engine.compare(HISTORY)
    assert comparison.route is None
    assert f"No route: {status.error}" in comparison.messages
    by_name = {one.model: one for one in comparison.lists}
    assert by_name["card"].error == status.error
    assert not by_name["card"].items
    assert by_name["tdm"].items == before.lists[0].items
    assert by_name["globaldiff"].items == before.lists[2].items
    with pytest.raises(InputError, match="CARD could not be loaded"):
        damaged.explain(HISTORY)


def test_route_does_not_need_tdm(own: Path, engine: Engine) -> None:
    shutil.rmtree(own / "movielens" / "tdm")
    route, before = Engine(own).explain(HISTORY), engine.explain(HISTORY)
    assert all(station.removal is None for station in route.stations)
    stations = tuple(replace(station, removal=None) for station in before.stations)
    assert route == replace(before, stations=stations)


def test_commonest_catalogue_wins_and_card_decides_a_tie(film_checkpoints: Path) -> None:
    folder = film_checkpoints / "movielens"
    loaded = {name: Loaded(name, name, checkpoint.load(folder / name), None) for name in ("tdm", "card", "popularity")}
    other = replace(loaded["card"].bundle.catalogue, noun="movie")  # type: ignore[union-attr]
    card = replace(loaded["card"], bundle=replace(loaded["card"].bundle, catalogue=other))  # type: ignore[type-var]
    kept = with_one_catalogue([loaded["tdm"], card, loaded["popularity"]])
    assert [one.bundle is not None for one in kept] == [True, False, True]
    tie = with_one_catalogue([loaded["tdm"], card])
    assert [one.bundle is not None for one in tie] == [False, True]


def test_folder_that_is_no_known_model_is_listed_with_its_error(own: Path) -> None:
    shutil.copytree(own / "movielens" / "card", own / "movielens" / "crad")
    statuses = {status.name: status for status in Engine(own).models()}
    assert "crad" in str(statuses["crad"].error)
    assert statuses["card"].error is None


def test_empty_checkpoints_folder_gives_a_running_engine_with_a_message(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "nothing")
    comparison = engine.compare(())
    assert engine.problem is not None
    assert engine.problem.startswith("No model of MovieLens could be loaded from ")
    assert "python -m scripts.train card --dataset movielens" in engine.problem
    assert comparison.messages == (engine.problem,)
    assert [one.error is not None for one in comparison.lists] == [True] * 3
    assert engine.search("matrix").message == engine.parse("matrix").messages[0] == engine.problem
    assert [status.name for status in engine.models()] == ["tdm", "card", "globaldiff"]
    for ask in (lambda: engine.compare([1]), lambda: engine.item(1), lambda: engine.real_person(0)):
        with pytest.raises(InputError, match="No model of MovieLens could be loaded"):
            ask()


# Health


def test_status_carries_the_health_of_the_bundles_own_test_run(engine: Engine) -> None:
    card = next(status for status in engine.models() if status.name == "card")
    assert card.preset == "default"
    assert card.health == card.runs[0].health
    assert card.healthy is False
    assert any("different items" in text for text in card.failures)
    assert engine.recommend("card", HISTORY).healthy is False


def test_bundle_without_a_test_run_has_unknown_health(own: Path) -> None:
    (own / "movielens" / "card" / "metrics.json").write_text('{"runs": []}')
    engine = Engine(own)
    card = next(status for status in engine.models() if status.name == "card")
    assert (card.healthy, card.health, card.error) == (None, {}, None)
    route: Route = engine.explain(HISTORY)
    assert (route.histogram, route.turning_share) == (None, None)
    assert "of training histories" not in route.reason


def test_run_without_all_health_figures_leaves_the_health_unknown(own: Path) -> None:
    path = own / "movielens" / "card" / "metrics.json"
    content = json.loads(path.read_text())
    del content["runs"][0]["health"]["list_overlap"]
    path.write_text(json.dumps(content))
    card = next(status for status in Engine(own).models() if status.name == "card")
    assert (card.healthy, card.failures, card.error) == (None, ("its health lacks the figure 'list_overlap'",), None)


# Models that the index only names


def test_a_model_that_is_only_named_says_how_it_is_trained_and_is_there_once_it_was(own: Path) -> None:
    write_index(own, [Entry("movielens", "tdm"), Entry("zhihu", "card")])
    tdm, aside = own / "movielens" / "tdm", own / "aside"
    tdm.rename(aside)
    found = Engine(own, "movielens", torch.device("cpu"))
    assert [one.name for one in found.models() if one.to_train] == ["tdm"]
    told = (
        "TDM is not trained here yet. Train it, then choose it again: python -m scripts.train tdm --dataset movielens"
    )
    assert found.recommend("tdm", HISTORY).error == told
    aside.rename(tdm)
    assert found.recommend("tdm", HISTORY).error is None
    assert not any(one.to_train for one in found.models())
    assert [one.name for one in Shelf(own, "movielens").datasets()] == ["movielens"]
