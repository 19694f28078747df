"""Files of one JSON object a line, to which several processes may add."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

log = logging.getLogger(__name__)

T = TypeVar("T")

TAKEN_OUT = "%s: the last line had been cut off while it was written; it was taken out."


class NotRecordedError(OSError):
    """A line could not be added; the message says to which file and why."""


class DamagedLineError(ValueError):
    """A line is not what its file holds; the message says which line of which file, and what to do."""


def read_lines(path: Path, take: Callable[[Any], T], what: str) -> list[T]:
    """What ``take`` makes of each line of ``path``, in order; empty lines are passed over, and a file that does not
    exist has none.

    A line that is not JSON, or of which ``take`` raises ``ValueError``, ``KeyError``, ``TypeError`` or
    ``AttributeError``, is a :class:`DamagedLineError` that expected ``what``.
    """
    taken: list[T] = []
    if not path.exists():
        return taken
    with path.open("rb") as file:  # bytes: a line that is not UTF-8 is told by its number, too
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                taken.append(take(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                wrong = f"no field {error}" if isinstance(error, KeyError) else str(error).rstrip(".")
                raise DamagedLineError(
                    f"{path}, line {number}: expected {what} as a JSON object, got: {wrong}. Mend the line, or take it "
                    "out."
                ) from error
    return taken


def append_line(path: Path, content: Mapping[str, Any]) -> None:
    """Add one JSON object as a line. Several processes may share a file: a lock beside it is held meanwhile, and what
    one that stopped while writing has left of a line is taken out before. Raises :class:`NotRecordedError` where the
    line cannot be written, or not whole.
    """
    line = (json.dumps(content, allow_nan=False, sort_keys=True) + "\n").encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _lock(path):
            if _end_whole(path):
                log.warning(TAKEN_OUT, path)
            written = _append(path, line)
            if written < len(line):
                _end_whole(path)
                raise OSError(f"{written} of {len(line)} bytes could be written")
    except OSError as error:
        raise NotRecordedError(_told(path, "add a line", error)) from error


def drop_partial_line(path: Path) -> bool:
    """Cuts off a last line that a machine that stopped while writing left behind; True if it did.

    Raises :class:`NotRecordedError` where the file cannot be read, or not be changed when there is such a line.
    """
    try:
        if not _lacks_end(path):
            return False
        with _lock(path):  # what seems to be cut off may be a line that another process is writing
            return _end_whole(path)
    except OSError as error:
        raise NotRecordedError(_told(path, "see that its last line is whole", error)) from error


def _told(path: Path, wish: str, error: OSError) -> str:
    return f"{path}: expected to {wish}, got: {error.strerror or error}. Name a file that can be written, or make room."


def _lock(path: Path) -> FileLock:
    return FileLock(path.with_name(path.name + ".lock"))


def _append(path: Path, line: bytes) -> int:
    """How many bytes of ``line`` now stand at the end of the file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        written = os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return written


def _lacks_end(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _end_whole(path: Path) -> bool:
    """Lets the file end with a whole line: what is left of a broken one is cut off (then True), and an object that
    lacks nothing but the end of its line gets that.
    """
    if not _lacks_end(path):
        return False
    content = path.read_bytes()
    start = content.rfind(b"\n") + 1
    whole = _is_json(content[start:])
    with path.open("r+b") as file:
        if whole:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        else:
            file.truncate(start)
    return not whole


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
