"""What the tests of the Hub share: a stand-in per module, and bundles to push to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo_core.hub import Hub
from tests.hub.process import HubProcess, hub_process


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub_process(tmp_path_factory.mktemp("hub")) as process:
        yield process


@pytest.fixture
def hub(server: HubProcess, tmp_path: Path) -> Iterator[Hub]:
    """As its owner, with a cache of its own; faults end with the test."""
    yield Hub(server.url, server.token, tmp_path / "cache", patience=3.0)
    server.no_faults()


@pytest.fixture
def bundle(film_checkpoints: Path, tmp_path: Path) -> Path:
    """A bundle that the test may change."""
    return Path(shutil.copytree(film_checkpoints / "movielens" / "card", tmp_path / "card"))


def anonymous(hub: Hub, cache: Path | None = None) -> Hub:
    """Somebody without a token, whatever the machine has."""
    return replace(hub, token=False, cache=cache or hub.cache)
