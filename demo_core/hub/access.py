"""Which Hub, as whom, and what its failures mean."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import (
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HfUriError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from demo_core.checkpoint import FILES

STALE, UNAUTHORISED, FORBIDDEN = 412, 401, 403
BUSY = (408, 429)
NO_ANSWER = {
    False: "the Hub did not answer, or broke off; try again.",
    True: "the Hub did not answer, or broke off; the repository is where it was; push again.",
}
PATIENCE = 5.0


class HubError(Exception):
    """What could not be done, and why. ``passing``: it may work later without anybody changing anything."""

    def __init__(self, message: str, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True)
class Hub:
    """Which Hub, as whom. ``endpoint`` ``None``: ``HF_ENDPOINT`` or the public one; ``token`` ``None``: ``HF_TOKEN`` or
    the login of the machine, ``False``: nobody; ``cache`` ``None``: the usual folder. ``patience``: seconds that it may
    be silent.
    """

    endpoint: str | None = None
    token: str | Literal[False] | None = field(default=None, repr=False)
    cache: Path | None = None
    patience: float = PATIENCE

    @property
    def api(self) -> HfApi:
        """The client."""
        return HfApi(endpoint=self.endpoint, token=self.token, library_name="turnpoint")


@contextlib.contextmanager
def told(what: str, hub: Hub, writing: bool = False) -> Iterator[None]:
    """Turns whatever the client raises into a :class:`HubError` that begins with ``what``."""
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        reason, passing = _reason(error, hub, writing)
        if reason is None:
            raise
        raise HubError(f"{what}: {reason}", passing) from error


def _reason(error: BaseException, hub: Hub, writing: bool) -> tuple[str | None, bool]:
    """Why it failed, and whether that may pass by itself; no reason for what is a mistake of ours."""
    status = error.response.status_code if isinstance(error, HfHubHTTPError) and error.response is not None else None
    if isinstance(error, RuntimeError) and error.__cause__ is not None:  # the client wraps a failed upload
        return _reason(error.__cause__, hub, writing)
    if isinstance(error, HfUriError) and error.__context__ is not None:  # raised while it made up its own message
        return _reason(error.__context__, hub, writing)
    if isinstance(error, OfflineModeIsEnabled):
        return "this machine is set to be offline (HF_HUB_OFFLINE), and the cache does not hold it.", True
    if isinstance(error, GatedRepoError):
        return f"it is gated. Ask its owner for access{_token_advice(hub)}", False
    if isinstance(error, RevisionNotFoundError):
        return "the repository has no such revision (any more). Pin another commit.", False
    if isinstance(error, RepositoryNotFoundError) or status == UNAUTHORISED:
        return f"there is no such repository, or it is private{_token_advice(hub)}", False
    if isinstance(error, LocalEntryNotFoundError):  # the Hub was asked, and broke off
        return NO_ANSWER[writing], True
    if isinstance(error, EntryNotFoundError):
        return f"the repository lacks a file of a bundle ({', '.join(FILES)}).", False
    if isinstance(error, HFValidationError):
        return f"the name is not one of the Hub: {error}", False
    if status == STALE:
        return "the repository has moved on meanwhile. Fetch what is there, then push again.", False
    if status == FORBIDDEN:
        return f"this is not allowed{_token_advice(hub)}", False
    if isinstance(error, FileMetadataError | httpx.TimeoutException | httpx.TransportError | ConnectionError):
        return NO_ANSWER[writing], True
    if status is not None:
        return f"the Hub answered {status}. Try again later.", status >= 500 or status in BUSY
    if isinstance(error, UnicodeError):
        return "the token holds characters that no token has.", False
    if isinstance(error, OSError):  # a full disk, or a cache that may not be written; no folder of this machine is told
        return f"{error.strerror or type(error).__name__}. Look after the cache of the Hub's client.", True
    return None, False


def _token_advice(hub: Hub) -> str:
    """What to do where access is missing."""
    known = hub.token if hub.token is not None else get_token()
    return "." if known else "; no token is set. Put one into HF_TOKEN."
