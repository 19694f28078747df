"""Requests that change a repository."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.hub.asking import PREFIXES, address, caller, fields, named, required, store, to_write
from tests.hub.changes import read_request
from tests.hub.objects import Entry
from tests.hub.refusals import Refusal, revision_missing
from tests.hub.repository import MAIN, REF, Refs, Repository, Settings, iso

ALWAYS_LFS = 10_000_000  # bytes from which a file goes to LFS whatever its name


def _kind_and_place(request: Request, given: dict[str, Any]) -> tuple[str, str, str]:
    who = caller(request)
    owner = given.get("organization") or (who.name if who else "")
    return f"{given.get('type') or 'model'}s", str(owner), str(required(given, "name"))


def _private(given: dict[str, Any], before: bool) -> bool:
    if "visibility" in given:
        return bool(given["visibility"] == "private")
    return bool(given.get("private", before))


async def create(request: Request) -> Response:
    """409 for one that exists, with its address: by that the client knows that all is well."""
    given = await fields(request)
    kind, owner, name = _kind_and_place(request, given)
    settings = Settings(iso(datetime.now(UTC)), _private(given, before=False), sdk=given.get("sdk"))
    try:
        repository = await run_in_threadpool(store(request).create, kind, owner, name, settings, caller(request))
    except Refusal as refusal:
        if refusal.status != 409:
            raise
        url = f"{request.base_url}{PREFIXES[kind]}{owner}/{name}"
        return JSONResponse({"error": refusal.message, "url": url}, 409, {"X-Error-Message": refusal.message})
    return JSONResponse({"url": address(request, repository), "name": repository.id, "id": repository.id})


async def delete(request: Request) -> Response:
    given = await fields(request)
    repository = store(request).to_write(*_kind_and_place(request, given), caller(request))
    await run_in_threadpool(store(request).delete, repository)
    return Response()


async def settings(request: Request) -> Response:
    """Changes who may see the repository (``visibility``) and who may have its files (``gated``)."""
    repository, given = to_write(request), await fields(request)
    if given.get("gated", False) not in ("auto", "manual", False):
        raise Refusal(400, f"Expected auto, manual or false for gated, got {given['gated']!r}")

    def change(before: Settings) -> Settings:
        return replace(before, private=_private(given, before.private), gated=given.get("gated", before.gated))

    await run_in_threadpool(repository.change_settings, change)
    return JSONResponse({"private": repository.settings().private, "gated": repository.settings().gated})


async def preupload(request: Request) -> Response:
    """How each file shall come, and what is there now: a client leaves out what has not changed."""
    repository, given = to_write(request), await fields(request)
    files = repository.files(repository.resolve(named(request, "revision")))
    patterns = _lfs_patterns(repository, files)
    return JSONResponse({"files": [_mode(asked, files, patterns) for asked in required(given, "files")]})


def _lfs_patterns(repository: Repository, files: dict[str, Entry]) -> list[str]:
    if ".gitattributes" not in files:
        return []
    lines = repository.objects.path(files[".gitattributes"]).read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if "filter=lfs" in line.split()]


def _mode(asked: dict[str, Any], files: dict[str, Entry], patterns: list[str]) -> dict[str, Any]:
    path = str(required(asked, "path"))
    matches = any(fnmatch(path if "/" in pattern else path.rpartition("/")[2], pattern) for pattern in patterns)
    large = matches or required(asked, "size") > ALWAYS_LFS
    mode = {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
    return mode | ({"oid": files[path].etag} if path in files else {})


async def commit(request: Request) -> Response:
    repository, who = to_write(request), caller(request)
    if request.query_params.get("create_pr"):
        raise Refusal(400, "This stand-in for the Hub has no pull requests: commit to a branch instead.")
    asked = read_request(await request.body())
    author = who.name if who else ""
    oid = await run_in_threadpool(repository.add_commit, named(request, "revision"), asked, author)
    url = f"{address(request, repository)}/commit/{oid}"
    return JSONResponse({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})


async def add_tag(request: Request) -> Response:
    repository, given = to_write(request), await fields(request)
    tag, target = str(required(given, "tag")), repository.resolve(named(request, "revision"))

    def change(refs: Refs) -> Refs:
        return replace(refs, tags=_added(refs.tags, tag, target))

    await run_in_threadpool(repository.change_refs, change)
    return Response()


async def add_branch(request: Request) -> Response:
    repository, given = to_write(request), await fields(request)
    branch, target = named(request, "revision"), repository.resolve(given.get("startingPoint") or MAIN)

    def change(refs: Refs) -> Refs:
        return replace(refs, branches=_added(refs.branches, branch, target))

    await run_in_threadpool(repository.change_refs, change)
    return Response()


async def delete_tag(request: Request) -> Response:
    repository, tag = to_write(request), named(request, "revision")
    await run_in_threadpool(repository.change_refs, lambda refs: replace(refs, tags=_without(refs.tags, tag)))
    return Response()


async def delete_branch(request: Request) -> Response:
    repository, branch = to_write(request), named(request, "revision")
    if branch == MAIN:
        raise Refusal(403, f"The branch {MAIN} cannot be deleted")
    await run_in_threadpool(
        repository.change_refs, lambda refs: replace(refs, branches=_without(refs.branches, branch))
    )
    return Response()


def _added(names: dict[str, str], name: str, target: str) -> dict[str, str]:
    if not REF.fullmatch(name):
        raise Refusal(400, f"Invalid reference name: {name!r}")
    if name in names:
        raise Refusal(409, f"Reference already exists: {name}")
    return names | {name: target}


def _without(names: dict[str, str], name: str) -> dict[str, str]:
    if name not in names:
        raise revision_missing(name)
    return {other: oid for other, oid in names.items() if other != name}
