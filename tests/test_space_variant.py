"""Requirements and front matter for the hardware of a Space."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from demo_core.bundle_index import Entry, Source
from demo_core.space_variant import FrontMatterError, changed_for, field, lends_gpu, requirements_for, with_fields

REQUIREMENTS = "gradio[mcp]==6.31.0\nsafetensors==0.8.0\ntorch>=2.8,<2.14\ntqdm==4.70.1\n"
README = """---
title: App
python_version: "3.12"
suggested_hardware: cpu-basic
models: []
tags:
  - one
  - two
thumbnail: cover.png
---

# App

---
title: not this one
"""


def front(readme: str) -> dict[str, object]:
    told: dict[str, object] = yaml.safe_load(readme.split("---\n")[1])
    return told


@pytest.mark.parametrize("hardware", ["cpu-basic", "t4-small", "a100-large"])
def test_other_hardware_takes_the_requirements_as_they_are(hardware: str) -> None:
    assert requirements_for(REQUIREMENTS, hardware) == REQUIREMENTS
    assert not lends_gpu(hardware)


def test_zero_gpu_gets_a_pytorch_that_it_supports_and_what_lends_its_gpu() -> None:
    expected = "gradio[mcp]==6.31.0\nsafetensors==0.8.0\nspaces==0.51.3\ntorch==2.11.0\ntqdm==4.70.1\n"
    assert requirements_for(REQUIREMENTS, "zero-a10g") == expected
    assert requirements_for(expected, "zero-a10g") == expected


def test_fields_are_set_in_their_place_and_new_ones_at_the_end() -> None:
    told = with_fields(
        README, {"suggested_hardware": "zero-a10g", "models": ["a/b", "c/d"], "tags": [], "license": "mit"}
    )
    assert front(told) == front(README) | {
        "suggested_hardware": "zero-a10g",
        "models": ["a/b", "c/d"],
        "tags": [],
        "license": "mit",
    }
    assert list(front(told)) == [*front(README), "license"]
    assert told.partition("---\n\n")[2] == README.partition("---\n\n")[2]
    assert with_fields(README, {}) == README


def test_a_field_is_read_without_its_quotation_marks() -> None:
    assert (field(README, "title"), field(README, "python_version"), field(README, "emoji")) == ("App", "3.12", None)


@pytest.mark.parametrize("text", ["# App\n", "---\ntitle: App\n", "\n---\ntitle: App\n---\n", ""])
def test_a_readme_without_front_matter_is_refused(text: str) -> None:
    with pytest.raises(FrontMatterError, match="begins with front matter"):
        with_fields(text, {"title": "App"})


def test_the_thumbnail_becomes_an_address_of_the_space(root: Path) -> None:
    changed = changed_for(root, "cpu-basic", "https://hub/spaces/a/b")
    assert front(changed["README.md"])["thumbnail"] == "https://hub/spaces/a/b/resolve/main/cover.png"
    assert changed["requirements.txt"] == REQUIREMENTS
    (root / "README.md").write_text(changed["README.md"], encoding="utf-8")
    assert changed_for(root, "cpu-basic", "https://elsewhere") == changed, "an address stays as it is"


def test_the_models_are_those_that_the_index_fetches_from_the_hub(root: Path) -> None:
    pinned = Source("owner/card-movielens", "0" * 40, "1" * 64)
    entries = [
        Entry("movielens", "tdm", "2" * 64, folder="movielens/tdm"),
        Entry("movielens", "card", "1" * 64, source=pinned),
        Entry("zhihu", "card", "1" * 64, source=pinned),
    ]
    content = {"format": 1, "bundles": [entry.to_dict() for entry in entries]}
    (root / "checkpoints/index.json").write_text(json.dumps(content), encoding="utf-8")
    changed = changed_for(root, "cpu-basic", "https://hub/spaces/a/b")
    assert front(changed["README.md"])["models"] == ["owner/card-movielens"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository whose index names nothing."""
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    (tmp_path / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    (tmp_path / "checkpoints").mkdir()
    return tmp_path
