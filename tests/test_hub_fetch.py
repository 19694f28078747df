"""Fetching a bundle: the real client against a real server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from demo_core import checkpoint
from demo_core.bundle_index import Source, weights_hash
from demo_core.hub import Hub, HubError, fetch_bundle, push_bundle
from tests.hub.process import HubProcess
from tests.hubs import anonymous, bundle, hub, server

__all__ = ["bundle", "hub", "server"]
ROOT = Path(__file__).parents[1]


def pinned(hub: Hub, bundle: Path, repository: str, private: bool = False) -> Source:
    return Source(repository, push_bundle(bundle, repository, hub=hub, private=private).commit, weights_hash(bundle))


def message(action: Callable[[], object]) -> str:
    with pytest.raises(HubError) as told:
        action()
    return str(told.value)


def test_a_bundle_comes_back_as_it_was_pushed(hub: Hub, bundle: Path) -> None:
    source = pinned(hub, bundle, "owner/back")
    fetched = fetch_bundle(source, hub)
    assert fetched.source == source
    model, expected = checkpoint.load(fetched.folder).model, checkpoint.load(bundle).model
    assert all(tensor.equal(expected.state_dict()[name]) for name, tensor in model.state_dict().items())


def test_a_tag_and_a_branch_are_fetched_at_the_commit_they_stand_at(hub: Hub, bundle: Path) -> None:
    commit = push_bundle(bundle, "owner/tag", tag="v1", hub=hub).commit
    for revision in ("v1", "main"):
        assert fetch_bundle(Source("owner/tag", revision), hub).source.revision == commit


def test_an_older_commit_stays_what_it_was(hub: Hub, bundle: Path) -> None:
    old = pinned(hub, bundle, "owner/old")
    (bundle / "README.md").write_text("---\nlicense: apache-2.0\n---\nnew\n")
    new = pinned(hub, bundle, "owner/old")
    assert (fetch_bundle(new, hub).folder / "README.md").read_text().endswith("new\n")
    assert not (fetch_bundle(old, hub).folder / "README.md").read_text().endswith("new\n")


@pytest.mark.parametrize("fault", ["down", "silent"])
def test_what_is_pinned_and_cached_needs_no_hub_and_a_tag_is_taken_from_the_cache(
    fault: str, hub: Hub, server: HubProcess, bundle: Path
) -> None:
    source = pinned(hub, bundle, f"owner/cached-{fault}")
    tag = Source(source.repository, "main")
    fetch_bundle(source, hub)
    fetch_bundle(tag, hub)
    server.fault(fault)  # type: ignore[arg-type]
    started = time.monotonic()
    assert fetch_bundle(source, hub).source == source
    assert fetch_bundle(tag, hub).source.revision == source.revision
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(("fault", "reason"), [("down", "the Hub answered 503"), ("silent", "the Hub did not answer")])
def test_without_a_cache_an_unreachable_hub_is_told_soon(
    fault: str, reason: str, hub: Hub, server: HubProcess, bundle: Path
) -> None:
    source = pinned(hub, bundle, f"owner/away-{fault}")
    server.fault(fault)  # type: ignore[arg-type]
    started = time.monotonic()
    told = message(lambda: fetch_bundle(source, hub))
    assert time.monotonic() - started < 8
    assert told.startswith(f"owner/away-{fault}@{source.revision[:7]} could not be fetched: {reason}")


def test_a_revision_that_is_gone_is_told(hub: Hub, bundle: Path) -> None:
    push_bundle(bundle, "owner/gone", hub=hub)
    told = message(lambda: fetch_bundle(Source("owner/gone", "0" * 40), hub))
    assert told == (
        "owner/gone@0000000 could not be fetched: the repository has no such revision (any more). Pin another commit."
    )


def test_a_missing_a_private_and_a_gated_repository_are_told(hub: Hub, server: HubProcess, bundle: Path) -> None:
    stranger = anonymous(hub)
    private = pinned(hub, bundle, "owner/private", private=True)
    gated = pinned(hub, bundle, "owner/gated")
    HfApi(endpoint=hub.endpoint, token=hub.token).update_repo_settings("owner/gated", gated="auto")
    assert "there is no such repository, or it is private" in message(
        lambda: fetch_bundle(Source("owner/nothing", "main"), stranger)
    )
    assert "there is no such repository, or it is private" in message(lambda: fetch_bundle(private, stranger))
    assert "it is gated. Ask its owner for access" in message(lambda: fetch_bundle(gated, stranger))
    assert fetch_bundle(private, hub).source == private, "the owner may"


def test_weights_with_another_hash_are_not_used_and_not_kept(hub: Hub, server: HubProcess, bundle: Path) -> None:
    source = pinned(hub, bundle, "owner/changed")
    server.fault("changed", after=5000, path="model.safetensors")
    told = message(lambda: fetch_bundle(source, hub))
    assert told.startswith(f"owner/changed@{source.revision[:7]} is not used: its weights have the sha256 ")
    server.no_faults()
    assert fetch_bundle(source, hub).source == source, "the wrong ones were not kept"


def test_a_pin_that_names_another_hash_is_refused(hub: Hub, bundle: Path) -> None:
    source = replace(pinned(hub, bundle, "owner/pin"), sha256="0" * 64)
    assert "pinned are 000000000000…" in message(lambda: fetch_bundle(source, hub))


def test_a_download_that_is_cut_off_is_told_and_works_the_next_time(hub: Hub, server: HubProcess, bundle: Path) -> None:
    source = pinned(hub, bundle, "owner/cut")
    server.fault("cut", after=4000, path="model.safetensors")
    told = message(lambda: fetch_bundle(source, hub))
    assert told.startswith(f"owner/cut@{source.revision[:7]} could not be fetched: ")
    server.no_faults()
    assert fetch_bundle(source, hub).source == source


def test_a_repository_that_is_no_bundle_is_told(hub: Hub, bundle: Path) -> None:
    (bundle / "catalogue.json").unlink()
    source = pinned(hub, bundle, "owner/half")
    assert "the repository lacks a file of a bundle (model.safetensors, config.json, catalogue.json" in message(
        lambda: fetch_bundle(source, hub)
    )


def test_an_offline_machine_uses_its_cache_and_says_what_it_lacks(hub: Hub, bundle: Path) -> None:
    """HF_HUB_OFFLINE is read when the client is imported, so that this takes a process of its own."""
    source = pinned(hub, bundle, "owner/offline")
    fetch_bundle(source, hub)
    fetch_bundle(Source("owner/offline", "main"), hub)
    program = f"""
from pathlib import Path
from demo_core.bundle_index import Source
from demo_core.hub import Hub, HubError, fetch_bundle
hub = Hub({hub.endpoint!r}, None, Path({str(hub.cache)!r}))
print(fetch_bundle(Source("owner/offline", {source.revision!r}), hub).source.revision)
print(fetch_bundle(Source("owner/offline", "main"), hub).source.revision)
try:
    fetch_bundle(Source("owner/other", "main"), hub)
except HubError as error:
    print(error)
"""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        source.revision,
        source.revision,
        "owner/other@main could not be fetched: this machine is set to be offline (HF_HUB_OFFLINE), and the cache does "
        "not hold it.",
    ]
