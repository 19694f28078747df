"""What a list is without each item, against asking the engine again without it."""

from pathlib import Path

import pytest
import torch

from demo_core import checkpoint
from demo_core.engine import Engine
from demo_core.engine.answers import InputError, Item, Station
from demo_core.engine.effects import effects_of
from demo_core.engine.questions import Question
from demo_core.models.drop_one import kl_divergence
from demo_core.sequences import pad

HISTORY = (1, 3, 5, 7, 11)
LONG = (2, 9, 4, 1, 3, 5, 7, 11)


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


@pytest.mark.parametrize("history", [HISTORY, LONG])
def test_what_stays_in_the_list_is_what_the_list_without_the_item_holds(
    engine: Engine, history: tuple[int, ...]
) -> None:
    effects = engine.drop_one(history, k=4, seed=3, truth=12)
    whole = engine.compare(history, ("card",), k=4, seed=3, truth=12)
    assert effects == whole.effects
    assert [effect.position for effect in effects.items] == list(range(len(history) - 4, len(history) + 1))
    for effect in effects.items:
        without = engine.compare(history, ("card",), k=4, seed=3, truth=12, off=(effect.position,))
        left = {shown.item.id for shown in without.lists[0].items}
        assert effect.item.id == history[effect.position - 1]
        assert effect.kept == tuple(shown.item.id in left for shown in whole.lists[0].items)
        assert effect.truth_rank == without.lists[0].truth_rank
    assert effects.truth_rank == whole.lists[0].truth_rank


def test_the_change_is_the_divergence_of_the_whole_answer(engine: Engine, film_checkpoints: Path) -> None:
    model = checkpoint.load(film_checkpoints / "movielens" / "card").model
    answers = [
        model.probabilities(model.score(pad([row], 5), torch.Generator().manual_seed(0))).double()
        for row in (HISTORY, HISTORY[1:])
    ]
    expected = float(kl_divergence(*answers).detach())
    assert engine.drop_one(HISTORY).items[0].change == pytest.approx(expected, rel=1e-2)


def test_the_item_left_out_does_not_come_back_as_a_recommendation(engine: Engine) -> None:
    without = engine.compare(HISTORY, ("card",), k=100, off=(2,))
    assert 3 not in {shown.item.id for shown in without.lists[0].items}


def test_what_is_off_is_not_read_and_an_older_item_moves_in(engine: Engine) -> None:
    route = engine.compare(LONG, off=(5, 8)).route
    assert route is not None
    assert [station.item.id for station in route.stations] == [9, 4, 1, 5, 7]
    comparison = engine.compare(LONG, off=(5, 8))
    assert comparison.dropped == 1
    same = engine.compare((2, 9, 4, 1, 5, 7))
    assert comparison.route == same.route, "only the lists know that the others were seen"


def test_everything_off_is_an_empty_history_whose_items_are_still_seen(engine: Engine) -> None:
    comparison = engine.compare((1, 3), k=100, off=(1, 2))
    assert comparison.route is not None and comparison.route.outcome == "empty"
    assert comparison.effects is not None and comparison.effects.items == ()
    assert not {shown.item.id for shown in comparison.lists[1].items} & {1, 3}


def test_a_position_that_is_none_is_refused(engine: Engine) -> None:
    for off in ((0,), (6,), ("1",), (True,)):
        with pytest.raises(InputError, match="a film to switch off to be a whole number from 1 to 5"):
            engine.compare(HISTORY, off=off)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at most 0 films to switch off, got 1"):
        engine.compare((), off=(1,))


def test_models_without_weights_have_effects_too_and_no_agreement(engine: Engine) -> None:
    effects = engine.drop_one(HISTORY, "tdm")
    assert len(effects.items) == 5 and effects.agreement is None and effects.weighed == 0


def station(weight: float | None, candidate: bool = True, has_future: bool = True) -> Station:
    film = Item(1, "Film", None, (), 1, True)
    return Station(film, 1, 0.5, 0.2, candidate, 0.1, weight, has_future, None, False)


@pytest.mark.parametrize("count", [3, 4])
def test_the_agreement_is_spearmans_rho_over_the_weighed_items_if_there_are_enough(
    engine: Engine, film_checkpoints: Path, count: int
) -> None:
    from scipy.stats import spearmanr

    weights = (1.4, 0.7, 1.1, 1.9, 1.0)
    stations = [station(weight, candidate=at < count) for at, weight in enumerate(weights)]
    bundle = checkpoint.load(film_checkpoints / "movielens" / "tdm")
    items = [engine.item(id) for id in range(1, engine.num_items + 1)]
    effects = effects_of(bundle, Question(HISTORY), items, stations, torch.device("cpu"))
    assert effects.weighed == count
    expected = spearmanr(weights[:count], [effect.change for effect in effects.items[:count]]).statistic
    assert effects.agreement == (None if count < 4 else pytest.approx(float(expected)))


def test_what_has_no_future_or_no_weight_is_not_weighed(engine: Engine, film_checkpoints: Path) -> None:
    stations = [
        station(1.4),
        station(0.6, has_future=False),
        station(None),
        station(1.2, candidate=False),
        station(0.9),
    ]
    bundle = checkpoint.load(film_checkpoints / "movielens" / "tdm")
    items = [engine.item(id) for id in range(1, engine.num_items + 1)]
    assert effects_of(bundle, Question(HISTORY), items, stations, torch.device("cpu")).weighed == 2


def test_squares_are_as_many_as_the_list_has_items(engine: Engine) -> None:
    effects = engine.drop_one(tuple(range(1, 15)))
    assert all(len(effect.kept) == 2 for effect in effects.items)
