"""Which files of this repository a Space needs: the app, its models and figures, and what its README shows.

They are chosen among what git knows, so that nothing untracked or ignored leaves by accident; where there is no git, by
the same rules among all files. Each file that stays behind has its reason.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from demo_core.checkpoint import BESIDE
from demo_core.own_data import is_own

CODE = "demo_core"
MODELS = "checkpoints"
TOP = ("app.py", "requirements.txt", "README.md", "LICENSE")
STARTED = ("scripts/__init__.py", "scripts/own_data.py")
"""What the app starts as a process of its own, where visitors may bring their data."""
UNFINISHED = ".training.safetensors"
UNKNOWN = "not known to git"
REASONS = {
    "tests": "tests",
    "scripts": "scripts that the app does not start",
    ".assets": "pictures that the README does not show",
}
"""Why all else in these folders stays behind."""
LINK = re.compile(r"\]\(((?!https?:|mailto:|#)[^)\s#]+)")


class SpaceFilesError(ValueError):
    """A folder from which no Space can be made; the message says what is missing."""


@dataclass(frozen=True)
class SpaceFiles:
    """Paths in the repository, with slashes, in order: ``sent`` with their bytes, and ``left`` with why."""

    root: Path
    sent: dict[str, int]
    left: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes of all that is sent."""
        return sum(self.sent.values())

    def folders(self) -> list[tuple[str, int, int]]:
        """Of what is sent, by top folder ("." for none): its name, files, and bytes."""
        names = [_top(path) for path in self.sent]
        sizes = Counter[str]()
        for name, size in zip(names, self.sent.values(), strict=True):
            sizes[name] += size
        return [(name, number, sizes[name]) for name, number in sorted(Counter(names).items())]

    def reasons(self) -> list[tuple[str, int]]:
        """Why files stay behind, and how many."""
        return sorted(Counter(self.left.values()).items())


def space_files(root: Path) -> SpaceFiles:
    """The files for a Space among those of the repository in ``root``. Raises :class:`SpaceFilesError` where the app
    itself, or a file that the README shows, is not among them.
    """
    known = [path for path in known_files(root) if (root / path).is_file()]
    shown = shown_in((root / "README.md").read_text(encoding="utf-8")) if "README.md" in known else ()
    missing = [path for path in (*TOP, *shown) if path not in known]
    if missing:
        raise SpaceFilesError(f"A Space needs {', '.join(missing)}, which {root} does not have, or git does not know.")
    reasons = {path: None if path in shown else reason_to_leave(path) for path in known}
    new = _listed_by_git(root, "--others", "--exclude-standard") or ()
    reasons |= {path: UNKNOWN for path in new if reason_to_leave(path) is None}
    return SpaceFiles(
        root,
        {path: (root / path).stat().st_size for path, reason in reasons.items() if reason is None},
        {path: reason for path, reason in reasons.items() if reason is not None},
    )


def known_files(root: Path) -> list[str]:
    """What git knows in ``root``, sorted; all files below it where there is no git."""
    known = _listed_by_git(root, "--cached")
    if known is None:
        known = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    return sorted(known)


def _listed_by_git(root: Path, *which: str) -> list[str] | None:
    """None where there is no git: the folder is no checkout of its own, or the program is not installed."""
    if not (root / ".git").exists():
        return None
    try:
        told = subprocess.run(["git", "ls-files", "-z", *which], cwd=root, capture_output=True, check=True)
    except FileNotFoundError:
        return None
    except subprocess.CalledProcessError as error:
        words = error.stderr.decode(errors="replace").strip()
        raise SpaceFilesError(f"git could not list the files of {root}: {words}") from error
    return [path for path in told.stdout.decode().split("\0") if path]


def shown_in(readme: str) -> tuple[str, ...]:
    """Files of the repository to which a README links, or whose picture it shows; its front matter's among them."""
    thumbnail = re.findall(r"^thumbnail: (?!https?:)(\S+)$", readme, flags=re.MULTILINE)
    files = (path for path in (*thumbnail, *LINK.findall(readme)) if not path.endswith("/"))
    return tuple(dict.fromkeys(PurePosixPath(path).as_posix() for path in files))


def reason_to_leave(path: str) -> str | None:
    """Why a Space does not get a file, None where it does."""
    parts = PurePosixPath(path).parts
    if any(part == "__pycache__" or part.endswith((".pyc", ".pyi")) for part in parts):
        return "made by Python"
    if path in TOP or path in STARTED or parts[0] == CODE:
        return None
    if parts[0] == MODELS:
        return _unfit(parts)
    return REASONS.get(parts[0], "settings of tools" if parts[0].startswith(".") else "not of the app")


def _unfit(parts: Sequence[str]) -> str | None:
    if is_own(parts[1]):
        return "somebody's own data"
    if any(part.endswith(BESIDE) for part in parts) or UNFINISHED in parts[-1]:
        return "left by a training that was broken off"
    if parts[-1].endswith(".lock"):
        return "held while a file is written"
    return None


def _top(path: str) -> str:
    parts = PurePosixPath(path).parts
    return parts[0] if len(parts) > 1 else "."


def write_space(files: SpaceFiles, changed: Mapping[str, str], folder: Path) -> None:
    """Copies what is sent into an empty ``folder``; files of which ``changed`` has another text get that one."""
    for path in files.sent:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if path in changed:
            place.write_text(changed[path], encoding="utf-8", newline="\n")
        else:
            shutil.copyfile(files.root / path, place)
