"""What the Hub answers when it refuses: a status, and headers by which the client chooses its exception."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class Refusal(Exception):
    """An answer that is no success. ``code`` goes into ``X-Error-Code``, the message into ``X-Error-Message``."""

    def __init__(
        self, status: int, message: str, code: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.headers = dict(headers or {})


def refused(request: Request, error: Exception) -> Response:
    """The handler of :class:`Refusal` for Starlette."""
    assert isinstance(error, Refusal)
    # Headers carry latin-1 in one line only; the body repeats the message as it is.
    line = " ".join(error.message.split()).encode("latin-1", "replace").decode("latin-1")
    headers = error.headers | {"X-Error-Message": line} | ({"X-Error-Code": error.code} if error.code else {})
    return JSONResponse({"error": error.message}, error.status, headers)


def repository_missing(signed_in: bool) -> Refusal:
    """404, or 401 without a token: a stranger does not learn whether a private repository exists.

    The client takes a bare 401 for a missing repository only from an https address; over http the code says it.
    """
    if signed_in:
        return Refusal(404, "Repository not found", "RepoNotFound")
    return Refusal(401, "Invalid username or password.", "RepoNotFound")


def gated(repo_id: str, signed_in: bool) -> Refusal:
    """403, or 401 without a token: everybody sees that the repository exists, its files are for those it lets in."""
    reason = "you are not in the authorized list" if signed_in else "you must be authenticated to access it"
    return Refusal(403 if signed_in else 401, f"Access to {repo_id} is restricted and {reason}.", "GatedRepo")


def revision_missing(revision: str) -> Refusal:
    return Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_missing(path: str, commit: str) -> Refusal:
    return Refusal(404, f"Entry not found: {path}", "EntryNotFound", {"X-Repo-Commit": commit})
