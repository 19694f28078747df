from demo_core.datasets import toy_world
from demo_core.models.popularity import Popularity, PopularityConfig
from demo_core.sequences import pad
from tests.models.judging import UNJUDGED


def counted() -> tuple[Popularity, list[int]]:
    world = toy_world(seed=3)
    model = Popularity(PopularityConfig(num_items=12))
    for phase in model.phases():
        assert phase.prepare is not None and phase.loss is None, "there is nothing to train"
        phase.prepare(world, UNJUDGED)
    return model.eval(), [world.train.target.tolist().count(item) for item in range(13)]


def test_items_are_ranked_by_how_often_they_are_a_target() -> None:
    model, counts = counted()
    expected = sorted(range(1, 13), key=lambda item: (-counts[item], item))
    ids, _ = model.recommend(pad([[1, 2], []], 5), 12, exclude_seen=False)
    assert ids.tolist() == [expected, expected]


def test_everybody_gets_the_same_list_but_for_what_they_have_seen() -> None:
    model, counts = counted()
    expected = sorted(set(range(1, 13)) - {4, 7}, key=lambda item: (-counts[item], item))
    ids, _ = model.recommend(pad([[4, 7]], 5), 10)
    assert ids[0].tolist() == expected
