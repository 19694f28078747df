"""Where a GPU is lent: only on ZeroGPU, through ``spaces``; the app there, with a stand-in that really forks."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from demo_core.zero_gpu import lender
from scripts.serving import served
from tests.engine.forked_gpu import ForkedGPU

ROOT = Path(__file__).parent.parent


@pytest.fixture
def zero_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that says it is a ZeroGPU; packages in this folder come first."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "spaces", raising=False)
    return tmp_path


def test_nobody_lends_a_gpu_on_another_machine(monkeypatch: pytest.MonkeyPatch, zero_gpu: Path) -> None:
    (zero_gpu / "spaces.py").write_text("raise RuntimeError('imported for nothing')")
    monkeypatch.setenv("SPACES_ZERO_GPU", "false")
    assert lender() is None
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert lender() is None


def test_spaces_lends_it_on_zero_gpu(zero_gpu: Path) -> None:
    (zero_gpu / "spaces.py").write_text("def GPU(*, duration): ...")
    lend = lender()
    assert lend is not None and lend.__module__ == "spaces"


def test_without_spaces_the_app_stays_on_the_cpu(zero_gpu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spaces", None)  # as if it were not installed, wherever it is
    assert lender() is None


def test_a_spaces_that_lacks_something_itself_is_not_passed_over(zero_gpu: Path) -> None:
    (zero_gpu / "spaces.py").write_text("import nowhere_to_be_found")
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        lender()


def test_the_app_on_zero_gpu_asks_long_questions_in_forks_and_answers_the_others_itself(
    zero_gpu: Path, film_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = ForkedGPU(zero_gpu / "lent.txt")
    (zero_gpu / "spaces.py").write_text(
        "import sys\n"
        "assert not {'torch', 'gradio'} & set(sys.modules), 'spaces has to be imported before them'\n"
        "from pathlib import Path\n"
        "from tests.engine.forked_gpu import ForkedGPU\n"
        f"GPU = ForkedGPU(Path({str(zero_gpu / 'lent.txt')!r}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(zero_gpu))
    command = ("app.py", "--checkpoints", str(film_checkpoints), "--no-own-data", "--host", "127.0.0.1", "--port")
    with served(command) as page:
        lists = ask(page.address, "compare", items=["Alien", "Heat"])[-1]["lists"]
        assert [len(one["items"]) for one in lists] == [10, 10, 10]
        assert not gpu.lent()
        told = ask(page.address, "run_benchmark", models=["card", "popularity"])
        assert [one["done"] for one in told] == [8]
        assert [row["model"] for row in told[0]["rows"]] == ["card", "popularity"]
        assert "metric to be one of" in str(ask(page.address, "run_benchmark", metric="luck")[-1])
    assert [question for _, question, _ in gpu.lent()] == ["run_benchmark", "run_benchmark"]
    assert page.pid not in {process for process, _, _ in gpu.lent()}


def ask(address: str, endpoint: str, **named: object) -> list[Any]:
    """What a public endpoint tells, part by part; the last one may be its refusal."""
    place = f"{address}/gradio_api/call/v2/{endpoint}"
    asked = Request(place, json.dumps(named).encode(), {"Content-Type": "application/json"})
    with urlopen(asked, timeout=60) as answer:
        event = json.load(answer)["event_id"]
    with urlopen(f"{address}/gradio_api/call/{endpoint}/{event}", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    parts: dict[str, list[Any]] = {"generating": [], "complete": [], "error": []}
    for kind, data in pairwise(lines):
        if kind.startswith("event: ") and (name := kind.removeprefix("event: ")) in parts:
            told = json.loads(data.removeprefix("data: "))
            parts[name] += told if isinstance(told, list) else [told]
    return parts["error"] or parts["generating"] or parts["complete"]
