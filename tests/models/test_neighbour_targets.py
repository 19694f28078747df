import pytest
import torch

from demo_core.datasets import LEAVE_ONE_OUT_FULL, Dataset, toy_world
from demo_core.models import create, preset
from demo_core.models.base import Recommender
from demo_core.models.item_knn import item_cosine
from demo_core.models.neighbour_targets import LearnsFromNeighbours, NeighbourTargets
from demo_core.sequences import Batch, Catalogue, Rows
from tests.models.judging import UNJUDGED


def world_and_targets() -> tuple[Dataset, NeighbourTargets]:
    world = toy_world(seed=1)
    return world, NeighbourTargets.of(world)


def test_items_are_drawn_in_proportion_to_their_likeness() -> None:
    world, targets = world_and_targets()
    cosine = torch.from_numpy(item_cosine(world.train.sequences(), 12).toarray())
    cosine.fill_diagonal_(0)
    drawn = targets.draw(torch.full((40_000,), 5), 1.0, torch.Generator().manual_seed(0))
    seen = torch.bincount(drawn, minlength=13) / len(drawn)
    assert (seen - cosine[5] / cosine[5].sum()).abs().max() < 0.01
    assert seen[5] == 0, "the item itself is no neighbour"


def test_only_the_asked_share_of_the_targets_is_replaced() -> None:
    _, targets = world_and_targets()
    wanted = torch.randint(1, 13, (20_000,), generator=torch.Generator().manual_seed(1))
    assert torch.equal(targets.draw(wanted, 0.0, torch.Generator()), wanted)
    replaced = targets.draw(wanted, 0.3, torch.Generator().manual_seed(2)) != wanted
    assert float(replaced.double().mean()) == pytest.approx(0.3, abs=0.02)


def test_an_item_that_is_like_no_other_stays() -> None:
    catalogue = Catalogue.untitled([1, 1, 1, 1])
    rows = Rows.prefixes([[1, 2], [3], [2, 1]])  # item 3 is alone, item 4 is in no history
    targets = NeighbourTargets.of(Dataset("own", "Own", catalogue, LEAVE_ONE_OUT_FULL, rows, rows, rows))
    drawn = targets.draw(torch.tensor([1, 2, 3, 4]), 1.0, torch.Generator().manual_seed(0))
    assert drawn.tolist() == [2, 1, 3, 4]
    assert (targets.up_to[1:, -1] > 0.999).all()


def test_in_a_large_catalogue_a_lonely_item_stays_too() -> None:
    """Rows of the matrix are read 1,024 at a time."""
    number = 1100
    rows = Rows.prefixes([[item] for item in range(1, number + 1)])
    catalogue = Catalogue.untitled([1] * number)
    targets = NeighbourTargets.of(Dataset("own", "Own", catalogue, LEAVE_ONE_OUT_FULL, rows, rows, rows))
    every = torch.arange(1, number + 1)
    assert torch.equal(targets.draw(every, 1.0, torch.Generator().manual_seed(0)), every)


@pytest.mark.parametrize("name", ["sasrec", "srgnn", "dreamrec", "tdm", "card"])
def test_a_model_trains_on_them_and_measures_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = toy_world(seed=1)
    config = preset(name, "default", "toy", 12).override("embedding_dim=8", "neighbour_target_rate=0.5")
    model: Recommender = create(name, config, seed=0)
    asked: list[float] = []

    def draw(self: NeighbourTargets, target: torch.Tensor, rate: float, generator: torch.Generator) -> torch.Tensor:
        asked.append(rate)
        return target

    monkeypatch.setattr(NeighbourTargets, "draw", draw)
    phase = model.phases()[0]
    assert phase.prepare is not None
    phase.prepare(world, UNJUDGED)
    batch: Batch = world.train.batch(torch.arange(6), config.max_length)
    model.train()
    model.loss(batch)
    assert asked == [0.5]
    model.eval()
    model.loss(batch)
    assert asked == [0.5], "what is measured is the next item itself"


@pytest.mark.parametrize("host", ["globaldiff", "knn_average"])
def test_a_backbone_inside_another_model_finds_its_neighbours_too(host: str) -> None:
    config = preset(host, "default", "toy", 12).override("embedding_dim=8", "backbone_neighbour_target_rate=0.5")
    model = create(host, config, seed=0)
    prepare = model.phases()[0].prepare
    assert prepare is not None
    prepare(toy_world(), UNJUDGED)
    backbone = model.get_submodule("backbone")
    assert isinstance(backbone, LearnsFromNeighbours)
    assert backbone.neighbour_targets is not None, "else it would train on the next item alone"
