"""Large files, by the basic transfer of Git LFS: ask where to put them, then put them there.

The client sends no token with the file itself, so the address it is given carries a signature.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from tests.hub.asking import fields, place, required, store, to_write
from tests.hub.objects import SHA256
from tests.hub.refusals import Refusal
from tests.hub.repository import Repository
from tests.hub.users import Caller

UPLOADS = "/-/lfs/"  # every upload address begins so


def _signature(request: Request, kind: str, repo_id: str, sha256: str, size: int) -> str:
    secret: bytes = request.app.state.secret
    return hmac.new(secret, f"{kind}/{repo_id}/{sha256}/{size}".encode(), "sha256").hexdigest()


async def batch(request: Request) -> Response:
    """For each object the address for its upload, or none if it is here already."""
    repository, given = to_write(request), await fields(request)
    if given.get("operation") != "upload":
        raise Refusal(400, "Expected an upload; files are downloaded from their resolve address.")
    objects = [_object(request, repository, asked["oid"], asked["size"]) for asked in required(given, "objects")]
    return JSONResponse({"transfer": "basic", "objects": objects, "hash_algo": "sha256"})


def _object(request: Request, repository: Repository, sha256: str, size: int) -> dict[str, object]:
    if not SHA256.fullmatch(sha256):
        raise Refusal(400, f"Expected a sha256 of 64 hexadecimal digits, got {sha256!r}")
    row: dict[str, object] = {"oid": sha256, "size": size}
    if repository.objects.lfs_entry(sha256):
        return row
    query = urlencode({"size": size, "signature": _signature(request, repository.kind, repository.id, sha256, size)})
    href = f"{str(request.base_url).rstrip('/')}{UPLOADS}{repository.kind}/{repository.id}/{sha256}?{query}"
    return row | {"actions": {"upload": {"href": href, "header": {}}}}


async def upload(request: Request) -> Response:
    """Keeps a file that came whole and is what was announced; nothing of any other."""
    (kind, owner, name), sha256 = place(request), request.path_params["sha256"]
    size = int(request.query_params.get("size", "0"))
    signature = request.query_params.get("signature", "")
    if not hmac.compare_digest(signature, _signature(request, kind, f"{owner}/{name}", sha256, size)):
        raise Refusal(403, "This upload address was not given out by this server: ask for a new one.")
    repository = store(request).to_write(kind, owner, name, Caller(owner, "write"))
    try:
        with repository.objects.receive(sha256, size) as incoming:
            async for chunk in request.stream():
                incoming.write(chunk)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    return Response()
