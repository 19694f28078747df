"""What a bundle's card says. That a bundle is saved with it: ``test_checkpoint.py``."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from demo_core.model_card import Card
from demo_core.models import MODELS
from tests.runs import RUN


def front_of(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return found


def index_of(card: str) -> dict[str, Any]:
    (found,) = front_of(card)["model-index"]
    return dict(found)


def a_card(*seeds: int) -> Card:
    """Of weights with the first of the seeds, whose HR@20 is .20, .21 and so on."""
    runs = [
        replace(RUN, seed=seed, split="test", variant=None, metrics={"hr@20": 0.2 + number / 100, "ndcg@20": 0.1})
        for number, seed in enumerate(seeds)
    ]
    training = {"seed": seeds[0], "epochs": 12, "commit": "0123456789", "date": "2026-11-26"}
    return Card("card", "default", "movielens", "leave-one-out-full", runs[:1], runs[1:], training, 60, 1234)


@pytest.mark.parametrize("dataset", ["movielens", "movielens-small", "ml-1m"])
def test_a_bundle_with_titles_of_movielens_stays_under_its_terms(dataset: str) -> None:
    card = Card("card", "default", dataset, "leave-one-out-full").text()
    assert front_of(card)["license"] == "other" and "apache" not in card
    assert "MovieLens" in card and "commercial use without permission" in card


def test_a_bundle_of_item_numbers_is_free() -> None:
    assert front_of(Card("card", "default", "zhihu", "prefix-full").text())["license"] == "apache-2.0"


def test_figures_stand_with_spread_and_seeds_and_in_both_forms_that_the_hub_reads() -> None:
    card = a_card(3, 0, 1)
    text = card.text()
    assert "The same recipe on test over 3 seeds (0, 1, 3): HR@20 21.00% ± 1.00%, NDCG@20 10.00% ± 0.00%." in text
    hits = index_of(text)["results"][0]["metrics"][0]
    assert hits["type"] == "hr@20" and hits["value"] == pytest.approx(0.21)
    assert hits["name"] == "HR@20 (leave-one-out-full, 3 seeds (0, 1, 3), 21.00% ± 1.00%)"
    entries = yaml.safe_load(card.eval_results())
    assert entries[0]["dataset"] == {"id": "movielens", "task_id": "leave-one-out-full/hr@20"}
    assert entries[0]["value"] == pytest.approx(0.21) and "3 seeds (0, 1, 3)" in entries[0]["notes"]


def test_one_seed_has_no_spread() -> None:
    text = a_card(7).text()
    assert "±" not in text and "seed 7" in index_of(text)["results"][0]["metrics"][0]["name"]


@pytest.mark.parametrize(
    ("epochs", "selection", "words"),
    [
        (12, ("validation", "ndcg@20"), "The epoch was chosen by NDCG@20 on validation."),
        (30, ("test", "hr@20"), "The epoch was chosen by HR@20 on the test split itself, as the authors' code does."),
        (0, ("validation", "ndcg@20"), ""),
    ],
)
def test_what_chose_the_epoch_is_told_where_one_was_chosen(epochs: int, selection: tuple[str, str], words: str) -> None:
    card = replace(a_card(3), selection=selection, training={"seed": 3, "epochs": epochs, "commit": "unknown"}).text()
    assert f"\n\nSeed 3, epochs {epochs}.{' ' + words if words else ''}\n\n" in card


def test_no_health_gate_is_said_to_judge_a_baseline() -> None:
    card = a_card(3)
    card = replace(card, runs=[replace(card.runs[0], health={**RUN.health, "distinct_items": 20, "list_overlap": 0.9})])
    assert "it fails the health gate: " in card.text()
    assert "there is no health gate for a baseline. " in replace(card, name="popularity").text()


def test_a_bundle_without_runs_claims_nothing() -> None:
    card = Card("card", "default", "movielens", "leave-one-out-full")
    assert "model-index" not in front_of(card.text()) and yaml.safe_load(card.eval_results()) == []


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_card_says_what_the_model_is_what_it_is_for_and_its_limits(name: str) -> None:
    text = replace(a_card(0), name=name).text()
    for heading in ("## Figures", "## Health", "## Training", "## Use", "## Limits", "## Source"):
        assert heading in text
    assert f"# {MODELS[name].title} on MovieLens" in text and "60 items, 1,234 parameters" in text
    assert "Seed 0, epochs 12, commit 0123456789, date 2026-11-26" in text
