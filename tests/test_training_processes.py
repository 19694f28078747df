"""Training in two processes at once, against one process with the same global batches."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType
from safetensors.torch import load_file

from demo_core import checkpoint
from demo_core.runs import read_runs
from tests.processes import NOISY, ROOT, SEED, curve, launch, noisy_curves, without_chance

CONFIGS = ROOT / "scripts/accelerate"
SAME_LOSS = 1e-6
"""Relative: seen 5e-8. Sums of floats in another order are all that differs."""
SAME_WEIGHT = 1e-5
"""Absolute: seen 6e-8."""
SPREAD = {"tdm": 0.008, "card": 0.011, "globaldiff": 0.008}
"""How much the mean loss of a training differs from seed to seed in one process: standard deviation over eight seeds,
as a share of it. What two processes draw is another seed, no more.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have been (``processes.training``)."""
    place = tmp_path_factory.mktemp("two")
    launch(2, place, "training")
    return place


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "told.json").read_text())


def test_the_loss_curve_and_the_weights_of_two_processes_are_those_of_one(folder: Path, told: dict[str, Any]) -> None:
    """97 rows an epoch in batches of 32: the shares are 16 and 16 rows, and at last 1 and none."""
    model = without_chance()
    epochs = curve(model, SEED)
    assert told["losses"] == pytest.approx([epoch.loss for epoch in epochs], rel=SAME_LOSS)
    assert told["qualities"] == [epoch.quality for epoch in epochs]
    weights = load_file(folder / "exact")
    for name, tensor in model.state_dict().items():
        difference = (tensor - weights[name]).abs()
        if name.endswith("key_value.bias"):
            # A bias of the keys has no gradient but rounding, which AdamW brings to the size of any other.
            difference = difference[len(difference) // 2 :]
        assert float(difference.max()) < SAME_WEIGHT, name


def test_with_noise_the_loss_of_two_processes_is_that_of_another_seed(told: dict[str, Any]) -> None:
    alone = noisy_curves()
    for name in NOISY:
        one, two = statistics.fmean(alone[name]), statistics.fmean(told["noisy"][name])
        assert abs(two - one) / abs(one) < 3 * SPREAD[name], name


def test_only_the_main_process_writes(told: dict[str, Any]) -> None:
    """A state an epoch; a bundle before its measurement and with it; in a place that only that process has."""
    assert told["saved"] == [4, 2, 0, 0]
    files = ("measured.jsonl", "measured.jsonl.lock", "ranks.jsonl", "ranks.jsonl.lock")
    assert told["left"] == ["machine0/card", *(f"machine0/{name}" for name in files)]


def test_the_command_trains_in_two_processes_and_saves_once(folder: Path) -> None:
    bundle = checkpoint.load(folder / "card")
    assert [(run.split, run.device) for run in read_runs(folder / "measured.jsonl")] == [
        ("validation", "CPU, 2 processes"),
        ("test", "CPU, 2 processes"),
    ]
    assert [run.metrics for run in bundle.runs] == [run.metrics for run in read_runs(folder / "measured.jsonl")]
    assert not list(folder.glob("*.training.safetensors*"))


@pytest.mark.parametrize(
    ("name", "processes", "machines", "kind", "cpu"),
    [
        ("one_gpu", 1, 1, DistributedType.NO, False),
        ("several_gpus", 4, 1, DistributedType.MULTI_GPU, False),
        ("several_machines", 8, 2, DistributedType.MULTI_GPU, False),
        ("two_cpu_processes", 2, 1, DistributedType.MULTI_GPU, True),
    ],
)
def test_accelerate_understands_the_configs(
    name: str, processes: int, machines: int, kind: DistributedType, cpu: bool
) -> None:
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    assert (config.num_processes, config.num_machines) == (processes, machines)
    assert (config.distributed_type, config.use_cpu, config.mixed_precision) == (kind, cpu, "no")
    asked = ["--config_file", str(CONFIGS / f"{name}.yaml"), "-m", "scripts.train", "card", "--dataset", "toy"]
    arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(asked))
    assert bool(arguments.multi_gpu) == (processes > 1), "otherwise accelerate starts a single process"
    assert (arguments.num_processes, arguments.num_machines) == (processes, machines)


def test_every_config_is_tested() -> None:
    assert sorted(path.name for path in CONFIGS.iterdir()) == [
        "one_gpu.yaml",
        "several_gpus.yaml",
        "several_machines.yaml",
        "two_cpu_processes.yaml",
    ]
