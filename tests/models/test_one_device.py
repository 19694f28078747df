"""Every model trains, ranks and explains without mixing tensors of the CPU and of the device it is on."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from demo_core.datasets import Dataset, toy_world
from demo_core.models import MODELS, create, preset
from demo_core.models.base import Recommender, RecommenderConfig
from tests.models.judging import UNJUDGED
from tests.models.one_device import GeneratorAnywhere, OneDevice, tensors_in
from tests.models.test_contract import QUICKER

M = 12
PRESETS = [(name, each) for name, entry in MODELS.items() for each in ("default", *sorted(entry.presets))]
HERE, AWAY = torch.zeros(4, 4), torch.zeros(4, 4, device="meta")
PLACES = torch.zeros(4, 4, dtype=torch.long)


def small_config(name: str, which: str) -> RecommenderConfig:
    config = preset(name, which, "zhihu", M).override("max_length=6", *QUICKER.get(name, ()))
    few = {"diffusion_steps": 24, "stride": 8, "denoising_steps": 2}
    return config.override(*(f"{field}={value}" for field, value in few.items() if getattr(config, field, 0) > value))


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> torch.Generator:
    monkeypatch.setattr(torch, "Generator", GeneratorAnywhere)
    return torch.Generator().manual_seed(0)


def world() -> Dataset:
    return toy_world(num_items=M, num_sequences=60, length=8, seed=0)


def check_answers(model: Recommender, history: Tensor, generator: torch.Generator) -> None:
    """Every kind of answer comes, and from where the model is."""
    model.eval()
    scores, lists = model.score(history, generator), model.recommend(history, 5)
    assert scores.shape == (len(history), M + 1) and {each.shape for each in lists} == {(len(history), 5)}
    answers = (scores, *lists, model.explain(history), model.denoising(history, generator), model.embedding())
    assert {tensor.device.type for tensor in tensors_in(answers)} == {"meta"}


@pytest.mark.parametrize(("name", "which"), PRESETS)
def test_a_model_keeps_to_its_device(name: str, which: str, generator: torch.Generator) -> None:
    data, model = world(), create(name, small_config(name, which), seed=0).to("meta")
    batch = data.train.batch(torch.arange(16), model.config.max_length).to(torch.device("meta"))
    with OneDevice():
        for phase in model.phases():
            if phase.prepare is not None:
                phase.prepare(data, UNJUDGED)
            if phase.before_epoch is not None:
                phase.before_epoch(data, generator)
            if phase.loss is not None:
                model.train()
                phase.loss(batch, generator).backward()
        check_answers(model, batch.history, generator)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_that_was_prepared_elsewhere_keeps_to_its_device(name: str, generator: torch.Generator) -> None:
    data, model = world(), create(name, small_config(name, "default"), seed=0)
    for phase in model.phases():
        if phase.prepare is not None:
            phase.prepare(data, UNJUDGED)
    model.to("meta")
    batch = data.train.batch(torch.arange(16), model.config.max_length).to(torch.device("meta"))
    with OneDevice():
        check_answers(model, batch.history, generator)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda: AWAY + HERE,
        lambda: AWAY @ HERE,
        lambda: AWAY.gather(1, PLACES),
        lambda: F.embedding(PLACES, AWAY),
        lambda: torch.searchsorted(AWAY, HERE),
        lambda: HERE[PLACES[0].to("meta")],
    ],
)
def test_what_a_gpu_would_refuse_is_refused(mixed: Callable[[], Tensor]) -> None:
    with OneDevice(), pytest.raises(AssertionError, match="cpu, meta"):
        mixed()


def test_what_a_gpu_would_take_is_taken() -> None:
    with OneDevice():
        assert (AWAY * torch.tensor(2.0)).device.type == "meta", "a single number of the CPU"
        assert AWAY[PLACES[0]].shape == (4, 4), "positions of the CPU"
        assert AWAY.copy_(HERE).device.type == "meta"
        assert AWAY.cpu().device.type == "cpu"
        assert AWAY[AWAY > 0].device.type == "meta"
