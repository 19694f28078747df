"""A folder that is written as a whole: beside its place first, then renamed. Nothing that somebody made is lost."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

MARK = "turnpoint-static.json"
"""Says which files a folder was written with, and their sha256."""
TOLD = 3


class FolderError(OSError):
    """A folder cannot be written; the message says why and what to do."""


def check_free(folder: Path) -> None:
    """Raises :class:`FolderError` unless ``folder`` is missing, empty, or just as it was written before."""
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise FolderError(f"Expected a folder for the site, but {folder} is a file. Choose another name.")
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    if not found:
        return
    written = _written(folder)
    if written is None:
        raise FolderError(f"{folder} holds something else than an earlier site. Choose another folder, or empty it.")
    strange = sorted(
        name for name, path in found.items() if name != MARK and written.get(name) != _digest(path.read_bytes())
    )
    if strange:
        named = ", ".join(strange[:TOLD]) + (f" and {len(strange) - TOLD} more" if len(strange) > TOLD else "")
        raise FolderError(
            f"{folder} was changed since it was written: {named}. Move that away, or choose another folder."
        )


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Puts ``files``, by their path in it, in the place of ``folder``. Raises :class:`FolderError`."""
    check_free(folder)
    folder = folder.resolve()
    mark = {"made_by": "Turnpoint", "files": {name: _digest(content) for name, content in files.items()}}
    beside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        new = beside / "new"
        for name, content in {**files, MARK: json.dumps(mark, indent=1).encode()}.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _swap(folder, new, beside / "old")
    except OSError as error:
        raise FolderError(f"The site could not be written to {folder}: {error.strerror or error}.") from error
    finally:
        # What could not be put back stays.
        if beside is not None and (folder.exists() or not (beside / "old").exists()):
            shutil.rmtree(beside, ignore_errors=True)


def _swap(folder: Path, new: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise


def _written(folder: Path) -> dict[str, str] | None:
    """The files that a folder was written with; None where it is no earlier site."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        files = mark["files"] if mark["made_by"] == "Turnpoint" else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return files if isinstance(files, dict) else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
