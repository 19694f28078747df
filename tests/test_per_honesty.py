"""The honesty of PER is measured on long histories, against the model's own answers and another model's."""

import pytest
import torch

from demo_core.datasets import Dataset
from demo_core.measure import Subject
from demo_core.models import create, preset
from demo_core.models.base import Recommender
from demo_core.per_honesty import honesty

SUBJECT = Subject("card", "default", None, seed=0, epochs=1, seconds_per_epoch=1.0, variant="per_honesty")


def model(name: str, seed: int = 0) -> Recommender:
    made = create(name, preset(name, "default", "toy", 12).override("embedding_dim=8"), seed).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(5)  # an untrained model answers the same to everything
    return made


def test_a_model_agrees_perfectly_with_itself(toy: Dataset) -> None:
    (extra,) = honesty()
    run = extra.measure(model("card"), toy, SUBJECT, lambda: model("card")).run
    assert run.metrics["spearman_kl_between_models"] == pytest.approx(1.0)
    assert run.metrics["spearman_log_probability_between_models"] == pytest.approx(1.0)


def test_only_histories_of_three_items_and_more_count(toy: Dataset) -> None:
    (extra,) = honesty()
    measurement = extra.measure(model("card"), toy, SUBJECT, lambda: model("sasrec"))
    assert measurement.run.rows == int((toy.test.target_at - toy.test.start >= 3).sum())
    assert measurement.run.variant == "per_honesty"
    assert all(-1 <= value <= 1 for value in measurement.run.metrics.values())


def test_a_model_without_parameters_has_nothing_to_ask(toy: Dataset) -> None:
    (extra,) = honesty()
    assert not extra.applies_to(create("popularity", preset("popularity", "default", "toy", 12), 0), toy)
    assert extra.applies_to(model("sasrec"), toy)
