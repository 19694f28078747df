"""What is known of a training before it is done."""

from typing import Any

import pytest

from demo_core.job import AT_LEAST_ONE, Job, time_left
from demo_core.models import MODELS, preset
from tests.runs import run


def test_the_number_of_items_is_that_of_the_data_set() -> None:
    assert Job("sasrec", "default", "toy", 0, settings=("dropout=0.1",)).config(12).num_items == 12
    with pytest.raises(ValueError, match=r"Expected settings without num_items, .* got num_items=5"):
        Job("sasrec", "default", "toy", 0, settings=("num_items=5",)).config(12)


@pytest.mark.parametrize("name", AT_LEAST_ONE)
def test_nothing_is_trained_with_none_of_what_it_takes(name: str) -> None:
    model = next(one for one in MODELS if hasattr(preset(one, "default", "toy", 12), name))
    Job(model, "default", "toy", 0, settings=(f"{name}=2",)).config(12)
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"Expected {name} of 1 or more, got {wrong}"):
            Job(model, "default", "toy", 0, settings=(f"{name}={wrong}",)).config(12)


def test_the_time_left_is_that_of_this_device() -> None:
    took: dict[str, Any] = {"dataset": "toy", "epochs": 10, "inference_seconds": 0.0}
    runs = [
        run("tdm", seconds_per_epoch=60.0, **took),
        run("tdm", seed=1, seconds_per_epoch=0.6, device="CUDA: X", **took),
        run("card", seconds_per_epoch=0.0, **took),  # it was trained on another device
    ]
    asked = [Job("tdm", "default", "toy", seed=seed) for seed in (0, 1)]
    assert time_left(asked, runs, "CPU") == "at most 20 min left"
    assert time_left([*asked, Job("card", "default", "toy", seed=0)], runs, "CPU") == "at most 30 min left"
    assert time_left(asked[:1], runs, "CUDA: Y") == "time left not known yet"
