"""Lost and foreign items: single draws, and the curve over many."""

import shutil
import statistics
from pathlib import Path

import pytest
import torch

from demo_core.engine import Engine
from demo_core.engine.answers import InputError
from demo_core.engine.lab import DRAWS, altered

HISTORY = (1, 3, 5, 7, 11)


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


def test_a_larger_share_loses_the_same_items_and_more() -> None:
    before: set[int] = set()
    for share in (0.0, 0.1, 0.3, 0.6):
        lost = set(altered(range(1, 41), "lost", share, 100, seed=2).lost)
        assert before <= lost
        before = lost
    assert 12 < len(before) < 36


def test_items_are_lost_with_the_chance_asked_for() -> None:
    lost = [len(altered(range(1, 101), "lost", 0.3, 100, seed).lost) for seed in range(50)]
    assert statistics.fmean(lost) == pytest.approx(30, abs=2)


def test_foreign_items_follow_those_of_the_history_which_all_stay() -> None:
    changed = altered(HISTORY, "added", 0.6, 16, seed=1)
    assert tuple(id for id, position in changed.items if position is not None) == HISTORY
    assert changed.lost == () and len(changed.read) > len(HISTORY)
    assert changed.items[0][1] == 1, "nothing stands before the first"
    assert all(1 <= id <= 16 for id, _ in changed.items)


def test_a_draw_is_what_the_engine_says_of_the_altered_history(engine: Engine) -> None:
    answer = engine.lab(HISTORY, "lost", 0.4, draw=1, k=4, truth=12)
    lost = tuple(one.position for one in answer.items if one.lost)
    assert 0 < len(lost) < 5
    same = engine.compare(HISTORY, k=4, truth=12, off=[position for position in lost if position])
    whole = engine.compare(HISTORY, k=4, truth=12)
    assert answer.route == same.route and answer.whole == whole.route
    for told, now, before in zip(answer.lists, same.lists, whole.lists, strict=True):
        left = {shown.item.id for shown in now.items}
        assert told.kept == tuple(shown.item.id in left for shown in before.items)
        assert (told.before, told.after) == (before.truth_rank, now.truth_rank)


def test_foreign_items_are_read_but_can_still_be_recommended(engine: Engine) -> None:
    answer = engine.lab(HISTORY, "added", 0.6, draw=1)
    foreign = [one.item.id for one in answer.items if one.position is None]
    assert answer.route is not None and set(foreign) & {station.item.id for station in answer.route.stations}
    assert all(not one.lost for one in answer.items)


def test_nothing_lost_keeps_everything(engine: Engine) -> None:
    answer = engine.lab(HISTORY, "lost", 0.0)
    assert all(all(one.kept) for one in answer.lists) and answer.route == answer.whole
    for point in engine.lab_curve(HISTORY, "lost", 0.0, k=4, truth=12):
        assert (point.kept, point.low, point.high, point.draws) == (4, 4, 4, 1)


def test_a_point_of_the_curve_is_the_mean_over_draws(engine: Engine) -> None:
    points = {point.model: point for point in engine.lab_curve(HISTORY, "lost", 0.4, k=4, seed=0, truth=12)}
    told = [engine.lab(HISTORY, "lost", 0.4, draw=draw, k=4, truth=12).lists for draw in range(DRAWS)]
    for at, name in enumerate(("tdm", "card", "globaldiff")):
        kept = [sum(lists[at].kept) for lists in told]
        assert points[name].kept == pytest.approx(statistics.fmean(kept))
        quarters = statistics.quantiles(kept, n=4, method="inclusive")
        assert (points[name].low, points[name].high) == (quarters[0], quarters[2])
        ranks = [lists[at].after for lists in told]
        found = [rank is not None and rank <= 4 for rank in ranks]
        assert points[name].found == pytest.approx(statistics.fmean(found))
        assert points[name].draws == DRAWS


def test_a_sample_of_people_has_its_own_true_items(engine: Engine) -> None:
    for point in engine.lab_curve((), "lost", 0.3, people=True, k=4):
        assert point.found is not None and 0 <= point.found <= 1 and point.draws > 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"kind": "eaten"}, "Expected items to be one of lost, added, got 'eaten'"),
        ({"share": 0.9}, "the share from 0 to 0.6, got 0.9"),
        ({"share": None}, "the share from 0 to 0.6, got None"),
        ({"draw": -1}, "the draw to be a whole number"),
    ],
)
def test_bad_wishes_are_refused(engine: Engine, asked: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        engine.lab(HISTORY, **asked)  # type: ignore[arg-type]


def test_without_a_model_or_people_the_reason_is_told(film_checkpoints: Path, tmp_path: Path) -> None:
    empty = Engine(tmp_path, "movielens", torch.device("cpu"))
    for asked in (lambda: empty.lab(()), lambda: empty.lab_curve((), "lost", 0.1, people=True)):
        with pytest.raises(InputError, match=r"No model of .* could be loaded"):
            asked()
    shutil.copytree(film_checkpoints / "movielens", tmp_path / "movielens")
    (tmp_path / "movielens" / "examples.json").unlink()
    (tmp_path / "movielens" / "tdm" / "model.safetensors").unlink()
    broken = Engine(tmp_path, "movielens", torch.device("cpu"))
    with pytest.raises(InputError, match=r"examples\.json"):
        broken.lab_curve(HISTORY, "lost", 0.1, people=True)
    with pytest.raises(InputError, match="TDM"):
        broken.lab_curve(HISTORY, "lost", 0.1, models=["tdm"])


def test_people_lose_items_by_draws_of_their_own(engine: Engine) -> None:
    lost = {altered(range(1, 21), "lost", 0.5, 100, seed).lost for seed in range(20)}
    assert len(lost) == 20


def test_a_list_that_can_only_be_short_keeps_no_more_than_it_has(engine: Engine) -> None:
    for point in engine.lab_curve(range(1, 15), "lost", 0.0):
        assert point.kept == 2, "sixteen films, fourteen of them seen"
    for one in engine.lab(range(1, 15), "lost", 0.3).lists:
        assert len(one.kept) == 2
