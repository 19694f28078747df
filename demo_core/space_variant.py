"""What two files of a Space say differently for its hardware: the requirements, and the front matter of the README.

The Hub reads a Space's settings from that front matter. It is changed line by line, so that the rest stays as it was
written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo_core.bundle_index import read_index

ZERO_GPU = "zero-"
"""How the names of hardware begin that lends a GPU for seconds at a time."""
ZERO_GPU_TORCH = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
"""What ZeroGPU supports, as its documentation listed it in August 2026."""
SPACES = "spaces==0.51.3"
HARDWARE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FENCE = "---\n"
README, REQUIREMENTS, CHECKPOINTS = "README.md", "requirements.txt", "checkpoints"


class FrontMatterError(ValueError):
    """A README without the front matter that a Space needs."""


def lends_gpu(hardware: str) -> bool:
    """Whether it is a ZeroGPU."""
    return hardware.startswith(ZERO_GPU)


def changed_for(root: Path, hardware: str, address: str) -> dict[str, str]:
    """Path -> text of the two files for a Space with that ``hardware`` at ``address``.

    The Hub lists a Space with the ``models`` it names: those that the index of the checkpoints fetches.
    """
    readme = (root / README).read_text(encoding="utf-8")
    sources = (entry.source for entry in read_index(root / CHECKPOINTS))
    models = sorted({source.repository for source in sources if source is not None})
    fields: dict[str, str | Sequence[str]] = {"suggested_hardware": hardware, "models": models}
    thumbnail = field(readme, "thumbnail")
    if thumbnail and "://" not in thumbnail:  # the Hub wants an address, and only here is it known
        fields["thumbnail"] = f"{address}/resolve/main/{thumbnail}"
    requirements = (root / REQUIREMENTS).read_text(encoding="utf-8")
    return {README: with_fields(readme, fields), REQUIREMENTS: requirements_for(requirements, hardware)}


def requirements_for(requirements: str, hardware: str) -> str:
    """The lines of ``requirements.txt`` for that hardware. Elsewhere a range of PyTorch suits; ZeroGPU takes certain
    versions alone, and lends its GPU through ``spaces``.
    """
    if not lends_gpu(hardware):
        return requirements
    lines = [line for line in requirements.splitlines() if _name(line) not in ("torch", "spaces")]
    lines += [f"torch=={ZERO_GPU_TORCH[-1]}", SPACES]
    return "\n".join(sorted(lines, key=_name)) + "\n"


def with_fields(readme: str, fields: Mapping[str, str | Sequence[str]]) -> str:
    """The README with those fields of its front matter set, new ones at its end. A list becomes a block of lines."""
    front, rest = _split(readme)
    blocks = _blocks(front)
    for name, value in fields.items():
        blocks[name] = _written(name, value)
    return FENCE + "".join(blocks.values()) + FENCE + rest


def field(readme: str, name: str) -> str | None:
    """One field that stands on a line, without quotation marks; None where there is none."""
    front, _ = _split(readme)
    found = re.search(rf"^{re.escape(name)}: *(.+?) *$", front, flags=re.MULTILINE)
    return found[1].strip("\"'") if found else None


def _split(readme: str) -> tuple[str, str]:
    if not readme.startswith(FENCE) or "\n" + FENCE not in readme[len(FENCE) :]:
        raise FrontMatterError("Expected a README that begins with front matter between two lines of ---.")
    front, _, rest = readme[len(FENCE) :].partition("\n" + FENCE)
    return front + "\n", rest


def _blocks(front: str) -> dict[str, str]:
    """Each field's name with its lines: those that are indented or begin with a dash belong to the one before."""
    blocks: dict[str, str] = {}
    name = ""
    for line in front.splitlines(keepends=True):
        if line[0] not in " -#\n":
            name = line.partition(":")[0]
        blocks[name] = blocks.get(name, "") + line
    return blocks


def _written(name: str, value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return f"{name}: {value}\n"
    if not value:
        return f"{name}: []\n"
    return "\n".join([f"{name}:", *(f"  - {one}" for one in value)]) + "\n"


def _name(line: str) -> str:
    """The package that a line of requirements names."""
    return re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower()
