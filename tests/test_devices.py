"""Models on a GPU, where there is one; what can be found without one is in ``models/test_one_device.py``."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Generator

from demo_core import checkpoint
from demo_core.datasets import Dataset
from demo_core.engine import Engine, Serving
from demo_core.evaluation import evaluate
from demo_core.models import create
from demo_core.models.base import Recommender
from demo_core.precision import lower, same_lists
from demo_core.ragged import pack, unpack
from demo_core.sequences import Batch
from demo_core.training import fit
from tests.models.one_device import tensors_in
from tests.models.test_contract import EVERY_MODEL, histories, small_config, trained, world

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
GPU = torch.device("cuda")
PREPARED_THERE = {("globaldiff", "diffusion")}
"""Phases whose loss reads tables that ``prepare`` has put on the device: the training below has them."""


def moved(name: str) -> Recommender:
    return copy.deepcopy(trained(name)).to(GPU)


@EVERY_MODEL
def test_a_model_scores_on_the_gpu_as_on_the_cpu(name: str) -> None:
    model, asked = moved(name).eval(), histories()
    scores = model.score(asked.to(GPU), Generator().manual_seed(0))
    assert scores.device.type == "cuda" and scores.shape == (len(asked), 13)
    expected = trained(name).eval().score(asked, Generator().manual_seed(0))
    assert torch.allclose(scores.cpu(), expected, atol=2e-3, rtol=2e-3)


@EVERY_MODEL
def test_a_model_explains_and_denoises_on_the_gpu(name: str) -> None:
    model, asked = moved(name).eval(), histories().to(GPU)
    answers = (model.explain(asked), model.denoising(asked, Generator().manual_seed(0)), model.embedding())
    assert {tensor.device.type for tensor in tensors_in(answers)} <= {"cuda"}


@EVERY_MODEL
def test_a_model_learns_on_the_gpu(name: str) -> None:
    model = moved(name).train()
    batch = world().train.batch(torch.arange(32), 6).to(GPU)
    for phase in model.phases():
        if phase.loss is None or (name, phase.name) in PREPARED_THERE:
            continue
        loss = phase.loss(Batch(batch.history, batch.target, batch.is_last), Generator().manual_seed(0))
        assert loss.device.type == "cuda" and loss.shape == ()
        if loss.requires_grad:
            loss.backward()


@EVERY_MODEL
def test_training_and_evaluation_on_the_gpu_come_out_as_on_the_cpu(name: str, toy: Dataset) -> None:
    """Not digit by digit: a GPU adds in another order. What is learnt is the same."""
    config = small_config(name).override("max_epochs=8")
    model = create(name, config, 0)
    fit(model, toy, seed=0, progress=False)
    assert {tensor.device.type for tensor in model.state_dict().values()} <= {"cuda"}
    found = evaluate(model, toy.test, toy.protocol)
    again = evaluate(copy.deepcopy(model).cpu(), toy.test, toy.protocol)
    assert (found.ranks == again.ranks).double().mean() >= 0.97
    assert abs(found.metrics()["ndcg@10"] - again.metrics()["ndcg@10"]) < 0.02


def test_tables_that_are_packed_are_unpacked_on_the_gpu() -> None:
    table = torch.tensor([[3, 1, 0], [0, 0, 0], [2, 0, 0]])
    packed = {name: tensor.cuda() for name, tensor in pack({"votes": table}).items()}
    assert len(packed) == 2 and torch.equal(unpack(packed, {"votes": table.shape})["votes"].cpu(), table)


def test_a_bundle_is_read_straight_onto_the_gpu_with_the_same_lists(film_checkpoints: Path) -> None:
    for name in ("card", "tdm", "globaldiff", "popularity"):
        folder = film_checkpoints / "movielens" / name
        gpu, cpu = checkpoint.load(folder, GPU).model, checkpoint.load(folder).model
        assert {tensor.device.type for tensor in gpu.state_dict().values()} <= {"cuda"}
        asked = torch.randint(0, 17, (200, 5), generator=Generator().manual_seed(1)).sort(dim=1).values
        there, here = gpu.recommend(asked.cuda(), 5)[0].cpu(), cpu.recommend(asked, 5)[0]
        assert (there.sort(dim=1).values == here.sort(dim=1).values).all(dim=1).double().mean() >= 0.97


@pytest.mark.parametrize(
    "serving", [Serving(), Serving("float16"), Serving("bfloat16"), Serving(together=True)], ids=str
)
def test_every_question_is_answered_on_the_gpu(film_checkpoints: Path, serving: Serving) -> None:
    engine = Engine(film_checkpoints, "movielens", GPU, serving)
    plain = Engine(film_checkpoints, "movielens", torch.device("cpu"))
    assert engine.device.startswith("CUDA: ")
    comparison, expected = engine.compare([1, 2, 3, 7], truth=8), plain.compare([1, 2, 3, 7], truth=8)
    for one, other in zip(comparison.lists, expected.lists, strict=True):
        assert one.error is None and {x.item.id for x in one.items} == {x.item.id for x in other.items}
    assert engine.why(8, [1, 2, 3, 7]).reasons
    assert engine.drop_one([1, 2, 3, 7]).items
    assert list(engine.denoise([1, 2, 3, 7]))
    assert list(engine.run_benchmark(["card", "tdm"]))


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@EVERY_MODEL
def test_half_precision_on_the_gpu_keeps_the_lists_or_is_refused(name: str, precision: str) -> None:
    model, asked = moved(name), histories().cuda()
    found = lower(model, precision, asked)
    assert {tensor.device.type for tensor in found.model.state_dict().values()} <= {"cuda"}
    assert same_lists(model, found.model, asked) >= 0.99
