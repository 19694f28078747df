"""The figures that tell whether a model really ranks, and the gate that reads them."""

import pytest
import torch
from torch import Tensor

from demo_core import health
from demo_core.datasets import toy_world
from demo_core.evaluation import Evaluation
from demo_core.models.card import CARD, CARDConfig
from demo_core.models.popularity import Popularity, PopularityConfig

CPU = torch.device("cpu")
HEALTHY: dict[str, float] = {
    "never_trained_share": 0.0,
    "never_trained_catalogue_share": 0.02,
    "distinct_items": 900,
    "list_overlap": 0.08,
    "popularity_share": 0.16,
    "turning_share": 0.5,
    "stable_share": 0.45,
    "unrouted_share": 0.05,
    "saturated_weight_share": 0.01,
}


def figures(top: Tensor, counts: Tensor) -> dict[str, float]:
    return health.list_health(Evaluation(torch.ones(len(top)), top), counts)


def random_lists(rows: int = 60, items: int = 80) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.stack([torch.randperm(items, generator=generator)[:25] + 1 for _ in range(rows)])


def test_list_figures_equal_a_loop_over_the_slots() -> None:
    top = random_lists()
    counts = torch.randint(1, 9, (81,), generator=torch.Generator().manual_seed(1))
    counts[[0, 7, 11, 50]] = 0
    slots = [item for row in top[:, :20].tolist() for item in row]
    popular = sorted(range(1, 81), key=lambda item: (-int(counts[item]), item))[:20]
    found = figures(top, counts)
    assert found["never_trained_share"] == pytest.approx(sum(item in (7, 11, 50) for item in slots) / len(slots))
    assert found["never_trained_catalogue_share"] == pytest.approx(3 / 80)
    assert found["distinct_items"] == len(set(slots))
    assert found["popularity_share"] == pytest.approx(sum(item in popular for item in slots) / len(slots))


def test_overlap_is_the_share_that_two_different_rows_have_in_common() -> None:
    top = random_lists()
    rows = [set(row[:20]) for row in top.tolist()]
    pairs = [len(a & b) / 20 for i, a in enumerate(rows) for j, b in enumerate(rows) if i != j]
    counts = torch.ones(81, dtype=torch.int64)
    assert figures(top, counts)["list_overlap"] == pytest.approx(sum(pairs) / len(pairs), abs=0.02)


def test_the_same_list_for_all_overlaps_fully_and_disjoint_lists_not_at_all() -> None:
    counts = torch.ones(201, dtype=torch.int64)
    assert figures(torch.arange(1, 21).expand(50, 20), counts)["list_overlap"] == 1.0
    assert figures(torch.arange(1, 201).reshape(10, 20), counts)["list_overlap"] == 0.0


def card(threshold: float) -> CARD:
    torch.manual_seed(0)
    model = CARD(CARDConfig(num_items=12, max_length=6, embedding_dim=8)).eval()
    torch.nn.init.normal_(model.item_embedding.weight)
    model.threshold.fill_(threshold)
    return model


def test_route_figures_equal_a_loop_over_the_histories() -> None:
    world, model = toy_world(), card(0.9)
    found = health.route_health(model, world.train, CPU)
    told = model.explain(world.train.history(torch.arange(len(world.train)), 6))
    assert told.weight is not None
    kinds = [
        "unrouted" if pairs < 2 else "turning" if even > 0.9 else "stable"
        for pairs, even in zip(told.steps.pairs.tolist(), told.steps.evenness.tolist(), strict=True)
    ]
    for kind in ("unrouted", "turning", "stable"):
        assert found[f"{kind}_share"] == pytest.approx(kinds.count(kind) / len(kinds)), kind
    weights = sorted(weight for row in told.weight.tolist() for weight in row if weight != 1)
    assert found["weight_quantiles"][2] == pytest.approx(weights[len(weights) // 2], abs=0.01)
    assert found["weight_quantiles"] == sorted(found["weight_quantiles"])
    saturated = [weight for weight in weights if min(weight, 2 - weight) < 0.02]
    assert found["saturated_weight_share"] == pytest.approx(len(saturated) / len(weights))
    histogram = found["evenness_histogram"]
    assert sum(histogram["counts"]) == kinds.count("turning") + kinds.count("stable"), "every routed history is drawn"
    assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    assert histogram["edges"] == sorted(histogram["edges"]) and histogram["edges"][-1] == 1.0


def test_a_model_without_routes_has_no_route_figures() -> None:
    assert health.route_health(Popularity(PopularityConfig(num_items=12)), toy_world().train, CPU) == {}


def test_route_figures_of_perfectly_even_histories_can_be_drawn() -> None:
    model = card(0.5)
    with torch.no_grad():
        model.item_embedding.weight[1:] = model.item_embedding.weight[1]
    histogram = health.route_health(model, toy_world().train, CPU)["evenness_histogram"]
    assert sum(histogram["counts"]) > 0
    assert histogram["edges"] == sorted(histogram["edges"])


def test_a_healthy_model_passes_the_gate() -> None:
    assert health.failures(HEALTHY) == ()


def test_a_model_without_routes_is_judged_by_its_lists_alone() -> None:
    lists = {name: value for name, value in HEALTHY.items() if not name.endswith(("ing_share", "ble_share"))}
    assert health.failures(lists) == ()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"never_trained_share": 1.0}, "never trained"),
        ({"never_trained_share": 0.05}, "never trained"),
        ({"distinct_items": 30}, "30"),
        ({"list_overlap": 0.91}, "91%"),
        ({"turning_share": 0.0, "stable_share": 0.95}, "turning"),
        ({"turning_share": 0.95, "stable_share": 0.0}, "stable"),
        ({"saturated_weight_share": 0.99}, "99%"),
    ],
)
def test_a_sick_model_is_told_what_is_wrong(change: dict[str, float], word: str) -> None:
    problems = health.failures(HEALTHY | change)
    assert len(problems) == 1
    assert word in problems[0]
