"""``python -m scripts.deploy_space OWNER/NAME``: the app as a Space on the Hugging Face Hub, in one commit.

It says first what it will do; with ``--dry-run`` that is all. The Space gets the app, its models and figures, and
nothing else: what is there and no longer sent is deleted. The token comes from HF_TOKEN, or from ``hf auth login``.

python -m scripts.deploy_space OWNER/NAME --hardware zero-a10g --dry-run
"""

from __future__ import annotations

import argparse
import difflib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from demo_core.bundle_index import IndexFileError, check_repository
from demo_core.hub import Hub, HubError, configure_space, push_folder
from demo_core.measure import current_commit
from demo_core.space_files import UNKNOWN, SpaceFiles, SpaceFilesError, space_files, write_space
from demo_core.space_variant import HARDWARE, FrontMatterError, changed_for, field, lends_gpu
from scripts.messages import as_message

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str] | None = None, hub: Hub | None = None) -> None:
    """Says what will be done, and does it; with ``hub`` there, else on the one of the environment."""
    chosen = _parser().parse_args(arguments)
    hub = hub or Hub()
    with as_message(SpaceFilesError, FrontMatterError, IndexFileError):
        hardware = chosen.hardware or suggested(ROOT)
        files = space_files(ROOT)
        changed = changed_for(ROOT, hardware, f"{hub.api.endpoint}/spaces/{chosen.repository}")
    variables = {"TURNPOINT_OWN_DATA": "on" if chosen.own_data else "off"}
    print("\n".join(plan(chosen.repository, hardware, files, changed, variables, chosen.private)))
    if chosen.dry_run:
        print("Dry run: nothing was sent.")
        return
    with as_message(HubError), tempfile.TemporaryDirectory() as folder:
        write_space(files, changed, Path(folder))
        pushed = push_folder(
            Path(folder),
            chosen.repository,
            kind="space",
            private=chosen.private,
            message=f"Turnpoint {current_commit()}",
            space_sdk="gradio",
            hub=hub,
        )
        configure_space(chosen.repository, hardware, variables, hub)
    print(f"{'Sent' if pushed.changed else 'Nothing had changed'}: {pushed.url} ({pushed.commit[:10]})")


def suggested(root: Path) -> str:
    """The hardware that the README suggests."""
    return field((root / "README.md").read_text(encoding="utf-8"), "suggested_hardware") or "cpu-basic"


def plan(
    repository: str,
    hardware: str,
    files: SpaceFiles,
    changed: Mapping[str, str],
    variables: Mapping[str, str],
    private: bool,
) -> Iterator[str]:
    """What will be done, line by line."""
    lent = ", which lends a GPU for seconds at a time" if lends_gpu(hardware) else ""
    yield f"Space {repository}, {'private' if private else 'public'}, on {hardware}{lent}"
    yield f"  {len(files.sent)} files of commit {current_commit()}, {_megabytes(files.size)}"
    yield from (f"    {name:<14}{number:>5}{_megabytes(size):>10}" for name, number, size in files.folders())
    for path, text in sorted(changed.items()):
        yield from _differences(path, (files.root / path).read_text(encoding="utf-8"), text)
    yield f"  Left out: {', '.join(f'{reason} ({number})' for reason, number in files.reasons())}"
    new = [path for path, reason in files.left.items() if reason == UNKNOWN]
    if new:
        yield f"  Commit them if the app needs them: {', '.join(new)}"
    settings = ", ".join(f"{name}={value}" for name, value in sorted(variables.items()))
    yield f"  Then: variables {settings}; no secrets; the hardware {hardware} is asked for"
    yield "  Files of the Space that are not among these are deleted."


def _differences(path: str, before: str, after: str) -> Iterator[str]:
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
    yield f"  {path}: {'as in the repository' if not lines else 'with these lines changed'}"
    yield from (f"    {line}" for line in lines)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _repository(text: str) -> str:
    try:
        return check_repository(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _hardware(text: str) -> str:
    if not HARDWARE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected a name like cpu-basic or zero-a10g, got {text!r}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy_space", description="Deploy the app as a Space.")
    parser.add_argument("repository", type=_repository, metavar="OWNER/NAME", help="the Space, made if it is not there")
    parser.add_argument(
        "--hardware", type=_hardware, help="cpu-basic, zero-a10g, ...; default: the suggested_hardware of README.md"
    )
    parser.add_argument("--private", action="store_true", help="a new Space is seen by its owner alone")
    parser.add_argument("--own-data", action="store_true", help="visitors may train on their own data there")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    return parser


if __name__ == "__main__":
    main()
