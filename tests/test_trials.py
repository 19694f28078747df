"""Extra measurements: which apply to which model, and what they ask of the evaluation."""

import pytest
import torch

from demo_core.datasets import Dataset, swapped_test, toy_world
from demo_core.evaluation import Reading
from demo_core.measure import Subject
from demo_core.models import create, preset
from demo_core.models.base import Recommender
from demo_core.trials import ABLATIONS, EXTRAS, Extra, settings_of

SUBJECT = Subject(model="tdm", preset="default", backbone=None, seed=0, epochs=1, seconds_per_epoch=1.0)


def model(name: str, *settings: str) -> Recommender:
    return create(name, preset(name, "default", "toy", 12).override("embedding_dim=8", *settings), 0).eval()


def extra(kind: str, variant: str) -> Extra:
    return next(extra for extra in EXTRAS[kind]() if extra.variant == variant)


def test_a_variant_is_a_named_ablation_or_settings() -> None:
    assert settings_of("no_routing", "zhihu") == ABLATIONS["no_routing"]
    assert settings_of("votes_of_slit", "beauty")[-1] == "voter_ridge=300.0", "as it is tuned there"
    assert settings_of("future_window=5", "zhihu") == ("future_window=5",)
    assert settings_of("dropout=0.3,layers=1", "zhihu") == ("dropout=0.3", "layers=1")
    with pytest.raises(ValueError, match="no_such_thing"):
        settings_of("no_such_thing", "zhihu")


def test_an_ablation_of_a_route_is_named_for_what_is_missing() -> None:
    missing = {"no_routing": "attention", "no_attention": "removal", "neither": "none"}
    for name, routing in missing.items():
        assert settings_of(name, "zhihu") == (f"routing={routing}",)


def test_every_model_sees_the_same_deletions_and_the_same_candidates(toy: Dataset) -> None:
    lost = extra("missing", "deleted=0.3")
    first, second = lost.trials(model("sasrec"), toy), lost.trials(model("tdm"), toy)
    assert len(first) == 3
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.rows.items, other.rows.items)
        assert one.seen is toy.test
    assert not torch.equal(first[0].rows.target_at, first[1].rows.target_at), "draws differ"


def test_denoising_steps_are_asked_of_diffusion_models_only(toy: Dataset) -> None:
    five = extra("steps", "steps=5")
    assert not five.applies_to(model("sasrec"), toy)
    assert not five.applies_to(model("tdm", "diffusion_steps=4"), toy), "more steps than there are"
    (trial,) = five.trials(model("tdm"), toy)
    assert trial.controls is not None and trial.controls.steps == 5
    (trial,) = extra("all_steps", "steps=all").trials(model("tdm", "diffusion_steps=17"), toy)
    assert trial.controls is not None and trial.controls.steps == 17


def test_a_released_reading_is_measured_only_where_it_departs_from_the_protocol(toy: Dataset) -> None:
    as_released = extra("released", "as_released")
    assert not as_released.applies_to(model("sasrec"), toy)
    assert not as_released.applies_to(model("tdm"), toy)
    (trial,) = as_released.trials(model("tdm", "evaluation_batch=100", "exclusion=nothing"), toy)
    assert trial.reading == Reading(complete_batches_of=100, exclusion="nothing")


def test_the_swapped_test_asks_every_model_for_the_item_before_the_last() -> None:
    toy = toy_world(num_sequences=300)
    (trial,) = extra("released", "released_test").trials(model("sasrec"), toy)
    assert torch.equal(trial.rows.items, swapped_test(toy).items)
    assert trial.reading == Reading(exclusion="window", complete_batches_of=256)
    assert not extra("released", "released_test").applies_to(model("sasrec"), toy_world()), "200 rows are no batch"


def test_a_voter_is_measured_alone_and_the_vote_restored(toy: Dataset) -> None:
    voter = extra("voters", "global_voter")
    assert not voter.applies_to(model("sasrec"), toy)
    fused = model("globaldiff", "hidden_dim=16")
    before = float(fused.get_buffer("gamma"))
    with voter.prepared(fused):
        assert float(fused.get_buffer("gamma")) == 0.0
    assert float(fused.get_buffer("gamma")) == before


def test_what_is_measured_carries_the_trials_mean(toy: Dataset) -> None:
    lost = extra("missing", "deleted=0.5")
    measurement = lost.measure(model("tdm"), toy, SUBJECT, lambda: model("sasrec"))
    assert tuple(measurement.ranks.shape) == (3, len(toy.test))
    assert measurement.run.split == "test"
