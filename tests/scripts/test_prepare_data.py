import gzip
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from demo_core.prepared import DataError, Statistics, read_prepared
from demo_core.raw_data import RAW_SOURCES, read_ml_1m, read_movielens_small
from scripts.prepare_data import DOWNLOADS, NEEDED, download_and_prepare, main, prepare

MOVIES = "".join(f"{i}::Movie {i}, The (2000)::Drama\n" for i in range(1, 21))
RATINGS = "".join(f"{user}::{movie}::5::{100 + movie}\n" for user in (1, 2) for movie in range(1, 21))


def archive_of(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@contextmanager
def served(status: int, content: bytes, announced: int | None = None) -> Iterator[str]:
    """A loopback server with one answer; ``announced``: the length it promises, when that is a lie.

    Status 0 sends the content alone, which is not HTTP.
    """

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) if announced is None else announced))
                self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/archive.zip"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """The original files of a very small ML-1M."""
    folder = tmp_path / "raw" / "ml-1m"
    folder.mkdir(parents=True)
    (folder / "ratings.dat").write_text(RATINGS)
    (folder / "movies.dat").write_text(MOVIES)
    return folder


@pytest.mark.parametrize(
    "files",
    [{"ml-1m/ratings.dat": RATINGS, "ml-1m/movies.dat": MOVIES}, {"ratings.dat": RATINGS, "movies.dat": MOVIES}],
)
def test_a_download_gives_what_the_files_give(files: dict[str, str], original: Path, tmp_path: Path) -> None:
    expected = Statistics.of(read_ml_1m(original))
    assert (expected.sequences, expected.items, expected.interactions) == (2, 20, 40)
    with served(200, archive_of(files)) as url:
        assert download_and_prepare("ml-1m", tmp_path / "place", url, expected) == expected
    assert read_prepared(tmp_path / "place") == read_ml_1m(original)


def test_the_small_movielens_archive_is_read_unpacked(tmp_path: Path) -> None:
    frame = pd.DataFrame([(user, movie, 4.5, movie) for user in range(5) for movie in range(1, 11)])
    ratings = frame.set_axis(["userId", "movieId", "rating", "timestamp"], axis=1).to_csv(index=False)
    movies = "movieId,title,genres\n" + "".join(f"{i},Movie {i} (2000),Drama\n" for i in range(1, 11))
    files = {"ml-latest-small/ratings.csv": ratings, "ml-latest-small/movies.csv": movies}
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "ratings.csv").write_text(ratings)
    (folder / "movies.csv").write_text(movies)
    expected = Statistics.of(read_movielens_small(folder))
    with served(200, archive_of(files)) as url:
        found = download_and_prepare("movielens-small", tmp_path / "place", url, expected)
    assert (found.sequences, found.items, found.interactions) == (5, 10, 50)


def test_another_version_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    archive = archive_of({"ml-1m/ratings.dat": RATINGS, "ml-1m/movies.dat": MOVIES})
    with served(200, archive) as url, pytest.raises(DataError, match="ml-1m: expected sequences 5180, got 2"):
        download_and_prepare("ml-1m", tmp_path / "place", url)
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize("status", [404, 500])
def test_a_refused_download_says_how_to_go_on(status: int, tmp_path: Path) -> None:
    with served(status, b"no") as url, pytest.raises(DataError, match=f"{status}.*prepare_data ml-1m --from FOLDER"):
        download_and_prepare("ml-1m", tmp_path / "place", url)


def test_an_unreachable_host_says_how_to_go_on(tmp_path: Path) -> None:
    with served(200, b"") as url:
        pass
    with pytest.raises(DataError, match=r"could not be reached.*prepare_data ml-1m --from FOLDER"):
        download_and_prepare("ml-1m", tmp_path / "place", url)


def test_an_answer_that_is_not_http_says_how_to_go_on(tmp_path: Path) -> None:
    with served(0, b"good day\r\n") as url, pytest.raises(DataError, match="could not be reached"):
        download_and_prepare("ml-1m", tmp_path / "place", url)


def test_a_page_in_place_of_the_archive_is_refused(tmp_path: Path) -> None:
    with served(200, b"<html>sign in</html>") as url, pytest.raises(DataError, match="zip archive, got 20 bytes"):
        download_and_prepare("ml-1m", tmp_path / "place", url)


def test_a_broken_off_download_is_refused(tmp_path: Path) -> None:
    whole = archive_of({"ratings.dat": RATINGS, "movies.dat": MOVIES})
    with served(200, whole[:100], announced=len(whole)) as url, pytest.raises(DataError, match="--from"):
        download_and_prepare("ml-1m", tmp_path / "place", url)
    assert not (tmp_path / "place").exists()


def test_files_are_found_in_the_folder_and_in_its_parent(original: Path, tmp_path: Path) -> None:
    expected = Statistics.of(read_ml_1m(original))
    for folder in (original, original.parent):
        assert prepare("ml-1m", folder, tmp_path / "place", expected) == expected


def test_every_raw_source_can_be_downloaded_or_says_what_is_needed() -> None:
    assert set(DOWNLOADS) | set(NEEDED) == set(RAW_SOURCES)
    assert not set(DOWNLOADS) & set(NEEDED)


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_without_a_public_archive_the_needed_files_are_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no public archive.*parquet.*--from FOLDER"):
        download_and_prepare(name, tmp_path)


def test_the_command_reports_errors_without_a_traceback(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNPOINT_DATA", str(tmp_path / "data"))
    for words, told in (
        (["movielens"], "2015"),
        (["ml-1m", "--from", str(original)], "expected sequences 5180, got 2"),
        (["zhihu", "--from", str(tmp_path / "nowhere")], r"sessions\.parquet"),
    ):
        with pytest.raises(SystemExit, match=told):
            main(words)
    assert not (tmp_path / "data").exists()


def test_raw_files_that_are_damaged_or_have_other_columns_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [1, 2], "item": [3, 4]})
    for content in (frame.to_parquet(), frame.to_parquet()[:40], b"", b"PAR1"):
        (tmp_path / "sessions.parquet").write_bytes(content)
        with pytest.raises(DataError, match=r"expected sessions\.parquet with .*prepare_data zhihu --from FOLDER"):
            prepare("zhihu", tmp_path, tmp_path / "place")
    (tmp_path / "ratings.csv.gz").write_bytes(gzip.compress(b"userId,movieId,rating,timestamp\n1,2,5,3\n" * 50)[:40])
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n2,Two (2000),Drama\n")
    with pytest.raises(DataError, match="got damaged files or other columns"):
        prepare("movielens-small", tmp_path, tmp_path / "place")
    assert not (tmp_path / "place").exists()


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["kuairec"])
    assert "movielens-small" in capsys.readouterr().err
