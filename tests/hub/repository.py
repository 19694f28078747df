"""One repository on disk: commits, the trees they point to, branches and tags, settings.

``commits/OID.json`` and ``trees/OID.json`` never change once written; a commit happens at the moment ``refs.json`` is
renamed into place, so whoever reads sees the state before it or after it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from tests.hub.changes import Request, applied
from tests.hub.git_objects import commit_oid, tree_oids
from tests.hub.objects import Entry, Objects, write_whole
from tests.hub.refusals import Refusal, repository_missing, revision_missing

MAIN = "main"
OID = re.compile(r"[0-9a-f]{40}")
REF = re.compile(r"(?!.*\.\.)(?!.*//)[\w][\w./+-]*(?<![./])")


@dataclass(frozen=True)
class Settings:
    """``gated``: "auto", "manual" or False. ``created``: ISO time in UTC. ``sdk``: of a Space."""

    created: str
    private: bool = False
    gated: str | bool = False
    sdk: str | None = None


@dataclass(frozen=True)
class Commit:
    """``date``: ISO time in UTC."""

    oid: str
    parent: str | None
    tree: str
    author: str
    date: str
    title: str
    message: str


@dataclass(frozen=True)
class Refs:
    """Name -> id of a commit."""

    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass(frozen=True)
class Repository:
    """``kind``: models, datasets or spaces. ``id``: owner/name. ``lock``: a file outside ``folder``."""

    kind: str
    id: str
    folder: Path
    scratch: Path
    lock: Path

    @property
    def objects(self) -> Objects:
        return Objects(self.folder, self.scratch)

    def settings(self) -> Settings:
        return Settings(**self._read("settings"))

    def refs(self) -> Refs:
        return Refs(**self._read("refs"))

    def resolve(self, revision: str) -> str:
        """The id of the commit that a branch, a tag or a full id names. Raises :class:`Refusal` (404)."""
        refs = self.refs()
        for names, prefix in ((refs.branches, "refs/heads/"), (refs.tags, "refs/tags/")):
            if found := names.get(revision.removeprefix(prefix)):
                return found
        if OID.fullmatch(revision) and (self.folder / f"commits/{revision}.json").is_file():
            return revision
        raise revision_missing(revision)

    def commit(self, oid: str) -> Commit:
        return Commit(**self._read(f"commits/{oid}"))

    def history(self, oid: str) -> Iterator[Commit]:
        """The commit ``oid`` and those before it, newest first."""
        following: str | None = oid
        while following:
            commit = self.commit(following)
            yield commit
            following = commit.parent

    def files(self, oid: str) -> dict[str, Entry]:
        """Path -> entry at the commit ``oid``, sorted by path."""
        return {path: Entry(**entry) for path, entry in self._read(f"trees/{self.commit(oid).tree}").items()}

    def begin(self, settings: Settings, author: str, attributes: bytes) -> None:
        """The first commit of a new repository, with its ``.gitattributes``."""
        self._write("settings", asdict(settings))
        files = {".gitattributes": self.objects.add_blob(attributes)}
        self._write("refs", asdict(Refs({MAIN: self._record(files, None, author, "initial commit", "")})))

    def add_commit(self, branch: str, request: Request, author: str) -> str:
        """Puts a commit on ``branch`` and gives its id; one after the other, whoever asks at the same moment.

        Raises :class:`Refusal`: 404 for a missing branch, 412 when ``request.parent`` is no longer its last commit.
        """
        with self.locked():
            refs = self.refs()
            head = refs.branches.get(branch)
            if head is None:
                raise revision_missing(branch)
            if request.parent not in (None, head):
                raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            files = applied(self.files(head), request.changes, self.objects, head)
            oid = self._record(files, head, author, request.title, request.message)
            self._write("refs", asdict(replace(refs, branches=refs.branches | {branch: oid})))
            return oid

    def change_refs(self, change: Callable[[Refs], Refs]) -> None:
        with self.locked():
            self._write("refs", asdict(change(self.refs())))

    def change_settings(self, change: Callable[[Settings], Settings]) -> None:
        with self.locked():
            self._write("settings", asdict(change(self.settings())))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone with this repository, among threads and processes. Raises :class:`Refusal` if it is gone by then."""
        with FileLock(self.lock):
            if not self.folder.is_dir():
                raise repository_missing(signed_in=True)
            yield

    def _record(self, files: dict[str, Entry], parent: str | None, author: str, title: str, message: str) -> str:
        now = datetime.now(UTC)
        files = dict(sorted(files.items()))
        tree = tree_oids({path: entry.oid for path, entry in files.items()})[""]
        text = f"{title}\n\n{message}" if message else title
        oid = commit_oid(tree, parent, author, int(now.timestamp()), text)
        self._write(f"trees/{tree}", {path: asdict(entry) for path, entry in files.items()})
        self._write(f"commits/{oid}", asdict(Commit(oid, parent, tree, author, iso(now), title, message)))
        return oid

    def _read(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_bytes())
        return content

    def _write(self, name: str, content: dict[str, Any]) -> None:
        write_whole(self.folder / f"{name}.json", json.dumps(content, indent=1).encode(), self.scratch)
