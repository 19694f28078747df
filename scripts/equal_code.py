"""Shows that a rewritten file changes no figure of one process, and notes it in ``demo_core/equal_code.json``.

python -m scripts.equal_code COMMIT                         # small trainings on the toy world, under both codes
python -m scripts.equal_code COMMIT --datasets toy zhihu    # and on rows of a real data set
python -m scripts.equal_code COMMIT --but "card learned_threshold=True"    # which alone was mended, and measured again

``scripts/same_bits.py`` is run with the package as it was at COMMIT and as it is now. Only if all its digests agree
(weights, reports, ranks and lists of every model, whole and resumed) are the files that differ noted: measured runs of
the old code then count as runs of the new one (``code_version``). What small trainings cannot show is for a reader of
the difference to judge: ``git diff COMMIT``.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from demo_core import datasets
from demo_core.code_version import EQUAL, ROOT, Equal, digests, equal_code, oldest
from demo_core.models import MODELS
from demo_core.whole_files import written_beside

WITNESS = Path(__file__).with_name("same_bits.py")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Note rewritten files that change no figure.")
    parser.add_argument("commit", help="the code that measured runs were made with")
    parser.add_argument("--datasets", nargs="+", default=["toy"], choices=list(datasets.DATASETS))
    parser.add_argument(
        "--but",
        nargs="+",
        default=[],
        metavar="TRAINING",
        help="as the witness calls them: these have to end differently; measure their runs again, the newest count",
    )
    parser.add_argument("--data", type=Path, help="data folder (default: $TURNPOINT_DATA or the cache folder)")
    arguments = parser.parse_args()
    require_commit(arguments.commit)
    but = ["--but", *arguments.but] if arguments.but else []
    words = [arguments.commit, "--datasets", *arguments.datasets, *but]
    why = f"python -m scripts.equal_code {shlex.join(words)}"
    found = new_lines(arguments.commit, why)
    if not found:
        print("No file has another meaning than at that commit.")
        return
    with tempfile.TemporaryDirectory() as folder:
        old = _package_at(arguments.commit, Path(folder))
        for name in arguments.datasets:
            before, after = (_witness(root, name, arguments.data) for root in (old, ROOT))
            _compare(name, before, after, arguments.but)
    write([*equal_code(), *found])
    for one in found:
        print(f"{one.path}: {one.digest[:12]} means {one.same_as[:12] if one.same_as else 'nothing'}")


def require_commit(commit: str) -> None:
    """Ends with a message where git knows no such commit here."""
    asked = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True)
    if asked.returncode:
        raise SystemExit(f"Expected a commit that is known here, got {commit!r}; git log names them.")


def new_lines(commit: str, why: str) -> list[Equal]:
    """The files of all models that have another meaning than at ``commit``, each as a line that says otherwise."""
    modules = {known.model.__module__ for known in MODELS.values()}
    old, now = (_united(digests(module, at) for module in modules) for at in (commit, None))
    known = {(one.path, one.digest): one for one in equal_code()}
    found = []
    for path in sorted(old.keys() | now.keys()):
        newer, older = (oldest(known, path, files.get(path)) for files in (now, old))
        if newer is not None and newer != older:
            found.append(Equal(path, newer, older, why))
        elif older is not None and newer is None:
            found.append(Equal(path, older, None, why))
    return found


def write(lines: Iterable[Equal]) -> None:
    """The whole table, one line a file and digest; the file is replaced at once."""
    rows = ",\n".join(json.dumps(dataclasses.asdict(one)) for one in lines)
    with written_beside(ROOT / EQUAL) as file:
        file.write_text(f"[\n{rows}\n]\n", encoding="utf-8")


def _united(parts: Iterable[dict[str, str]]) -> dict[str, str]:
    return {path: digest for part in parts for path, digest in part.items()}


def _package_at(commit: str, folder: Path) -> Path:
    archive = subprocess.run(["git", "archive", commit, "demo_core"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def _witness(root: Path, dataset: str, data: Path | None) -> list[str]:
    command = [sys.executable, str(WITNESS), dataset, *(["--data", str(data)] if data else [])]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with the package of {root}:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def _compare(dataset: str, old: list[str], new: list[str], but: Sequence[str]) -> None:
    different = {json.loads(line)["model"] for line in set(old) ^ set(new)}
    if different - set(but):
        names = ", ".join(sorted(different - set(but)))
        raise SystemExit(f"On {dataset} these end differently, so that nothing is noted: {names}.")
    if set(but) - different:
        names = ", ".join(sorted(set(but) - different))
        raise SystemExit(f"On {dataset} these end in the same bits; say it without them: {names}.")
    broken = [one["model"] for one in map(json.loads, new) if one["weights"] != one["resumed"]]
    if broken:
        raise SystemExit(f"On {dataset} a resumed training ends differently, so that nothing is noted: {broken}.")
    print(f"{dataset}: {len(new) - len(different)} trainings with their evaluation end in the same bits", flush=True)


if __name__ == "__main__":
    main()
