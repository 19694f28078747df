"""From a request to what it is about: who asks, for which repository, at which revision."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from tests.hub.refusals import Refusal
from tests.hub.repository import Repository
from tests.hub.store import Store
from tests.hub.users import Caller

PREFIXES = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}


def store(request: Request) -> Store:
    of_app: Store = request.app.state.store
    return of_app


def caller(request: Request) -> Caller | None:
    return store(request).users.caller(request.headers.get("authorization"))


def place(request: Request) -> tuple[str, str, str]:
    """Kind, owner and name in the address; addresses of models name no kind."""
    named = request.path_params
    return named.get("kind", "models"), named["owner"], named["name"]


def to_read(request: Request) -> Repository:
    return store(request).to_read(*place(request), caller(request))


def to_download(request: Request) -> Repository:
    return store(request).to_download(*place(request), caller(request))


def to_write(request: Request) -> Repository:
    return store(request).to_write(*place(request), caller(request))


def named(request: Request, name: str) -> str:
    """A part of the address. In a revision or a path of the API, a slash is written as %2F: see ``app.py``."""
    return unquote(str(request.path_params.get(name, "")))


def address(request: Request, repository: Repository) -> str:
    """Where the page of the repository would be; the client reads kind and id from it."""
    return f"{request.base_url}{PREFIXES[repository.kind]}{repository.id}"


async def fields(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty one for no body. Raises :class:`Refusal` (400)."""
    try:
        found = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise Refusal(400, f"Expected a JSON object, got: {error}") from error
    if not isinstance(found, dict):
        raise Refusal(400, f"Expected a JSON object, got {type(found).__name__}")
    return found


def required(given: dict[str, Any], name: str) -> Any:
    if name not in given:
        raise Refusal(400, f"Expected the field {name!r}, got {', '.join(given) or 'none'}")
    return given[name]
