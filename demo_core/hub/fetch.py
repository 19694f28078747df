"""A bundle from the Hub, at a pinned revision, checked, and out of the cache where it can be."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache

from demo_core.bundle_index import Source, weights_hash
from demo_core.checkpoint import FILES, WEIGHTS_FILE
from demo_core.hub.access import Hub, HubError, told

LARGEST = 4_000_000_000  # bytes


@dataclass(frozen=True)
class Fetched:
    """A bundle in the cache: its ``folder``, and its ``source`` at the commit that was really fetched."""

    folder: Path
    source: Source


def fetch_bundle(source: Source, hub: Hub | None = None) -> Fetched:
    """The bundle of ``source`` in the cache, its weights checked against ``source.sha256``.

    What is pinned and cached is not asked for again. Where the Hub cannot be reached the cache answers, if it holds
    this revision. Raises :class:`HubError`.
    """
    hub = hub or Hub()
    with told(f"{source} could not be fetched", hub):
        cached = _cached(source, hub)
        if cached is not None and source.pinned:
            return _checked(cached, source)
    try:
        with told(f"{source} could not be fetched", hub):
            _require_small(source, hub)  # asked first, because this alone is not tried again where nobody answers
            first, *others = FILES
            commit = _download(first, source, source.revision, hub).parent.name  # the cache keeps what a tag stood for
            for name in others:
                _download(name, source, commit, hub)
    except HubError as error:
        if cached is None or not error.passing:
            raise
        return _checked(cached, source)
    with told(f"{source} could not be fetched", hub):
        found = _cached(replace(source, revision=commit), hub)
        if found is None:
            raise HubError(f"{source} could not be fetched: its files left the cache meanwhile.", passing=True)
        return _checked(found, source)


def in_cache(source: Source, hub: Hub | None = None) -> bool:
    """Whether :func:`fetch_bundle` would need no Hub: the revision is a commit, and all its files are there."""
    try:
        return source.pinned and _cached(source, hub or Hub()) is not None
    except (OSError, ValueError):  # a cache that cannot be read, a name that is none
        return False


def _require_small(source: Source, hub: Hub) -> None:
    """A name may stand for anything: what no bundle can be is not fetched."""
    info = hub.api.model_info(source.repository, revision=source.revision, timeout=hub.patience, files_metadata=True)
    size = sum(file.size or 0 for file in info.siblings or () if file.rfilename in FILES)
    if size > LARGEST:
        raise HubError(f"{source} is not fetched: it has {size / 1e9:.1f} GB, a bundle at most {LARGEST / 1e9:.0f}.")


def _download(name: str, source: Source, revision: str, hub: Hub) -> Path:
    """Asks with patience first: the client's own question waits a minute, several times, for a Hub that fell silent."""
    if not isinstance(try_to_load_from_cache(source.repository, name, hub.cache, revision), str):
        url = hf_hub_url(source.repository, name, revision=revision, endpoint=hub.endpoint)
        get_hf_file_metadata(url, token=hub.token, timeout=hub.patience)
    path = hf_hub_download(
        source.repository,
        name,
        revision=revision,
        cache_dir=hub.cache,
        endpoint=hub.endpoint,
        token=hub.token,
        etag_timeout=hub.patience,
    )
    return Path(path)


def _cached(source: Source, hub: Hub) -> Path | None:
    """The folder of the revision in the cache, if it holds every file of a bundle."""
    found = [
        try_to_load_from_cache(source.repository, name, cache_dir=hub.cache, revision=source.revision) for name in FILES
    ]
    paths = [Path(path) for path in found if isinstance(path, str)]
    return paths[0].parent if len(paths) == len(FILES) else None


def _checked(folder: Path, source: Source) -> Fetched:
    """Weights that are not the pinned ones are taken out of the cache, so that the next time they are fetched anew."""
    found = weights_hash(folder)
    if source.sha256 is not None and found != source.sha256:
        weights = folder / WEIGHTS_FILE
        with contextlib.suppress(OSError):  # a cache that may only be read keeps them
            weights.resolve().unlink(missing_ok=True)
            weights.unlink(missing_ok=True)
        raise HubError(
            f"{source} is not used: its weights have the sha256 {found[:12]}…, pinned are {source.sha256[:12]}…. Fetch "
            "it again; if it stays so, the repository does not hold what was pinned."
        )
    return Fetched(folder, replace(source, revision=folder.name, sha256=found))
