"""The stand-in for the Hub, listening on this machine alone."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from tests.hub.app import create_app
from tests.hub.faulty import Faulty, Transports, watched
from tests.hub.store import Store

HOST = "127.0.0.1"


def serve(
    folder: Path, port: int, names: tuple[str, ...], ready: Callable[[str, Store], None], with_stdin: bool = False
) -> None:
    """Serves ``folder`` until the process is told to end. ``port`` 0 takes a free one.

    ``ready`` is called with the address and the store when connections are accepted. ``with_stdin``: ends, too, when
    the standard input does, so that the server does not outlive the program that holds its other end.
    Raises ``OSError`` when the port is taken, or the folder by another server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    alone = FileLock(folder / "server.lock", timeout=0)
    try:
        alone.acquire()
    except Timeout as error:
        raise OSError(
            f"{folder} is served by another process already: end that one or choose another folder"
        ) from error
    with alone:
        _serve(Store.open(folder, names), port, ready, with_stdin)


def _serve(store: Store, port: int, ready: Callable[[str, Store], None], with_stdin: bool) -> None:
    transports: Transports = {}
    config = uvicorn.Config(
        Faulty(create_app(store), transports),
        http=watched(transports),
        lifespan="off",
        proxy_headers=False,  # they would replace the address by which a connection is known
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server((HOST, port)) as listening:
        if with_stdin:
            threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
        ready(f"http://{HOST}:{listening.getsockname()[1]}", store)
        server.run(sockets=[listening])


def _end_with_stdin(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True
