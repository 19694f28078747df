"""Requests that change nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from tests.hub.asking import caller, fields, named, required, to_download, to_read, to_write
from tests.hub.cards import card_data
from tests.hub.listing import below, commit_row, repository_info, rows, with_last_commits
from tests.hub.refusals import Refusal, entry_missing
from tests.hub.repository import MAIN


def flag(request: Request, name: str) -> bool:
    """A switch in the query; the client writes true, True or 1."""
    return request.query_params.get(name, "").lower() in ("true", "1")


async def whoami(request: Request) -> Response:
    who = caller(request)
    if who is None:
        raise Refusal(401, "Invalid username or password.")
    token = {"displayName": f"{who.role} token", "role": who.role}
    auth = {"type": "access_token", "accessToken": token}
    return JSONResponse({"type": "user", "name": who.name, "fullname": who.name, "orgs": [], "auth": auth})


async def validate_yaml(request: Request) -> Response:
    """Checks that the card's metadata can be read; an empty one gets a warning, as on the Hub."""
    try:
        data = card_data(str(required(await fields(request), "content")))
    except ValueError as error:
        return JSONResponse({"errors": [{"message": str(error)}], "warnings": []}, 400)
    warnings = [] if data else [{"message": "empty or missing yaml metadata in repo card"}]
    return JSONResponse({"errors": [], "warnings": warnings})


async def info(request: Request) -> Response:
    repository = to_read(request)
    commit = repository.resolve(named(request, "revision") or MAIN)
    found = repository_info(repository, commit, flag(request, "blobs"))
    wanted = request.query_params.getlist("expand")
    if wanted:
        found = {key: value for key, value in found.items() if key in ("id", *wanted)}
    return JSONResponse(found, headers={"X-Repo-Commit": commit})


async def tree(request: Request) -> Response:
    repository = to_read(request)
    commit = repository.resolve(named(request, "revision"))
    folder, found = named(request, "path"), rows(repository.files(commit))
    if folder and found.get(folder, {}).get("type") != "directory":
        raise entry_missing(folder, commit)
    listed = below(found, folder, flag(request, "recursive"))
    if flag(request, "expand"):
        listed = with_last_commits(listed, repository, commit)
    return JSONResponse(listed, headers={"X-Repo-Commit": commit})


async def paths_info(request: Request) -> Response:
    """Rows of the paths in the form; those that are not there are left out."""
    repository = to_read(request)
    commit = repository.resolve(named(request, "revision"))
    asked: dict[str, list[Any]]
    if request.headers.get("content-type", "").startswith("application/json"):
        given = await fields(request)
        asked = {"paths": required(given, "paths"), "expand": [given.get("expand", False)]}
    else:
        asked = parse_qs((await request.body()).decode())
    found = rows(repository.files(commit))
    listed = [found[path.strip("/")] for path in asked.get("paths", []) if path.strip("/") in found]
    if str(asked.get("expand", [""])[0]).lower() == "true":
        listed = with_last_commits(listed, repository, commit)
    return JSONResponse(listed)


async def refs(request: Request) -> Response:
    found = to_read(request).refs()
    answer: dict[str, list[dict[str, str]]] = {"converts": []}
    for key, folder, names in (("branches", "heads", found.branches), ("tags", "tags", found.tags)):
        answer[key] = [{"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": names[name]} for name in names]
    return JSONResponse(answer | ({"pullRequests": []} if flag(request, "include_prs") else {}))


async def commits(request: Request) -> Response:
    repository = to_read(request)
    history = repository.history(repository.resolve(named(request, "revision")))
    formatted = "formatted" in request.query_params.getlist("expand[]")
    return JSONResponse([commit_row(commit, formatted) for commit in history])


async def may_download(request: Request) -> Response:
    to_download(request)
    return Response()


async def may_write(request: Request) -> Response:
    to_write(request)
    return Response()


async def resolve(request: Request) -> Response:
    """A file, or the part of it that ``Range`` asks for; the client needs the headers to keep it in its cache."""
    repository = to_download(request)
    commit = repository.resolve(named(request, "revision"))
    path = request.path_params["path"]
    entry = repository.files(commit).get(path)
    if entry is None:
        raise entry_missing(path, commit)
    headers = {"X-Repo-Commit": commit, "ETag": f'"{entry.etag}"'}
    if entry.sha256:
        headers |= {"X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{entry.sha256}"'}
    return FileResponse(repository.objects.path(entry), headers=headers)
