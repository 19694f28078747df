from __future__ import annotations

from typing import Any

from demo_core.experiments.parts import WHOLE, ablations
from demo_core.results import Result, read_published, summarise
from demo_core.runs import Run
from tests.runs import run


def of(dataset: str, runs: list[Run]) -> list[Result]:
    return [result for result in [*read_published(), *summarise(runs)] if result.dataset == dataset]


def test_cards_ablation_stands_beside_what_its_paper_prints() -> None:
    runs = [run("card", 0.0271), run("card", 0.0266, variant="no_routing"), run("card", 0.0262, variant="neither")]
    (ablation,) = ablations(of("zhihu", runs), "hr@20")
    lines = [(part.name, part.row.source, round(100 * part.row.result.mean, 2)) for part in ablation.parts]
    assert lines == [
        (WHOLE, "published", 2.57),
        (WHOLE, "default", 2.71),
        ("no routing: attention for all", "published", 2.28),
        ("no routing: attention for all", "default", 2.66),
        ("no attention: removal for all", "published", 2.34),
        ("neither: plain diffusion", "default", 2.62),
    ]


def test_two_protocols_are_two_ablations() -> None:
    where: dict[str, Any] = {"dataset": "beauty", "protocol": "leave-one-out-full"}
    runs = [run("globaldiff", 0.05, backbone="sasrec", variant="clusters=100", **where)]
    found = ablations(of("beauty", runs), "hr@20")
    assert [(ablation.model, ablation.protocol) for ablation in found] == [
        ("globaldiff", "leave-one-out-full"),
        ("globaldiff", "released-window"),
    ]
    assert {part.row.result.protocol for part in found[0].parts} == {"leave-one-out-full"}


def test_clusters_go_from_few_to_many_beside_the_backbone_alone() -> None:
    (ablation,) = ablations(of("beauty", []), "hr@20")
    assert [(part.name, part.row.result.mean) for part in ablation.parts] == [
        (WHOLE, 0.0625),
        ("CBiT alone", 0.0585),
        ("100 item clusters", 0.058),
        ("500 item clusters", 0.0618),
        ("1,000 item clusters", 0.0625),
    ]


def test_globaldiff_is_shown_beside_its_simple_rivals_of_the_same_preset() -> None:
    runs = [
        run("globaldiff", 0.026, backbone="sasrec"),
        run("globaldiff", 0.021, backbone="sasrec", variant="global_voter"),
        run("globaldiff", 0.031, backbone="srgnn"),
        run("sasrec", 0.0268),
        run("sasrec", 0.011, preset="paper"),
        run("item_knn", 0.0176),
    ]
    (ablation,) = [a for a in ablations(of("zhihu", runs), "hr@20") if a.model == "globaldiff"]
    assert [(part.name, part.row.result.mean) for part in ablation.parts] == [
        (WHOLE, 0.026),
        ("SASRec alone", 0.0268),
        ("global voter alone", 0.021),
        ("Item-kNN", 0.0176),
    ]


def test_an_unknown_variant_is_shown_after_the_known_ones() -> None:
    runs = [run(variant="zebra"), run(variant="neither"), run(variant="deleted=0.1"), run(variant="as_released")]
    (ablation,) = ablations(summarise(runs), "hr@20")
    assert [part.name for part in ablation.parts] == ["neither: plain diffusion", "zebra"]


def test_without_variants_there_is_no_ablation() -> None:
    assert ablations(summarise([run()]), "hr@20") == []
