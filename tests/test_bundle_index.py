import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo_core.bundle_index import (
    INDEX_FILE,
    Entry,
    IndexFileError,
    Source,
    find,
    pin,
    pin_folder,
    read_index,
    repin,
    weights_hash,
    write_index,
)
from demo_core.models import MODELS

COMMIT, SHA = "0123456789abcdef0123456789abcdef01234567", "ab" * 32
HERE = Entry("movielens", "card", SHA, folder="movielens/card")
NAMED = Entry("movielens", "gru4rec")
ON_HUB = Entry("zhihu", "tdm", SHA, source=Source("owner/name", COMMIT, SHA))


def test_an_index_comes_back_as_it_was_written_in_the_order_of_its_names(tmp_path: Path) -> None:
    write_index(tmp_path, [ON_HUB, NAMED, HERE])
    assert read_index(tmp_path) == (HERE, NAMED, ON_HUB)
    content = json.loads((tmp_path / INDEX_FILE).read_text())
    assert content["bundles"][1] == {"dataset": "movielens", "model": "gru4rec"}
    assert content["bundles"][2] == {
        "dataset": "zhihu",
        "model": "tdm",
        "repository": "owner/name",
        "revision": COMMIT,
        "sha256": SHA,
    }
    assert [path.name for path in tmp_path.iterdir()] == [INDEX_FILE]


def test_without_an_index_nothing_is_named(tmp_path: Path) -> None:
    assert read_index(tmp_path) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "short"}, "Expected sha256 as 64 hex digits"),
        ({"folder": "zhihu/tdm"}, "expected either a folder, or a repository"),
        ({"revision": "main"}, "expected the whole commit as revision"),
        ({"repository": "no-owner"}, "Expected a repository as OWNER/NAME"),
        ({"dataset": "../x"}, "expected a name as dataset"),
        ({"model": 7}, "expected a name as model"),
        ({"colour": "red"}, "expected dataset and model, with sha256 and folder or repository where there are weights"),
        ({"sha256": None}, "Expected sha256 as 64 hex digits"),
    ],
)
def test_an_entry_that_is_none_is_refused_with_its_reason(
    change: dict[str, object], reason: str, tmp_path: Path
) -> None:
    (tmp_path / INDEX_FILE).write_text(json.dumps({"format": 1, "bundles": [ON_HUB.to_dict() | change]}))
    with pytest.raises(IndexFileError, match=reason):
        read_index(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 2, "bundles": []}', '{"format": 1}', '{"format": 1, "bundles": 3}']
)
def test_a_file_that_is_no_index_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / INDEX_FILE).write_text(text)
    with pytest.raises(IndexFileError, match=r"index\.json is not used"):
        read_index(tmp_path)


def test_a_bundle_is_named_once(tmp_path: Path) -> None:
    write_index(tmp_path, [HERE, HERE])
    with pytest.raises(IndexFileError, match="names movielens/card twice"):
        read_index(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner/name", Source("owner/name", "main")),
        (" owner/name@v1.0 ", Source("owner/name", "v1.0")),
        (f"o/n@{COMMIT}", Source("o/n", COMMIT)),
    ],
)
def test_a_source_is_read_from_a_line(text: str, expected: Source) -> None:
    assert Source.parse(text) == expected


@pytest.mark.parametrize("text", ["", "name", "a/b/c", "a/b@../c", "a/b@", "https://x/y", "a/b@x y", "a b/c"])
def test_a_line_that_names_no_source_is_refused_or_means_the_main_branch(text: str) -> None:
    if text == "a/b@":
        assert Source.parse(text) == Source("a/b", "main")
        return
    with pytest.raises(ValueError, match="Expected"):
        Source.parse(text)


def test_a_source_is_shown_with_its_commit_shortened() -> None:
    assert str(Source("owner/name", COMMIT)) == "owner/name@0123456"
    assert str(Source("owner/name", "v1")) == "owner/name@v1"


def test_pinning_replaces_the_entry_of_the_same_bundle_alone(tmp_path: Path) -> None:
    write_index(tmp_path, [HERE, ON_HUB])
    moved = Entry("movielens", "card", "cd" * 32, source=Source("owner/card", COMMIT, "cd" * 32))
    pin(tmp_path, moved)
    assert read_index(tmp_path) == (moved, ON_HUB)


def test_many_may_pin_at_once(tmp_path: Path) -> None:
    entries = [Entry("movielens", f"model{number}", SHA, folder=f"movielens/model{number}") for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda entry: pin(tmp_path, entry), entries))
    assert set(read_index(tmp_path)) == set(entries)


def test_a_folder_is_pinned_as_it_lies_there_and_again_when_it_was_written_anew(
    film_checkpoints: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(film_checkpoints / "movielens" / "card", tmp_path / "movielens" / "card"))
    repin(folder)
    assert read_index(tmp_path) == (), "what was not named is not named by itself"
    entry = pin_folder(folder)
    assert entry.sha256 == weights_hash(folder) and find(read_index(tmp_path), "movielens", "card") == entry
    shutil.copy(film_checkpoints / "movielens" / "tdm" / "model.safetensors", folder)
    repin(folder)
    (found,) = read_index(tmp_path)
    assert found.sha256 == weights_hash(folder) != entry.sha256


def test_the_apps_own_index_names_every_model_for_every_data_set_that_comes_with_it() -> None:
    entries = read_index(Path(__file__).parents[1] / "checkpoints")
    for dataset in {entry.dataset for entry in entries}:
        assert {entry.model for entry in entries if entry.dataset == dataset} == set(MODELS)
