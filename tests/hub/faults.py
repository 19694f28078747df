"""Faults of a network and of a server, which a test switches on over HTTP.

``POST /-/faults`` ``{"kind": ..., "after": N, "path": ..., "times": N}`` adds one, ``GET`` lists them with how often
each was used, ``DELETE`` switches all off. A request meets the oldest fault that is for it and has uses left:

- ``drop_upload``: after N bytes of an LFS upload the connection is gone, without an answer
- ``refuse_upload``: 403 for an LFS upload, as from a storage whose address has run out; the client does not try again
- ``down``: 503 for everything
- ``silent``: the request is accepted and never answered; when all is switched off, its connection is closed
- ``cut``: of a file that is downloaded, the connection ends after N bytes, though its full length was promised
- ``changed``: of a file that is downloaded, byte N arrives changed

``path`` limits the last two to one file of the repository; ``times`` the number of uses.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from tests.hub.asking import fields
from tests.hub.lfs import UPLOADS
from tests.hub.refusals import Refusal, refused

Kind = Literal["drop_upload", "refuse_upload", "down", "silent", "cut", "changed"]
SWITCH = "/-/faults"


@dataclass
class Fault:
    kind: Kind
    after: int = 0
    path: str | None = None
    times: int | None = None
    used: int = 0

    def left(self) -> bool:
        return self.times is None or self.used < self.times

    def use(self) -> bool:
        """Whether a use was left, which is now taken."""
        if not self.left():
            return False
        self.used += 1
        return True

    def is_for(self, scope: Scope) -> bool:
        method, path = scope["method"], scope["path"]
        match self.kind:
            case "drop_upload" | "refuse_upload":
                return bool(method == "PUT" and path.startswith(UPLOADS))
            case "cut" | "changed":
                file = path.partition("/resolve/")[2].partition("/")[2]
                return bool(method == "GET" and file and self.path in (None, file))
        return True


class Faults:
    """The faults that are on, and the app that switches them. ``off`` is set when those of this moment end."""

    def __init__(self) -> None:
        self.on: list[Fault] = []
        self.off = asyncio.Event()
        routes = [
            Route(SWITCH, self._listed),
            Route(SWITCH, self._added, methods=["POST"]),
            Route(SWITCH, self._cleared, methods=["DELETE"]),
        ]
        self.switch = Starlette(routes=routes, exception_handlers={Refusal: refused})

    def met_by(self, scope: Scope) -> Fault | None:
        return next((fault for fault in self.on if fault.left() and fault.is_for(scope)), None)

    async def _listed(self, _: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in self.on])

    async def _added(self, request: Request) -> Response:
        given = await fields(request)
        try:
            fault = Fault(**given)
        except TypeError as error:
            raise Refusal(400, f"Expected kind, after, path and times: {error}") from error
        if fault.kind not in get_args(Kind):
            raise Refusal(400, f"Expected one of {', '.join(get_args(Kind))}, got {fault.kind!r}")
        self.on.append(fault)
        return JSONResponse(asdict(fault))

    async def _cleared(self, _: Request) -> Response:
        self.on.clear()
        self.off.set()
        self.off = asyncio.Event()
        return Response()
