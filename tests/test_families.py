from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from demo_core.families import BRANCHES, LEADING, SYSTEMS, System, branch, descendants
from demo_core.models import MODELS
from demo_core.models.backbones import BACKBONES

MODELS_FOLDER = Path(__file__).parents[1] / "demo_core/models"
LEARNED = [one for one in SYSTEMS.values() if branch(one.model).learned]


def parents(system: System) -> tuple[str, ...]:
    return ((system.builds_on,) if system.builds_on else ()) + system.stands_on


def docstring(model: str) -> str:
    tree = ast.parse((MODELS_FOLDER / f"{model}.py").read_text(encoding="utf-8"))
    return " ".join((ast.get_docstring(tree) or "").split())


def test_every_model_has_exactly_one_place() -> None:
    assert sorted(SYSTEMS) == sorted(MODELS)
    assert [name for name, one in SYSTEMS.items() if name != one.model] == []
    names = [one.name for one in BRANCHES]
    assert len(set(names)) == len(names) and {one.branch for one in SYSTEMS.values()} == set(names)


def test_twenty_one_are_learned_and_the_rest_is_counted() -> None:
    assert len(LEARNED) == 21
    counted = {"popularity", "item_knn", "slit", "repeat_last", "knn_average"}
    assert set(SYSTEMS) - {one.model for one in LEARNED} == counted
    assert set(LEADING) == {"card", "globaldiff"}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))
def test_a_system_is_told_in_two_short_sentences(system: System) -> None:
    for sentence in (system.does, system.know):
        assert re.fullmatch(r"[A-Z][^.!?]*\.", sentence), sentence
        assert 30 <= len(sentence) <= 170


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))
def test_parents_exist_and_are_not_younger(system: System) -> None:
    for name in parents(system):
        parent = SYSTEMS[name]
        if system.paper is not None and parent.paper is not None:
            assert parent.paper.year <= system.paper.year, name
        assert system.model in descendants(name)
    assert system.builds_on not in system.stands_on


def test_nobody_is_its_own_ancestor() -> None:
    settled: set[str] = set()
    while settled != set(SYSTEMS):
        ready = {name for name, one in SYSTEMS.items() if name not in settled and set(parents(one)) <= settled}
        assert ready, f"a circle among {sorted(set(SYSTEMS) - settled)}"
        settled |= ready


def test_branches_are_told_by_year() -> None:
    for one in BRANCHES:
        years = [system.paper.year for system in LEARNED if system.branch == one.name and system.paper is not None]
        assert years == sorted(years), one.name


def test_what_globaldiff_stands_on_is_what_its_config_takes() -> None:
    assert set(SYSTEMS["globaldiff"].stands_on) == set(SYSTEMS["knn_average"].stands_on) == set(BACKBONES)


@pytest.mark.parametrize("system", LEARNED, ids=[one.model for one in LEARNED])
def test_a_paper_is_the_one_that_the_model_names(system: System) -> None:
    paper = system.paper
    assert paper is not None
    told = docstring(system.model)
    assert f"{paper.venue} {paper.year}" in told
    stated = re.findall(r"arXiv (\d{4}\.\d{5})", told)
    if paper.arxiv is None:
        assert stated == [] and paper.address is None
    else:
        assert re.fullmatch(r"\d{4}\.\d{5}", paper.arxiv) and paper.arxiv in stated
        assert paper.address == f"https://arxiv.org/abs/{paper.arxiv}"
    assert paper.citation == f"{paper.authors}, {paper.venue} {paper.year}"
