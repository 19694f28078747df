"""What a model is made of is counted before it is there."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from demo_core.allowance import MOST_TENSORS, SPARE, Allowance
from demo_core.models import MODELS, create, preset


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(10**6, 10**6),
        lambda: nn.Embedding(10**12, 8),
        lambda: torch.zeros(10**6, 10**6),
        lambda: torch.zeros(size=(10**6, 10**6)),
        lambda: torch.arange(10**12),
        lambda: torch.arange(start=0, end=10**12),
        lambda: torch.linspace(0, 1, 10**12),
        lambda: [torch.empty(SPARE // 2) for _ in range(3)],
    ],
)
def test_more_numbers_than_there_are_weights_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"at most 20,012,100 numbers .* got .* and more"), Allowance(100, 12):
        make()  # type: ignore[operator]


def test_more_tensors_than_any_model_has_are_refused() -> None:
    with pytest.raises(ValueError, match="got 0 in 10,001 and more"), Allowance(0, 0):
        for _ in range(MOST_TENSORS + 1):
            torch.empty(0)


def test_what_is_made_within_it_is_what_it_is_without() -> None:
    config = preset("card", "default", "toy", 40)
    with Allowance(10**6, 40):
        counted = create("card", config, seed=0).state_dict()
    plain = create("card", config, seed=0).state_dict()
    assert list(counted) == list(plain) and all(torch.equal(counted[name], plain[name]) for name in plain)


def test_every_model_fits_and_the_compiler_is_not_loaded_for_counting() -> None:
    """PyTorch's compiler takes seconds to load, and an app reads its bundles when it starts."""
    names = [(name, kind) for name, entry in MODELS.items() for kind in ("default", *entry.presets)]
    told = (
        "import sys; from demo_core.allowance import Allowance; from demo_core.models import MODELS, preset\n"
        f"for name, kind in {names}:\n"
        "    config = preset(name, kind, 'beauty', 10_000)\n"
        "    stored = sum(weights.numel() for weights in MODELS[name].model(config).parameters())\n"
        "    with Allowance(stored, 10_000): MODELS[name].model(config)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", told], cwd=root, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
