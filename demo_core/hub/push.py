"""A folder becomes a repository, in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.sha import git_hash

from demo_core.bundle_index import SHOWN, weights_hash
from demo_core.hub.access import Hub, HubError, told

Kind = Literal["model", "dataset", "space"]
KEPT = (".gitattributes",)
"""Files of a repository that a push leaves alone: the Hub made them."""


@dataclass(frozen=True)
class Pushed:
    """``commit`` is where the repository stands now; ``changed`` whether that is a new one."""

    repository: str
    commit: str
    url: str
    changed: bool


def push_folder(
    folder: Path,
    repository: str,
    *,
    kind: Kind = "model",
    private: bool = False,
    tag: str | None = None,
    message: str = "Update",
    space_sdk: str | None = None,
    parent: str | None = None,
    hub: Hub | None = None,
) -> Pushed:
    """Makes the repository what ``folder`` is, in one commit, and tags it.

    The repository is made if it is missing. Unchanged content makes no commit. A repository that moved on meanwhile, or
    stands elsewhere than at the commit ``parent``, is refused with :class:`HubError`, never overwritten; a connection
    that breaks leaves it where it was, and the same call may be made again.
    """
    hub = hub or Hub()
    with told(f"{repository} was not pushed", hub, writing=True):
        before = _commit(repository, kind, hub)
        if before is None:
            hub.api.create_repo(repository, repo_type=kind, private=private, space_sdk=space_sdk)
            before = _commit(repository, kind, hub)
        stands = None if tag is None else _tag_commit(tag, repository, kind, hub)
        if stands is not None and (stands != before or not _same(folder, repository, kind, hub)):
            raise HubError(
                f"{repository} was not pushed: its tag {tag} stands at {stands[:SHOWN]} already. Choose another tag."
            )
        operations = _operations(folder, repository, kind, hub)
        made = hub.api.create_commit(
            repository, operations, commit_message=message, repo_type=kind, parent_commit=parent or before
        )
    if tag is not None and stands is None:
        with told(f"{repository} was pushed at {made.oid[:SHOWN]}, but its tag {tag} was not made", hub):
            hub.api.create_tag(repository, tag=tag, revision=made.oid, repo_type=kind)
    return Pushed(repository, made.oid, made.commit_url, made.oid != before)


def push_bundle(
    folder: Path,
    repository: str,
    *,
    private: bool = False,
    tag: str | None = None,
    parent: str | None = None,
    hub: Hub | None = None,
) -> Pushed:
    """:func:`push_folder` of a bundle as a model, with the hash of its weights in the message."""
    message = f"Bundle with weights {weights_hash(folder)[:12]}"
    return push_folder(
        folder, repository, kind="model", private=private, tag=tag, message=message, parent=parent, hub=hub
    )


def configure_space(
    repository: str, hardware: str | None, variables: Mapping[str, str], hub: Hub | None = None
) -> None:
    """Sets the variables of a Space, and asks for its hardware."""
    hub = hub or Hub()
    with told(f"{repository} was pushed, but not set up", hub, writing=True):
        for name, value in variables.items():
            hub.api.add_space_variable(repository, name, value)
        if hardware is not None:
            hub.api.request_space_hardware(repository, hardware)  # type: ignore[arg-type]  # the Hub knows its names


def _commit(repository: str, kind: Kind, hub: Hub) -> str | None:
    """Where the repository stands; None where there is none that this token may see."""
    try:
        return str(hub.api.repo_info(repository, repo_type=kind, timeout=hub.patience).sha)
    except RepositoryNotFoundError:
        return None


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _same(folder: Path, repository: str, kind: Kind, hub: Hub) -> bool:
    """Whether the repository holds just what the folder does, so that pushing it would make no commit."""
    files = _files(folder)
    there = {one.path: one for one in hub.api.list_repo_tree(repository, recursive=True, repo_type=kind)}
    kept = {name: one for name, one in there.items() if isinstance(one, RepoFile) and name not in KEPT}
    return set(files) == set(kept) and all(
        sha256(files[name].read_bytes()).hexdigest() == one.lfs.sha256
        if one.lfs
        else git_hash(files[name].read_bytes()) == one.blob_id
        for name, one in kept.items()
    )


def _operations(folder: Path, repository: str, kind: Kind, hub: Hub) -> list[Any]:
    """Every file of ``folder``, and the removal of what the repository has beyond them."""
    files = _files(folder)
    if not files:
        raise HubError(f"{repository} was not pushed: {folder} holds no files.")
    there = hub.api.list_repo_files(repository, repo_type=kind)
    gone = [name for name in there if name not in files and name not in KEPT]
    added = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in files.items()]
    return [*added, *(CommitOperationDelete(path_in_repo=name) for name in gone)]


def _tag_commit(tag: str, repository: str, kind: Kind, hub: Hub) -> str | None:
    refs = hub.api.list_repo_refs(repository, repo_type=kind)
    return next((str(one.target_commit) for one in refs.tags if one.name == tag), None)
