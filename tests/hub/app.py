"""The HTTP side of the stand-in for the Hugging Face Hub: which address leads to which answer.

It speaks what ``huggingface_hub`` 2.4 asks for when files are pushed, listed and pulled, with Xet switched off.
"""

from __future__ import annotations

import secrets
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.hub import lfs, reading, writing
from tests.hub.refusals import Refusal, refused
from tests.hub.store import Store

API = "/api/{kind}/{owner}/{name}"


def create_app(store: Store) -> ASGIApp:
    """The app over ``store``. It may run in one process only; its upload addresses die with it."""
    app = Starlette(routes=_routes(), exception_handlers={Refusal: refused})
    app.state.store = store
    app.state.secret = secrets.token_bytes(32)
    return SlashesKept(app)


class SlashesKept:
    """Leaves ``%2F`` in the path as it came: the client writes the branch ``a/b`` as ``a%2Fb``, one part of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept = scope["raw_path"].replace(b"%2F", b"%252F").replace(b"%2f", b"%252F")
            scope = {**scope, "path": unquote(kept.decode("ascii"))}
        await self.app(scope, receive, send)


def _routes() -> list[Route]:
    return [
        Route("/api/whoami-v2", reading.whoami),
        Route("/api/validate-yaml", reading.validate_yaml, methods=["POST"]),
        Route("/api/repos/create", writing.create, methods=["POST"]),
        Route("/api/repos/delete", writing.delete, methods=["DELETE"]),
        Route(f"{API}/auth-check", reading.may_download),
        Route(f"{API}/auth-check/write", reading.may_write),
        Route(f"{API}/settings", writing.settings, methods=["PUT"]),
        Route(f"{API}/preupload/{{revision}}", writing.preupload, methods=["POST"]),
        Route(f"{API}/commit/{{revision}}", writing.commit, methods=["POST"]),
        Route(f"{API}/tag/{{revision}}", writing.add_tag, methods=["POST"]),
        Route(f"{API}/tag/{{revision}}", writing.delete_tag, methods=["DELETE"]),
        Route(f"{API}/branch/{{revision}}", writing.add_branch, methods=["POST"]),
        Route(f"{API}/branch/{{revision}}", writing.delete_branch, methods=["DELETE"]),
        Route(API, reading.info),
        Route(f"{API}/revision/{{revision}}", reading.info),
        Route(f"{API}/tree/{{revision}}", reading.tree),
        Route(f"{API}/tree/{{revision}}/{{path:path}}", reading.tree),
        Route(f"{API}/paths-info/{{revision}}", reading.paths_info, methods=["POST"]),
        Route(f"{API}/refs", reading.refs),
        Route(f"{API}/commits/{{revision}}", reading.commits),
        Route(f"{lfs.UPLOADS}{{kind}}/{{owner}}/{{name}}/{{sha256}}", lfs.upload, methods=["PUT"]),
        *_file_routes("/{owner}/{name}"),
        *_file_routes("/{kind}/{owner}/{name}"),
    ]


def _file_routes(repository: str) -> list[Route]:
    """Addresses of files, which begin with datasets/ or spaces/ but, for a model, with its owner."""
    return [
        Route(f"{repository}.git/info/lfs/objects/batch", lfs.batch, methods=["POST"]),
        Route(f"{repository}/resolve/{{revision}}/{{path:path}}", reading.resolve),
    ]
