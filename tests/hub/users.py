"""Who asks: each user has a token that may write and one that may only read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hub.objects import write_whole
from tests.hub.refusals import Refusal

ROLES = ("write", "read")


@dataclass(frozen=True)
class Caller:
    name: str
    role: str


@dataclass(frozen=True)
class Users:
    """``tokens``: name -> role -> token."""

    tokens: dict[str, dict[str, str]]

    @classmethod
    def open(cls, path: Path, names: Sequence[str], scratch: Path) -> Users:
        """The users in the file ``path`` and ``names``, who are added with new tokens where they are missing."""
        tokens: dict[str, dict[str, str]] = json.loads(path.read_bytes()) if path.is_file() else {}
        for name in names:
            tokens.setdefault(name, {role: f"hf_{secrets.token_hex(17)}" for role in ROLES})
        write_whole(path, json.dumps(tokens, indent=1).encode(), scratch)
        return cls(tokens)

    def caller(self, authorization: str | None) -> Caller | None:
        """Who sends this ``Authorization`` header; None without one. Raises :class:`Refusal` (401) for a wrong one."""
        if not authorization:
            return None
        for name, tokens in self.tokens.items():
            for role, token in tokens.items():
                if secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
                    return Caller(name, role)
        raise Refusal(401, "Invalid credentials in Authorization header")
