"""Names of contents as git and Git LFS form them: ids of blobs, trees and commits, and the pointer of an LFS file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath

FILE, FOLDER = "100644", "40000"


def object_oid(kind: str, content: bytes) -> str:
    """The sha1 under which git stores ``content`` as a ``kind``: blob, tree or commit."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def blob_oid(content: bytes) -> str:
    return object_oid("blob", content)


def pointer(sha256: str, size: int) -> bytes:
    """What git holds in place of an LFS file of ``size`` bytes."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def parents(path: str) -> list[str]:
    """The folders a path lies in, the nearest first, without the root: ``a/b/c`` -> ``a/b``, ``a``."""
    return [str(folder) for folder in PurePosixPath(path).parents][:-1]


def tree_oids(blobs: Mapping[str, str]) -> dict[str, str]:
    """From path -> oid of blob to folder -> oid of tree; the root is the folder ``""``."""
    inside: defaultdict[str, dict[str, tuple[str, str]]] = defaultdict(dict, {"": {}})
    for path, oid in blobs.items():
        folder, _, name = path.rpartition("/")
        inside[folder][name] = (FILE, oid)
        for parent in parents(path):
            inside[parent]
    oids: dict[str, str] = {}
    for folder in sorted(inside, key=lambda folder: folder.count("/") + bool(folder), reverse=True):
        oids[folder] = object_oid("tree", _tree(inside[folder]))
        if folder:
            above, _, name = folder.rpartition("/")
            inside[above][name] = (FOLDER, oids[folder])
    return oids


def _tree(children: Mapping[str, tuple[str, str]]) -> bytes:
    # git sorts folders as if their names ended in a slash
    order = sorted(children, key=lambda name: (name + "/" * (children[name][0] == FOLDER)).encode())
    return b"".join(f"{children[name][0]} {name}\0".encode() + bytes.fromhex(children[name][1]) for name in order)


def commit_oid(tree: str, parent: str | None, author: str, seconds: int, message: str) -> str:
    """``seconds``: of the commit, since 1970, in UTC."""
    signature = f"{author} <{author}@localhost> {seconds} +0000"
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else []), f"author {signature}", f"committer {signature}"]
    return object_oid("commit", ("\n".join(lines) + f"\n\n{message}\n").encode())
