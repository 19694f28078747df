"""The wire with faults in it: between the app and its clients, down to the sockets."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tests.hub.faults import SWITCH, Fault, Faults

Transports = dict[tuple[str, int], asyncio.Transport]


def watched(transports: Transports) -> type[H11Protocol]:
    """The HTTP of uvicorn, which also notes the transport of every open connection under its client's address."""

    class Watched(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if self.client:
                transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client:
                transports.pop(self.client, None)
            super().connection_lost(exc)

    return Watched


class Faulty:
    """``app``, its requests meeting the faults that are on. ``transports``: see :func:`watched`."""

    def __init__(self, app: ASGIApp, transports: Transports) -> None:
        self.app, self.transports, self.faults = app, transports, Faults()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == SWITCH:
            await self.faults.switch(scope, receive, send)
        elif fault := self.faults.met_by(scope):
            await self._meet(fault, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _meet(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        transport = self.transports.get(scope["client"])
        if transport is None:  # the client has left already
            return
        match fault.kind:
            case "down":
                fault.use()
                await _refuse(503, "The Hub is down", scope, receive, send)
            case "refuse_upload":
                fault.use()
                await _refuse(403, "Request has expired", scope, receive, send)
            case "silent":
                fault.use()
                await _keep_waiting(self.faults.off, transport, receive)
            case "drop_upload":
                await self.app(scope, _dropped(fault, transport, receive), send)
            case "cut":
                await self.app(scope, receive, _cut(fault, transport, send))
            case "changed":
                await self.app(scope, receive, _changed(fault, send))


async def _gone(receive: Receive) -> None:
    """Until the connection is lost. What still comes from it is thrown away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(status: int, message: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers once the whole request is here: a client still sending would see a broken connection instead."""
    while (await receive()).get("more_body"):
        pass
    await JSONResponse({"error": message}, status, {"X-Error-Message": message})(scope, receive, send)


async def _keep_waiting(off: asyncio.Event, transport: asyncio.Transport, receive: Receive) -> None:
    waits = {asyncio.create_task(off.wait()), asyncio.create_task(_gone(receive))}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waits:
            task.cancel()
        transport.abort()
    await _gone(receive)


def _dropped(fault: Fault, transport: asyncio.Transport, receive: Receive) -> Receive:
    came = 0

    async def receiving() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > fault.after and fault.use():
            transport.abort()
            await _gone(receive)
            return {"type": "http.disconnect"}
        return message

    return receiving


def _cut(fault: Fault, transport: asyncio.Transport, send: Send) -> Send:
    sent, ended = 0, False

    async def sending(message: Message) -> None:
        nonlocal sent, ended
        body = message.get("body", b"")
        sent += len(body)
        if not ended and sent > fault.after and fault.use():
            ended = True
            kept = body[: len(body) - (sent - fault.after)]
            await send({"type": "http.response.body", "body": kept, "more_body": True})
            transport.close()  # after what was written: the client gets exactly the first bytes
        elif not ended:
            await send(message)

    return sending


def _changed(fault: Fault, send: Send) -> Send:
    position = 0

    async def sending(message: Message) -> None:
        nonlocal position
        if message["type"] == "http.response.start":
            position = _first_byte(message)
        body = message.get("body", b"")
        place = fault.after - position
        position += len(body)
        if 0 <= place < len(body) and fault.use():
            message = {**message, "body": body[:place] + bytes([body[place] ^ 0xFF]) + body[place + 1 :]}
        await send(message)

    return sending


def _first_byte(start: Message) -> int:
    """Where in the file the answer begins: not at 0 when a range was asked for."""
    part = Headers(raw=start["headers"]).get("content-range", "bytes 0-")
    return int(part.removeprefix("bytes ").partition("-")[0])
