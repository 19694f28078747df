from demo_core.datasets import toy_world
from demo_core.models.repeat_last import RepeatLast, RepeatLastConfig
from demo_core.sequences import pad
from tests.models.judging import UNJUDGED


def counted() -> tuple[RepeatLast, list[int]]:
    world = toy_world(seed=3)
    model = RepeatLast(RepeatLastConfig(num_items=12))
    for phase in model.phases():
        assert phase.prepare is not None and phase.loss is None, "there is nothing to train"
        phase.prepare(world, UNJUDGED)
    return model.eval(), [world.train.target.tolist().count(item) for item in range(13)]


def test_the_newest_item_comes_first_then_the_older_ones_then_popularity() -> None:
    model, counts = counted()
    others = sorted(set(range(1, 13)) - {5, 2, 9}, key=lambda item: (-counts[item], item))
    ids, _ = model.recommend(pad([[5, 2, 9]], 6), 12, exclude_seen=False)
    assert ids[0].tolist() == [9, 2, 5, *others]


def test_an_item_that_repeats_counts_where_it_is_newest() -> None:
    model, _ = counted()
    ids, _ = model.recommend(pad([[5, 2, 5]], 6), 2, exclude_seen=False)
    assert ids[0].tolist() == [5, 2]


def test_an_empty_history_gets_popularity() -> None:
    model, counts = counted()
    ids, _ = model.recommend(pad([[]], 6), 12, exclude_seen=False)
    assert ids[0].tolist() == sorted(range(1, 13), key=lambda item: (-counts[item], item))
