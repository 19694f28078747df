from pathlib import Path

import pytest
import torch

from demo_core import checkpoint
from demo_core.engine import Engine
from demo_core.engine.answers import InputError
from demo_core.layers import unit

HISTORY = (1, 3, 5, 7, 11)


@pytest.fixture(scope="module")
def engine(film_checkpoints: Path) -> Engine:
    return Engine(film_checkpoints, "movielens", torch.device("cpu"))


def test_the_nearest_are_those_of_the_models_own_vectors(engine: Engine, film_checkpoints: Path) -> None:
    told = engine.why(12, HISTORY, ("card",)).reasons[0]
    vectors = checkpoint.load(film_checkpoints / "movielens" / "card").model.embedding()
    assert vectors is not None
    vectors = vectors.detach()
    cosines = {id: float(unit(vectors[id]) @ unit(vectors[12])) for id in HISTORY}
    best = sorted(cosines, key=lambda id: -cosines[id])[:3]
    assert [like.item.id for like in told.nearest] == best
    assert [like.cosine for like in told.nearest] == pytest.approx([cosines[id] for id in best], abs=1e-5)


def test_the_rank_is_that_of_the_list_and_a_vote_tells_both_voters(engine: Engine) -> None:
    for one in engine.compare(HISTORY, k=4).lists:
        third = one.items[2].item.id
        told = engine.why(third, HISTORY, (one.model,)).reasons[0]
        assert told.rank == 3
        assert (told.personal is None) == (one.model != "globaldiff")


def test_what_was_seen_has_no_rank_and_an_empty_history_no_neighbours(engine: Engine) -> None:
    assert [one.rank for one in engine.why(3, HISTORY).reasons] == [None] * 3
    assert all(one.nearest == () for one in engine.why(3, ()).reasons)


def test_only_what_is_read_counts_and_models_without_vectors_have_ranks(engine: Engine) -> None:
    near = engine.why(12, HISTORY, ("card",), off=(1, 2)).reasons[0].nearest
    assert {like.item.id for like in near} == {5, 7, 11}
    popular = engine.why(12, HISTORY, ("popularity",)).reasons[0]
    assert popular.nearest == () and popular.rank is not None


def test_popularity_is_counted_and_ranked(engine: Engine, film_checkpoints: Path) -> None:
    counts = checkpoint.load(film_checkpoints / "movielens" / "card").catalogue.counts
    told = engine.why(12, HISTORY)
    assert told.count == counts[11]
    assert told.popularity_rank == 1 + sum(count > counts[11] for count in counts)


def test_an_item_outside_the_catalogue_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="from 1 to 16, got 99"):
        engine.why(99, HISTORY)
