"""How the Hub describes repositories, files and commits in JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.hub.cards import card_data, tags
from tests.hub.git_objects import parents, pointer, tree_oids
from tests.hub.objects import Entry
from tests.hub.repository import Commit, Repository

Json = dict[str, Any]


def _lfs(entry: Entry) -> tuple[str, int, int]:
    """Sha256, size and size of the pointer of an LFS file."""
    assert entry.sha256 is not None
    return entry.sha256, entry.size, len(pointer(entry.sha256, entry.size))


def file_row(path: str, entry: Entry) -> Json:
    row: Json = {"type": "file", "path": path, "oid": entry.oid, "size": entry.size}
    if entry.sha256:
        oid, size, pointer_size = _lfs(entry)
        row["lfs"] = {"oid": oid, "size": size, "pointerSize": pointer_size}
    return row


def rows(files: dict[str, Entry]) -> dict[str, Json]:
    """Path -> row of every file and, but for the root, every folder, sorted by path."""
    folders = tree_oids({path: entry.oid for path, entry in files.items()})
    found = {path: {"type": "directory", "path": path, "oid": oid, "size": 0} for path, oid in folders.items() if path}
    found |= {path: file_row(path, entry) for path, entry in files.items()}
    return dict(sorted(found.items()))


def below(found: dict[str, Json], folder: str, recursive: bool) -> list[Json]:
    """The rows in ``folder`` ("" the root), with ``recursive`` those of its folders too."""
    if recursive:
        return [row for path, row in found.items() if not folder or folder in parents(path)]
    return [row for path, row in found.items() if path.rpartition("/")[0] == folder]


def with_last_commits(found: Iterable[Json], repository: Repository, commit: str) -> list[Json]:
    """The rows, each with the newest commit, up to ``commit``, that changed the file or something in the folder."""
    last: dict[str, Json] = {}
    here = rows(repository.files(commit))
    for step in repository.history(commit):
        before = rows(repository.files(step.parent)) if step.parent else {}
        for path, row in here.items():
            if path not in before or before[path]["oid"] != row["oid"]:
                last.setdefault(path, {"id": step.oid, "title": step.title, "date": step.date})
        here = before
    return [row | {"lastCommit": last[row["path"]]} for row in found]


def sibling(path: str, entry: Entry, blobs: bool) -> Json:
    row: Json = {"rfilename": path}
    if blobs:
        row |= {"size": entry.size, "blobId": entry.oid}
        if entry.sha256:
            oid, size, pointer_size = _lfs(entry)
            row["lfs"] = {"sha256": oid, "size": size, "pointerSize": pointer_size}
    return row


def repository_info(repository: Repository, commit: str, blobs: bool) -> Json:
    """What is known about a repository at ``commit``. ``blobs``: with size and id of each file."""
    settings, files = repository.settings(), repository.files(commit)
    data = _card(repository, files)
    info: Json = {
        "id": repository.id,
        "author": repository.id.split("/")[0],
        "sha": commit,
        "createdAt": settings.created,
        "lastModified": repository.commit(commit).date,
        "private": settings.private,
        "gated": settings.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags(data),
        "cardData": data,
        "siblings": [sibling(path, entry, blobs) for path, entry in files.items()],
        "usedStorage": sum(entry.size for entry in files.values()),
    }
    if repository.kind == "models":
        info |= {"modelId": repository.id} | {key: data[key] for key in ("library_name", "pipeline_tag") if key in data}
    return info | ({"sdk": settings.sdk} if repository.kind == "spaces" else {})


def _card(repository: Repository, files: dict[str, Entry]) -> Json:
    if "README.md" not in files:
        return {}
    text = repository.objects.path(files["README.md"]).read_text(encoding="utf-8", errors="replace")
    try:
        return card_data(text)
    except ValueError:
        return {}


def commit_row(commit: Commit, formatted: bool) -> Json:
    row: Json = {"id": commit.oid, "title": commit.title, "message": commit.message, "date": commit.date}
    row["authors"] = [{"user": commit.author}]
    return row | ({"formatted": {"title": commit.title, "message": commit.message}} if formatted else {})
