"""From a bundle in a folder to one on the Hub, pinned in the index of an app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from demo_core import checkpoint
from demo_core.bundle_index import Entry, Source, pin, weights_hash
from demo_core.hub import Hub, Pushed, fetch_bundle, push_bundle
from demo_core.runs import Run


@dataclass(frozen=True)
class Published:
    """What was pushed, and the ``entry`` that pins it."""

    pushed: Pushed
    entry: Entry


def publish(
    folder: Path,
    repository: str,
    *,
    measured: Sequence[Run] = (),
    private: bool = False,
    tag: str | None = None,
    parent: str | None = None,
    hub: Hub | None = None,
) -> Published:
    """Pushes the bundle in ``folder`` with a card that tells the spread over the seeds in ``measured``.

    Raises ``BundleError`` for a folder that an app could not use, and ``HubError``.
    """
    bundle = checkpoint.load(folder)
    others = other_seeds(bundle.runs, measured)
    checkpoint.describe(replace(bundle, others=others or bundle.others), folder)
    pushed = push_bundle(folder, repository, private=private, tag=tag, parent=parent, hub=hub)
    sha256 = weights_hash(folder)
    source = Source(repository, pushed.commit, sha256)
    return Published(pushed, Entry(bundle.dataset, bundle.name, sha256, source=source))


def other_seeds(own: Sequence[Run], measured: Sequence[Run]) -> tuple[Run, ...]:
    """Test runs of the recipe of ``own`` with other seeds, the newest of each; none without an own test run."""
    test = next((run for run in own if run.split == "test" and run.variant is None), None)
    if test is None:
        return ()
    found: dict[int, Run] = {}
    for run in sorted(measured, key=lambda run: run.date):
        if _recipe(run) == _recipe(test) and run.seed != test.seed:
            found[run.seed] = run
    return tuple(found[seed] for seed in sorted(found))


def pin_source(checkpoints: Path, source: Source, hub: Hub | None = None) -> Entry:
    """Fetches a bundle once, and pins the commit and the weights that came."""
    fetched = fetch_bundle(source, hub)
    bundle = checkpoint.load(fetched.folder)
    assert fetched.source.sha256 is not None
    entry = Entry(bundle.dataset, bundle.name, fetched.source.sha256, source=fetched.source)
    pin(checkpoints, entry)
    return entry


def _recipe(run: Run) -> tuple[object, ...]:
    return (run.model, run.preset, run.backbone, run.dataset, run.protocol, run.split, run.variant, run.config_hash)
