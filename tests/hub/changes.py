"""What a commit does: the lines of its request, and the files of a repository after them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.hub.git_objects import parents
from tests.hub.objects import Entry, Objects
from tests.hub.refusals import Refusal, entry_missing


@dataclass(frozen=True)
class AddFile:
    path: str
    content: bytes


@dataclass(frozen=True)
class AddLfsFile:
    path: str
    sha256: str


@dataclass(frozen=True)
class DeleteFile:
    path: str


@dataclass(frozen=True)
class DeleteFolder:
    path: str


Change = AddFile | AddLfsFile | DeleteFile | DeleteFolder


@dataclass(frozen=True)
class Request:
    """``parent``: the commit that must still be the last one; None leaves that open."""

    title: str
    message: str
    parent: str | None
    changes: tuple[Change, ...]


def read_request(body: bytes) -> Request:
    """The lines of a commit: one ``header`` and the changes in order. Raises :class:`Refusal` (400)."""
    try:
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        changes = tuple(_change(line["key"], line["value"]) for line in lines if line["key"] != "header")
        return Request(header["summary"], header.get("description", ""), header.get("parentCommit"), changes)
    except (ValueError, KeyError, TypeError, StopIteration, binascii.Error) as error:
        raise Refusal(400, f"Expected lines of JSON, one of them a header; not readable: {error!r}") from error


def _change(key: str, value: dict[str, Any]) -> Change:
    path = safe_path(value["path"])
    match key:
        case "file":
            encoded = value.get("encoding", "utf-8") == "base64"
            content = base64.b64decode(value["content"], validate=True) if encoded else value["content"].encode()
            return AddFile(path, content)
        case "lfsFile":
            return AddLfsFile(path, value["oid"])
        case "deletedFile":
            return DeleteFile(path)
        case "deletedFolder":
            return DeleteFolder(path)
    raise Refusal(400, f"Expected file, lfsFile, deletedFile or deletedFolder in a commit, got {key!r}.")


def safe_path(path: str) -> str:
    """``path`` without a slash at its end. Raises :class:`Refusal` (400) for one that leaves the repository."""
    path = path.removesuffix("/")
    if not path or any(part in ("", ".", "..", ".git") for part in path.split("/")) or "\0" in path:
        raise Refusal(400, f"Expected a path inside the repository, got {path!r}.")
    return path


def applied(files: dict[str, Entry], changes: Sequence[Change], objects: Objects, head: str) -> dict[str, Entry]:
    """``files`` of the commit ``head`` after ``changes``. Raises :class:`Refusal` when one of them is not possible."""
    after = dict(files)
    for change in changes:
        match change:
            case AddFile(path, content):
                after[path] = objects.add_blob(content)
            case AddLfsFile(path, sha256):
                after[path] = _uploaded(objects, path, sha256)
            case DeleteFile(path):
                if after.pop(path, None) is None:
                    raise _nothing_to_delete("file", path, head)
            case DeleteFolder(path):
                inside = list(_inside(after, path))
                if not inside:
                    raise _nothing_to_delete("folder", path, head)
                for name in inside:
                    del after[name]
    _check_folders(after)
    return after


def _uploaded(objects: Objects, path: str, sha256: str) -> Entry:
    entry = objects.lfs_entry(sha256)
    if entry is None:
        raise Refusal(400, f"{path} points to the LFS file {sha256}, which has not arrived: upload it first.")
    return entry


def _nothing_to_delete(kind: str, path: str, head: str) -> Refusal:
    missing = entry_missing(path, head)
    missing.message = f"A {kind} with this name doesn't exist: {path}"
    return missing


def _inside(files: dict[str, Entry], folder: str) -> Iterator[str]:
    return (path for path in files if path.startswith(folder + "/"))


def _check_folders(files: dict[str, Entry]) -> None:
    for path in files:
        for folder in parents(path):
            if folder in files:
                raise Refusal(400, f"{folder} cannot be a file and a folder with {path} in it.")
