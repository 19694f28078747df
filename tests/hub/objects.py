"""Contents on disk under the names git and LFS give them. A file is either whole or not there."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import uuid4

from tests.hub.git_objects import blob_oid, pointer
from tests.hub.refusals import Refusal

SHA256 = re.compile(r"[0-9a-f]{64}")


def write_whole(path: Path, content: bytes, scratch: Path) -> None:
    """Writes into the folder ``scratch`` of the same disk, then renames: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = scratch / uuid4().hex
    beside.write_bytes(content)
    os.replace(beside, path)


@dataclass(frozen=True)
class Entry:
    """A file of a commit. ``oid``: sha1 of what git holds, for an LFS file its pointer; ``size``: bytes of the
    content; ``sha256``: of the content, for an LFS file only.
    """

    oid: str
    size: int
    sha256: str | None = None

    @property
    def etag(self) -> str:
        """What a client compares to know an unchanged file."""
        return self.sha256 or self.oid


@dataclass
class Incoming:
    """An LFS file while it arrives."""

    file: IO[bytes]
    received: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.digest.update(chunk)
        self.received += len(chunk)


@dataclass(frozen=True)
class Objects:
    """Blobs by git sha1 and LFS files by sha256, below ``folder``. ``scratch``: where files grow, on the same disk."""

    folder: Path
    scratch: Path

    def add_blob(self, content: bytes) -> Entry:
        entry = Entry(blob_oid(content), len(content))
        if not self.path(entry).is_file():
            write_whole(self.path(entry), content, self.scratch)
        return entry

    def lfs_entry(self, sha256: str) -> Entry | None:
        """The entry of an LFS file that has arrived; None for one that has not."""
        path = self.folder / "lfs" / sha256
        if not SHA256.fullmatch(sha256) or not path.is_file():
            return None
        size = path.stat().st_size
        return Entry(blob_oid(pointer(sha256, size)), size, sha256)

    def path(self, entry: Entry) -> Path:
        """The file with the content of ``entry``."""
        return self.folder / "lfs" / entry.sha256 if entry.sha256 else self.folder / "blobs" / entry.oid

    @contextmanager
    def receive(self, sha256: str, size: int) -> Iterator[Incoming]:
        """An LFS file is kept when the block ends without an error and all of it has come; else nothing is.

        Raises :class:`Refusal` (400) where size or sha256 differ from what was announced.
        """
        path = self.scratch / uuid4().hex
        try:
            with path.open("xb") as file:
                yield (incoming := Incoming(file))
            if (incoming.received, incoming.digest.hexdigest()) != (size, sha256):
                came = f"{incoming.received} bytes of sha256 {incoming.digest.hexdigest()}"
                raise Refusal(400, f"Expected {size} bytes of sha256 {sha256}, {came} came: upload the file again.")
            target = self.folder / "lfs" / sha256
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)
        finally:
            path.unlink(missing_ok=True)
