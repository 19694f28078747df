"""The rules that hold the repository together: who imports whom, and that the README tells the truth."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from demo_core.space_variant import ZERO_GPU_TORCH, changed_for

ROOT = Path(__file__).parent.parent
# Every module imports only from those before it. A new module takes its place here.
ORDER = (
    *(
        "whole_files",
        "json_lines",
        "zero_gpu",
        "sequences",
        "sharding",
        "perturbation",
        "prepared",
        "raw_data",
        "interactions",
        "datasets",
        "own_data",
        "example_people",
        "slots",
        "layers",
        "diffusion",
        "augment",
        "stability",
        "models",
        "families",
    ),
    *(
        "runs",
        "variants",
        "ranks",
        "results",
        "reference",
        "evaluation",
        "long_term",
        "precision",
        "counterfactual",
        "comparison",
        "health",
        "training_report",
        "training_state",
        "training",
        "code_version",
        "measure",
        "trials",
        "per_honesty",
        "foresight",
    ),
    *(
        "allowance",
        "model_card",
        "json_files",
        "ragged",
        "checkpoint",
        "bundle_index",
        "hub",
        "publishing",
        "shipping",
        "space_files",
        "space_variant",
        "small_set",
        "job",
        "work_folder",
        "grid",
        "engine",
        "axes",
        "benchmark_rows",
        "experiments",
    ),
    *("rendering", "charts", "curve_charts", "interval_charts", "ui"),
)
MOST_LINES = 260
# Scripts that measure the page in a browser say what to install when it is missing.
ONLY_FOR_TESTS = {"playwright"}
PRODUCT = (
    sorted(path for path in ROOT.glob("demo_core/**/*.py")) + sorted(ROOT.glob("scripts/*.py")) + [ROOT / "app.py"]
)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def imports(path: Path) -> Iterator[str]:
    """Dotted names that ``path`` imports; ``from demo_core import x`` counts as ``demo_core.x``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(name: str) -> str:
    """``demo_core.models.card`` -> ``models``."""
    return name.split(".")[1]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(ROOT / "demo_core").parts[0].removesuffix(".py")


def core() -> list[Path]:
    return [
        path for path in PRODUCT if relative(path).startswith("demo_core/") and path != ROOT / "demo_core/__init__.py"
    ]


def test_every_module_has_its_place_in_the_order() -> None:
    assert sorted({part_of(path) for path in core()}) == sorted(ORDER)


@pytest.mark.parametrize("path", core(), ids=relative)
def test_a_module_imports_only_from_modules_before_it(path: Path) -> None:
    own = ORDER.index(part_of(path))
    for name in imports(path):
        if name.startswith("demo_core.") and part(name) != part_of(path):
            assert ORDER.index(part(name)) < own, f"{relative(path)} imports {name}"
        assert not name.startswith(("scripts", "tests", "app.")), f"{relative(path)} imports {name}"


def test_models_import_each_other_without_a_circle_and_the_base_none_of_them() -> None:
    names = {path.stem for path in (ROOT / "demo_core/models").glob("*.py")} - {"__init__"}
    uses = {
        name: {
            imported.split(".")[2]
            for imported in imports(ROOT / f"demo_core/models/{name}.py")
            if imported.startswith("demo_core.models.")
        }
        for name in names
    }
    assert uses["base"] <= {"config", "ranking_loss", "explanations"}
    placed: set[str] = set()
    while placed != names:
        ready = {name for name in names - placed if uses[name] <= placed}
        assert ready, f"a circle among {sorted(names - placed)}"
        placed |= ready


@pytest.mark.parametrize("path", PRODUCT, ids=relative)
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    allowed = {
        "gradio": ("demo_core/ui/", "app.py"),
        "huggingface_hub": ("demo_core/hub/",),
        "altair": ("demo_core/charts.py", "demo_core/curve_charts.py", "demo_core/interval_charts.py"),
        "vl_convert": ("demo_core/rendering.py",),
        "accelerate": ("demo_core/training.py", "scripts/"),
        "urllib": ("scripts/", "demo_core/ui/"),
        "requests": (),
        "httpx": (),
        "socket": ("scripts/serving.py",),
        "playwright": ("scripts/browser.py", "scripts/page_times.py"),
    }
    for name in imports(path):
        places = allowed.get(name.split(".")[0])
        if places is not None:
            assert relative(path).startswith(places), f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", PRODUCT, ids=relative)
def test_nothing_reads_or_writes_a_pickle(path: Path) -> None:
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert not forbidden & {name.split(".")[0] for name in imports(path)}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            written = ast.unparse(node)
            assert written not in ("torch.save", "torch.load", "np.load", "numpy.load", "pd.read_pickle"), written
            assert node.attr not in ("read_pickle", "to_pickle"), written


def test_files_stay_short_enough_to_be_read_at_once() -> None:
    sources = [*PRODUCT, *(path for kind in ("js", "css", "html") for path in ROOT.glob(f"demo_core/**/*.{kind}"))]
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES}, (
        "look for a second noun and split"
    )


# README, requirements, Space


HARDWARE = ("cpu-basic", "t4-small", "zero-a10g")
# What every Space has to say, and of what kind it is; see docs/hub/spaces-config-reference of the Hub's documentation.
FIELDS = {
    **dict.fromkeys(("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version"), str),
    **dict.fromkeys(("app_file", "header", "license", "short_description", "thumbnail", "suggested_hardware"), str),
    **dict.fromkeys(("models", "datasets", "tags"), list),
}
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
# Of what is not installed here, as the packages themselves say it.
NEEDS = {"torch==2.11.0": ">=3.10", "spaces==0.51.3": ">=3.10,<3.15"}


def front_matter(readme: str = README) -> dict[str, Any]:
    begin, head, _ = readme.split("---\n", 2)
    assert begin == "", "the Hub reads it only at the very top"
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def for_space(hardware: str) -> tuple[dict[str, Any], list[Requirement]]:
    """Front matter and requirements as a Space with that hardware gets them."""
    changed = changed_for(ROOT, hardware, "https://hub.example/spaces/owner/name")
    lines = changed["requirements.txt"].splitlines()
    return front_matter(changed["README.md"]), [Requirement(line) for line in lines if line]


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("-r", "#"))]


def test_the_front_matter_is_complete_and_each_field_of_its_kind() -> None:
    front = front_matter()
    assert {name: type(value) for name, value in front.items()} == FIELDS
    assert all(isinstance(name, str) and name for kind in ("models", "datasets", "tags") for name in front[kind])
    assert (front["sdk"], front["header"]) == ("gradio", "mini")
    assert {front["colorFrom"], front["colorTo"]} <= COLOURS
    assert (ROOT / front["app_file"]).is_file() and (ROOT / front["thumbnail"]).is_file()
    assert front["license"] == "apache-2.0" and "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert len(front["short_description"]) <= 60, "the Hub refuses longer ones"
    assert front["suggested_hardware"] in HARDWARE


@pytest.mark.parametrize("hardware", HARDWARE)
def test_a_space_has_the_gradio_that_its_requirements_pin(hardware: str) -> None:
    front, required = for_space(hardware)
    (gradio,) = [requirement for requirement in required if requirement.name == "gradio"]
    assert str(gradio.specifier) == f"=={front['sdk_version']}"
    assert front["suggested_hardware"] == hardware
    assert front["thumbnail"] == f"https://hub.example/spaces/owner/name/resolve/main/{front_matter()['thumbnail']}"
    different = {"thumbnail": None, "suggested_hardware": None}
    assert front | different == front_matter() | different, "the models named are those of checkpoints/index.json"


@pytest.mark.parametrize("hardware", HARDWARE)
def test_every_pin_can_be_installed_on_the_python_of_the_space(hardware: str) -> None:
    front, required = for_space(hardware)
    version = front["python_version"] + ".0"
    for requirement in required:
        needs = NEEDS.get(str(requirement)) or metadata.metadata(requirement.name)["Requires-Python"]
        assert version in SpecifierSet(needs or ""), f"{requirement.name} needs Python {needs}"
        assert version not in SpecifierSet("<3.11"), "this code needs Python 3.11"


def test_on_zero_gpu_python_and_pytorch_are_those_it_supports() -> None:
    front, required = for_space("zero-a10g")
    assert front["python_version"] in ("3.10", "3.12"), "as its documentation listed them in August 2026"
    (torch,) = [requirement for requirement in required if requirement.name == "torch"]
    assert str(torch.specifier).removeprefix("==") in ZERO_GPU_TORCH
    (before,) = [requirement for requirement in requirements("requirements.txt") if requirement.name == "torch"]
    assert before.specifier.contains("2.11.0"), "what is tested here and what runs there overlap"


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_requirements_are_pinned_and_are_what_is_installed(name: str) -> None:
    for requirement in requirements(name):
        pinned = [specifier.operator for specifier in requirement.specifier] == ["=="]
        assert pinned or requirement.name == "torch", f"{requirement} is not pinned"
        installed = metadata.version(requirement.name)
        assert requirement.specifier.contains(installed, prereleases=True), f"{requirement}, installed: {installed}"


def test_test_requirements_begin_with_those_of_the_app() -> None:
    assert (ROOT / "tests/requirements.txt").read_text(encoding="utf-8").startswith("-r ../requirements.txt\n")


def test_everything_that_is_imported_is_required() -> None:
    required = {requirement.name.lower() for requirement in requirements("requirements.txt")}
    distributions = metadata.packages_distributions()
    for path in PRODUCT:
        for name in {name.split(".")[0] for name in imports(path)}:
            if name in sys.stdlib_module_names or name in {"demo_core", "scripts", *ONLY_FOR_TESTS}:
                continue
            owners = {owner.lower().replace("_", "-") for owner in distributions[name]}
            assert owners & required, f"{relative(path)} imports {name} of {sorted(owners)}"


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == next(command for command in commands() if "-m pytest" in command)
    assert (ROOT / ".ci/run").stat().st_mode & 0o111, "it can be executed"


def test_every_path_that_the_readme_names_exists() -> None:
    named = set(re.findall(r"`((?:demo_core|scripts|tests|checkpoints)/[\w/.]*|\w+\.py|LICENSE)`", README))
    named |= set(re.findall(r"\]\(((?!https?:)[^)#]+)\)", README))
    assert len(named) > 10
    assert not sorted(name for name in named if not (ROOT / name).exists())


@pytest.mark.parametrize("command", [command for command in commands() if "-m scripts." in command])
def test_every_option_that_the_readme_shows_is_known_to_its_script(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = command.split()
    name = words[words.index("-m") + 1]
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(name).main()
    assert ended.value.code == 0
    told = capsys.readouterr().out
    options = [word for word in words[words.index(name) :] if word.startswith("--")]
    assert not [option for option in options if option not in told]
