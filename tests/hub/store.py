"""All repositories of a folder, and who may do what with them.

``users.json``; ``repos/KIND/OWNER/NAME`` a repository; ``locks`` one file for each; ``scratch`` what is being written,
emptied at the start: what an earlier server left there half done was never part of a repository.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.hub.refusals import Refusal, gated, repository_missing
from tests.hub.repository import Repository, Settings
from tests.hub.users import Caller, Users

KINDS = ("models", "datasets", "spaces")
NAME = re.compile(r"(?!.*(?:\.\.|--))(?!.*\.git$)\w(?:[\w.-]{0,94}\w)?", re.ASCII)
LFS_PATTERNS = ("*.safetensors", "*.parquet", "*.npz", "*.bin", "*.pt", "*.onnx", "*.zip", "*.gz")
ATTRIBUTES = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LFS_PATTERNS).encode()


@dataclass(frozen=True)
class Store:
    """Raises :class:`Refusal` wherever the Hub would answer with an error."""

    folder: Path
    users: Users

    @classmethod
    def open(cls, folder: Path, names: Sequence[str]) -> Store:
        """Opens or begins ``folder``. ``names``: users who must exist afterwards."""
        scratch = folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        (folder / "locks").mkdir(exist_ok=True)
        return cls(folder, Users.open(folder / "users.json", names, scratch))

    def create(self, kind: str, owner: str, name: str, settings: Settings, caller: Caller | None) -> Repository:
        """A new repository with its first commit. Refused with 409 if there is one."""
        if kind not in KINDS or not NAME.fullmatch(name) or not NAME.fullmatch(owner):
            raise Refusal(
                400, f"Expected one of {', '.join(KINDS)} and a name like owner/my-model, got {owner}/{name}."
            )
        if caller is None:
            raise Refusal(401, "Invalid username or password.")
        if caller.name != owner or caller.role != "write":
            raise Refusal(403, f"You don't have the rights to create {kind} under the namespace {owner!r}")
        repository = self._repository(kind, owner, name)
        growing = self._repository(kind, owner, name, self.folder / "scratch" / uuid4().hex)
        growing.begin(settings, caller.name, ATTRIBUTES)
        repository.folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            growing.folder.rename(repository.folder)
        except OSError as error:
            shutil.rmtree(growing.folder)
            raise Refusal(409, f"You already created this repository: {owner}/{name}") from error
        return repository

    def delete(self, repository: Repository) -> None:
        gone = self.folder / "scratch" / uuid4().hex
        with repository.locked():
            repository.folder.rename(gone)
        shutil.rmtree(gone)

    def to_read(self, kind: str, owner: str, name: str, caller: Caller | None) -> Repository:
        """A repository whose listing ``caller`` may see: 404, or 401 without a token, for one that is not there."""
        valid = kind in KINDS and NAME.fullmatch(owner) and NAME.fullmatch(name)
        repository = self._repository(kind, owner, name)
        if not valid or not repository.folder.is_dir():
            raise repository_missing(caller is not None)
        if repository.settings().private and not _owns(caller, owner):
            raise repository_missing(caller is not None)
        return repository

    def to_download(self, kind: str, owner: str, name: str, caller: Caller | None) -> Repository:
        """A repository whose files ``caller`` may have: those of a gated one are the owner's alone."""
        repository = self.to_read(kind, owner, name, caller)
        if repository.settings().gated and not _owns(caller, owner):
            raise gated(repository.id, caller is not None)
        return repository

    def to_write(self, kind: str, owner: str, name: str, caller: Caller | None) -> Repository:
        """A repository ``caller`` may change."""
        if caller is None:
            raise repository_missing(signed_in=False)
        repository = self.to_read(kind, owner, name, caller)
        if not _owns(caller, owner) or caller.role != "write":
            raise Refusal(403, f"Forbidden: this token may not write to {repository.id}")
        return repository

    def _repository(self, kind: str, owner: str, name: str, folder: Path | None = None) -> Repository:
        place = folder or self.folder / "repos" / kind / owner / name
        lock = self.folder / "locks" / f"{kind}--{owner}--{name}.lock"
        return Repository(kind, f"{owner}/{name}", place, self.folder / "scratch", lock)


def _owns(caller: Caller | None, owner: str) -> bool:
    return caller is not None and caller.name == owner
