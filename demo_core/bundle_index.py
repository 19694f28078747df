"""``checkpoints/index.json``: which bundles an app has, where each comes from, and the sha256 of its weights.

    {"format": 1, "bundles": [
      {"dataset": "movielens", "model": "tdm", "folder": "movielens/tdm", "sha256": "…"},
      {"dataset": "movielens", "model": "card", "repository": "owner/name", "revision": "<commit>", "sha256": "…"},
      {"dataset": "movielens", "model": "gru4rec"}]}

A bundle lies in a folder beside the index or in a repository of the Hub, pinned to a commit, so that what a visitor
sees never changes by itself; or it is only named, and whoever wants it trains it. Folders that the index does not name
are found as well; they are not checked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from demo_core.checkpoint import WEIGHTS_FILE
from demo_core.whole_files import written_beside

log = logging.getLogger(__name__)

INDEX_FILE = "index.json"
FORMAT = 1
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}")
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
PART = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")
LONGEST_REPOSITORY = 96
SHOWN = 7  # hex digits of a commit, as git shows it


class IndexFileError(ValueError):
    """The index cannot be used: says where, what was expected, what came."""


def check_repository(name: str) -> str:
    """``name`` as it is; ``ValueError`` where the Hub has no such names."""
    odd = "--" in name or ".." in name or name.endswith((".git", "-", ".")) or len(name) > LONGEST_REPOSITORY
    if odd or not REPOSITORY.fullmatch(name):
        raise ValueError(
            f"Expected a repository as OWNER/NAME of letters, digits and single dashes, dots or underscores, got "
            f"{name[:100]!r}."
        )
    return name


@dataclass(frozen=True)
class Source:
    """A bundle on the Hub: ``repository`` "owner/name" at a ``revision`` (commit, tag or branch). ``sha256`` of its
    weights, where it is known.
    """

    repository: str
    revision: str
    sha256: str | None = None

    def __post_init__(self) -> None:
        check_repository(self.repository)
        if not REVISION.fullmatch(self.revision) or ".." in self.revision:
            raise ValueError(f"Expected a commit, tag or branch as revision, got {self.revision[:100]!r}.")
        if self.sha256 is not None and not SHA256.fullmatch(self.sha256):
            raise ValueError(f"Expected sha256 as 64 hex digits, got {self.sha256[:100]!r}.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """``owner/name@revision``; without a revision the branch "main". Raises ``ValueError``."""
        repository, _, revision = text.strip().partition("@")
        return cls(repository, revision or "main")

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        """As the page shows it: the commit shortened."""
        return f"{self.repository}@{self.revision[:SHOWN] if self.pinned else self.revision}"


@dataclass(frozen=True)
class Entry:
    """One bundle of the index: in ``folder``, relative to the index, or at ``source``, with the ``sha256`` of its
    weights; with none of the three it is only named.
    """

    dataset: str
    model: str
    sha256: str | None = None
    folder: str | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        for name, value in (("dataset", self.dataset), ("model", self.model)):
            if not isinstance(value, str) or not PART.fullmatch(value):
                raise ValueError(f"expected a name as {name}, got {value!r}")
        if self.only_named:
            return
        if not isinstance(self.sha256, str) or not SHA256.fullmatch(self.sha256):
            raise ValueError(f"expected sha256 as 64 hex digits, got {self.sha256!r}")
        if (self.folder is None) == (self.source is None):
            raise ValueError("expected either a folder, or a repository with its revision")
        if self.folder is not None and self.folder != f"{self.dataset}/{self.model}":
            raise ValueError(f"expected the folder {self.dataset}/{self.model}, got {self.folder!r}")
        if self.source is not None and not self.source.pinned:
            raise ValueError(f"expected the whole commit as revision, got {self.source.revision!r}")

    @property
    def only_named(self) -> bool:
        """Whether it has no weights anywhere yet: it is to be trained."""
        return self.sha256 is None and self.folder is None and self.source is None

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """The inverse of :meth:`to_dict`; raises ``ValueError`` for anything else."""
        if not isinstance(values, dict):
            raise ValueError(f"expected an object, got {values!r}")
        known = {"dataset", "model", "sha256", "folder", "repository", "revision"}
        if set(values) - known or not {"dataset", "model"} <= set(values):
            raise ValueError(
                f"expected dataset and model, with sha256 and folder or repository where there are weights, got "
                f"{sorted(values)}"
            )
        source = None
        if "repository" in values or "revision" in values:
            repository, revision = str(values.get("repository")), str(values.get("revision"))
            source = Source(repository, revision, str(values.get("sha256")))
        return cls(values["dataset"], values["model"], values.get("sha256"), values.get("folder"), source)

    def to_dict(self) -> dict[str, str]:
        """Plain values, ready for JSON."""
        told = {"dataset": self.dataset, "model": self.model, "folder": self.folder}
        if self.source is not None:
            told |= {"repository": self.source.repository, "revision": self.source.revision}
        told["sha256"] = self.sha256
        return {name: value for name, value in told.items() if value is not None}


def read_index(checkpoints: Path) -> tuple[Entry, ...]:
    """The entries of ``checkpoints/index.json``; none where there is no such file. :class:`IndexFileError` where it is
    something else.
    """
    path = checkpoints / INDEX_FILE
    if not path.is_file():
        return ()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f'expected an object with "format": {FORMAT}')
        entries = tuple(Entry.from_dict(values) for values in content["bundles"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IndexFileError(f"{INDEX_FILE} is not used: {str(error).rstrip('.')}.") from error
    except OSError as error:
        raise IndexFileError(f"{INDEX_FILE} is not used: it cannot be read ({error.strerror}).") from error
    names = [(entry.dataset, entry.model) for entry in entries]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise IndexFileError(f"{INDEX_FILE} is not used: it names {'/'.join(twice)} twice.")
    return entries


def write_index(checkpoints: Path, entries: Iterable[Entry]) -> None:
    """Written beside and renamed, in the order of the names."""
    ordered = sorted(entries, key=lambda entry: (entry.dataset, entry.model))
    content = {"format": FORMAT, "bundles": [entry.to_dict() for entry in ordered]}
    with written_beside(checkpoints / INDEX_FILE) as file:
        file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def pin(checkpoints: Path, entry: Entry) -> None:
    """Puts ``entry`` in the place of that of the same bundle, or adds it; two processes may do so at once."""
    with FileLock(checkpoints / (INDEX_FILE + ".lock")):
        others = [one for one in read_index(checkpoints) if (one.dataset, one.model) != (entry.dataset, entry.model)]
        write_index(checkpoints, [*others, entry])


def pin_folder(folder: Path) -> Entry:
    """Pins the bundle in ``checkpoints/DATASET/MODEL`` as it lies there."""
    dataset, model = folder.parent.name, folder.name
    entry = Entry(dataset, model, weights_hash(folder), folder=f"{dataset}/{model}")
    pin(folder.parent.parent, entry)
    return entry


def repin(folder: Path) -> None:
    """After a bundle was written anew: its entry, if it has one, names the new weights. Elsewhere, and where the index
    cannot be read, nothing happens: a training does not end for that.
    """
    checkpoints, sha256 = folder.parent.parent, weights_hash(folder)
    if not (checkpoints / INDEX_FILE).is_file():
        return
    with FileLock(checkpoints / (INDEX_FILE + ".lock")):
        try:
            entries = read_index(checkpoints)
        except IndexFileError as error:
            log.warning("%s", error)
            return
        entry = find(entries, folder.parent.name, folder.name)
        if entry is not None and entry.folder is not None:
            write_index(checkpoints, [replace(one, sha256=sha256) if one is entry else one for one in entries])


def find(entries: Iterable[Entry], dataset: str, model: str) -> Entry | None:
    """The entry of a bundle, if there is one."""
    return next((entry for entry in entries if (entry.dataset, entry.model) == (dataset, model)), None)


def weights_hash(folder: Path) -> str:
    """sha256 of the weights of the bundle in ``folder``; ``OSError`` where there are none."""
    with (folder / WEIGHTS_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
