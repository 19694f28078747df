"""``python -m scripts.prepare_data NAME [--from FOLDER]``: raw files, or a download -> the form that training reads.

The prepared files go to ``$TURNPOINT_DATA/NAME`` (default: the platform's cache folder). FOLDER holds the raw files
of the data set, or a folder of that name with them; without it the data set is downloaded where its owner offers it.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from demo_core.datasets import DATASETS, data_folder, entry
from demo_core.prepared import DataError, Sequences, Statistics, verify, write_prepared
from demo_core.raw_data import RAW_SOURCES
from scripts.messages import as_message


@dataclass(frozen=True)
class Download:
    """A public archive and its owner's terms in one sentence."""

    url: str
    terms: str


DOWNLOADS = {
    "ml-1m": Download(
        "https://files.grouplens.org/datasets/movielens/ml-1m.zip",
        "MovieLens 1M is for research use and may not be redistributed.",
    ),
    "movielens-small": Download(
        "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip",
        "MovieLens ml-latest-small may be redistributed under its own terms, and not used commercially without leave.",
    ),
}
NEEDED = {
    "movielens": "ratings.parquet and movies.csv.gz made of the ml-latest-small editions of April 2015, October 2016 "
    "and September 2018 (GroupLens offers only the last, which is movielens-small)",
    "beauty": "sequences.parquet and items.csv.gz of the Amazon Beauty 5-core set",
    "zhihu": "sessions.parquet with the official DreamRec splits of Zhihu",
    "yoochoose": "sessions.parquet with the official DreamRec splits of YooChoose",
}


@as_message(DataError, OSError)
def main(arguments: list[str] | None = None) -> None:
    """Prepares one data set, or ends with the reason why it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.prepare_data",
        description="Turns raw files, or a download, into the form that training reads.",
        epilog="Prepared data go to $TURNPOINT_DATA (default: a folder in the platform's cache).",
    )
    parser.add_argument("name", choices=sorted(RAW_SOURCES), help="the data set")
    parser.add_argument("--from", dest="folder", type=Path, help="folder with the raw files, or with a folder of them")
    chosen = parser.parse_args(arguments)
    place = data_folder() / chosen.name
    found = prepare(chosen.name, chosen.folder, place) if chosen.folder else download_and_prepare(chosen.name, place)
    print(
        f"{DATASETS[chosen.name].title}: {found.sequences:,} sequences, {found.items:,} items, "
        f"{found.interactions:,} interactions, in {place}"
    )


def prepare(name: str, folder: Path, place: Path, expected: Statistics | None = None) -> Statistics:
    """Reads the raw files of ``name``, checks them and writes the prepared form into ``place``.

    ``folder`` holds the files, or the folder that does. ``expected``: the figures to meet (default: the known ones).
    Raises :class:`DataError` and writes nothing when files are missing, damaged or other than expected.
    """
    own = folder / RAW_SOURCES[name].folder
    sequences = read_raw(name, own if own.is_dir() else folder)
    verify(name, sequences, expected or known_statistics(name))
    write_prepared(sequences, place)
    return Statistics.of(sequences)


def read_raw(name: str, folder: Path) -> Sequences:
    """The raw files of ``name`` in ``folder``; :class:`DataError` when they are missing, or something else."""
    try:
        return RAW_SOURCES[name].read(folder)
    except DataError:
        raise
    except (pa.ArrowException, EOFError, LookupError, TypeError, ValueError, zlib.error) as error:
        needed = NEEDED.get(name, "the files of its archive")
        raise DataError(
            f"{folder}: expected {needed}, got damaged files or other columns ({type(error).__name__}: {error}). Take "
            f"the right ones and run python -m scripts.prepare_data {name} --from FOLDER."
        ) from error


def download_and_prepare(
    name: str, place: Path, url: str | None = None, expected: Statistics | None = None
) -> Statistics:
    """:func:`prepare` from the owner's archive, or the one at ``url``; nothing of the archive is kept.

    Raises :class:`DataError` when there is no public archive, it cannot be had, or it is not what was expected.
    """
    if name not in DOWNLOADS:
        raise DataError(f"{name} has no public archive. Give a folder with {NEEDED[name]}: --from FOLDER.")
    download = DOWNLOADS[name]
    print(download.terms)
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpack(fetch(url or download.url, Path(scratch) / "archive.zip", name), Path(scratch) / "files")
        return prepare(name, folder, place, expected)


def fetch(url: str, target: Path, name: str) -> Path:
    """Downloads ``url`` into the file ``target``; raises :class:`DataError` when it cannot be reached."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"{url} could not be reached ({error}). Get the archive another way, unpack it, and run "
            f"python -m scripts.prepare_data {name} --from FOLDER."
        ) from error
    return target


def unpack(archive: Path, target: Path) -> Path:
    """Unpacks a zip file; the folder that holds its files (archives of one folder: that folder)."""
    try:
        with zipfile.ZipFile(archive) as files:
            files.extractall(target)
    except zipfile.BadZipFile as error:
        size = archive.stat().st_size
        raise DataError(
            f"Expected a zip archive, got {size:,} bytes that are none; try again, or use --from."
        ) from error
    inside = list(target.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else target


def known_statistics(name: str) -> Statistics:
    """The figures of :data:`demo_core.datasets.DATASETS`."""
    statistics = entry(name).statistics
    if statistics is None:
        raise DataError(f"{name} is generated and needs no preparation.")
    return statistics


if __name__ == "__main__":
    main()
