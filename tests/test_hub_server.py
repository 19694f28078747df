"""The stand-in for the Hub, asked by the real client."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import torch
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors.torch import save_file

from tests.hub.git_objects import blob_oid, tree_oids
from tests.hub.process import HubProcess, hub_process

# huggingface_hub 2.4 gives a large file to its HTTP client in a way that the client calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning")

WEIGHTS = bytes(range(256)) * 800  # 200 kB
CARD = "---\nlicense: apache-2.0\nlibrary_name: pytorch\ntags:\n- recommendation\n---\n# A model\n"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub_process(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture(scope="module")
def api(hub: HubProcess) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token)


@pytest.fixture
def repo(api: HfApi, request: pytest.FixtureRequest) -> str:
    """The id of an empty repository for this test."""
    return api.create_repo("owner/" + re.sub(r"\W+", "-", request.node.name)[:90].strip("-")).repo_id


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder such as a training leaves."""
    folder = tmp_path / "model"
    (folder / "more").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    (folder / "more/Amélie 1.txt").write_text("two words\n", encoding="utf-8")
    return folder


def head(api: HfApi, repo: str) -> str:
    sha = api.model_info(repo).sha
    assert sha is not None
    return sha


def status(action: Callable[[], object], error: type[HfHubHTTPError] = HfHubHTTPError) -> int:
    """The status with which the hub refuses ``action``."""
    with pytest.raises(error) as caught:
        action()
    return int(caught.value.response.status_code)


# Who asks


def test_whoami_names_the_user_and_what_the_token_may_do(hub: HubProcess, api: HfApi) -> None:
    assert api.whoami()["name"] == hub.owner
    roles = [api.whoami(token)["auth"]["accessToken"]["role"] for token in (hub.token, hub.read_token)]
    assert roles == ["write", "read"]
    assert status(lambda: api.whoami("hf_wrong")) == 401


def test_only_the_owner_with_a_writing_token_may_push(hub: HubProcess, api: HfApi, repo: str, model: Path) -> None:
    before = head(api, repo)
    for token, expected in ((False, 401), (hub.read_token, 403), (hub.guest_token, 403), ("hf_wrong", 401)):
        stranger = HfApi(endpoint=hub.url, token=token)
        assert status(lambda api=stranger: api.upload_folder(repo_id=repo, folder_path=model)) == expected  # type: ignore[misc]
    assert status(lambda: api.create_repo("guest/not-mine")) == 403
    assert head(api, repo) == before


def test_a_private_repository_is_missing_for_everybody_else(hub: HubProcess, api: HfApi, tmp_path: Path) -> None:
    repo = api.create_repo("owner/private", private=True).repo_id
    api.upload_file(repo_id=repo, path_or_fileobj=b"{}", path_in_repo="config.json")
    assert api.model_info(repo, token=hub.read_token).private
    assert status(lambda: api.model_info(repo, token=False), RepositoryNotFoundError) == 401
    assert status(lambda: api.model_info(repo, token=hub.guest_token), RepositoryNotFoundError) == 404
    guest = HfApi(endpoint=hub.url, token=hub.guest_token)
    missing = status(lambda: guest.hf_hub_download(repo, "config.json", cache_dir=tmp_path), RepositoryNotFoundError)
    assert missing == 404


def test_a_gated_repository_shows_its_list_and_keeps_its_files(hub: HubProcess, api: HfApi, tmp_path: Path) -> None:
    repo = api.create_repo("owner/gated").repo_id
    api.upload_file(repo_id=repo, path_or_fileobj=b"{}", path_in_repo="config.json")
    api.update_repo_settings(repo, gated="auto")
    assert api.model_info(repo, token=False).gated == "auto"
    for token, expected in ((False, 401), (hub.guest_token, 403)):
        other = HfApi(endpoint=hub.url, token=token)
        refused = status(lambda api=other: api.snapshot_download(repo, cache_dir=tmp_path), GatedRepoError)  # type: ignore[misc]
        assert refused == expected
        assert status(lambda api=other: api.auth_check(repo), GatedRepoError) == expected  # type: ignore[misc]
    assert Path(api.hf_hub_download(repo, "config.json", cache_dir=tmp_path)).read_bytes() == b"{}"


# Push


def test_creating_twice_is_refused_unless_it_may_exist(api: HfApi, repo: str) -> None:
    assert status(lambda: api.create_repo(repo)) == 409
    assert api.create_repo(repo, exist_ok=True).repo_id == repo


def test_a_folder_is_pushed_with_its_weights_in_lfs(api: HfApi, repo: str, model: Path) -> None:
    pushed = api.upload_folder(repo_id=repo, folder_path=model, commit_message="First", commit_description="Why")
    assert pushed.repo_url.repo_id == repo
    info = api.model_info(repo, files_metadata=True)
    files = {file.rfilename: file for file in info.siblings or ()}
    assert sorted(files) == [".gitattributes", "README.md", "model.safetensors", "more/Amélie 1.txt"]
    assert {name for name, file in files.items() if file.lfs} == {"model.safetensors"}
    assert files["model.safetensors"].size == len(WEIGHTS) and files["README.md"].size == len(CARD)
    assert info.sha == pushed.oid and info.library_name == "pytorch" and "recommendation" in (info.tags or ())
    newest, first = api.list_repo_commits(repo)
    assert (newest.commit_id, newest.title, newest.message, newest.authors) == (pushed.oid, "First", "Why", ["owner"])
    assert first.title == "initial commit"


def test_pushing_the_same_again_makes_no_commit(api: HfApi, repo: str, model: Path) -> None:
    first = api.upload_folder(repo_id=repo, folder_path=model)
    assert api.upload_folder(repo_id=repo, folder_path=model).oid == first.oid
    assert len(api.list_repo_commits(repo)) == 2


def test_a_commit_on_a_state_that_is_no_longer_the_last_is_refused(api: HfApi, repo: str) -> None:
    before = head(api, repo)
    after = api.upload_file(repo_id=repo, path_or_fileobj=b"1", path_in_repo="a.txt", parent_commit=before).oid
    stale = status(
        lambda: api.upload_file(repo_id=repo, path_or_fileobj=b"2", path_in_repo="a.txt", parent_commit=before)
    )
    assert stale == 412 and head(api, repo) == after


def at_once(api: HfApi, repo: str, pushes: int, parent: str | None) -> list[str | int]:
    """Ids of the commits of pushes that begin together, or the status of their refusal."""
    ready = threading.Barrier(pushes)

    def push(number: int) -> str | int:
        file = CommitOperationAdd(f"{number}.txt", str(number).encode())
        ready.wait()
        try:
            return api.create_commit(repo, [file], commit_message=f"Push {number}", parent_commit=parent).oid
        except HfHubHTTPError as error:
            return int(error.response.status_code)

    with ThreadPoolExecutor(pushes) as pool:
        return list(pool.map(push, range(pushes)))


def test_pushes_at_the_same_moment_follow_each_other(api: HfApi, repo: str) -> None:
    oids = at_once(api, repo, 8, parent=None)
    history = [commit.commit_id for commit in api.list_repo_commits(repo)]
    assert len(history) == 9 and set(history[:-1]) == set(oids)
    assert len(api.list_repo_files(repo)) == 9


def test_of_pushes_on_the_same_state_one_wins(api: HfApi, repo: str) -> None:
    results = at_once(api, repo, 8, parent=head(api, repo))
    assert results.count(412) == 7
    assert [result for result in results if result != 412] == [head(api, repo)]


def test_files_and_folders_are_deleted(api: HfApi, repo: str, model: Path) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    api.delete_file("model.safetensors", repo)
    api.delete_folder("more", repo)
    assert api.list_repo_files(repo) == [".gitattributes", "README.md"]
    assert status(lambda: api.delete_file("never.txt", repo), EntryNotFoundError) == 404  # type: ignore[arg-type]


def test_a_repository_is_deleted_and_its_name_is_free_again(api: HfApi, repo: str, model: Path) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    api.delete_repo(repo)
    assert not api.repo_exists(repo)
    assert status(lambda: api.delete_repo(repo), RepositoryNotFoundError) == 404
    api.create_repo(repo)
    assert api.list_repo_files(repo) == [".gitattributes"]


def test_a_card_whose_metadata_cannot_be_read_is_refused(api: HfApi, repo: str) -> None:
    broken = b"---\ntags: [a\n---\n"
    with pytest.raises(ValueError, match="Invalid metadata"):
        api.upload_file(repo_id=repo, path_or_fileobj=broken, path_in_repo="README.md")
    assert api.list_repo_files(repo) == [".gitattributes"]


@pytest.mark.parametrize("path", ["../outside.txt", "a/../../b.txt", "/etc/passwd", ".git/config", ""])
def test_no_path_leads_out_of_a_repository(hub: HubProcess, api: HfApi, repo: str, path: str) -> None:
    rows = [("header", {"summary": "Out"}), ("file", {"path": path, "content": ""})]
    lines = "\n".join(json.dumps({"key": key, "value": value}) for key, value in rows)
    answer = raw(hub, "POST", f"/api/models/{repo}/commit/main", lines)
    assert answer[0] == 400
    assert len(api.list_repo_commits(repo)) == 1


# Pull


def raw(hub: HubProcess, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in small letters and content of one request with the owner's token."""
    connection = HTTPConnection(urlsplit(hub.url).netloc, timeout=60)
    connection.request(method, path, body or None, {"Authorization": f"Bearer {hub.token}"} | headers)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_old_and_new_revisions_stay_readable(api: HfApi, repo: str, tmp_path: Path) -> None:
    old = api.upload_file(repo_id=repo, path_or_fileobj=b"old", path_in_repo="a.txt").oid
    api.create_tag(repo, tag="v1")
    api.upload_file(repo_id=repo, path_or_fileobj=b"new", path_in_repo="a.txt")
    for revision, content in (("v1", b"old"), (old, b"old"), ("main", b"new"), (None, b"new")):
        file = api.hf_hub_download(repo, "a.txt", revision=revision, cache_dir=tmp_path)
        assert Path(file).read_bytes() == content
    assert status(lambda: api.create_tag(repo, tag="v1")) == 409
    api.create_tag(repo, tag="v1", exist_ok=True)
    assert [(tag.name, tag.target_commit) for tag in api.list_repo_refs(repo).tags] == [("v1", old)]
    api.delete_tag(repo, tag="v1")
    assert status(lambda: api.model_info(repo, revision="v1"), RevisionNotFoundError) == 404


def test_branches_are_written_apart(api: HfApi, repo: str, tmp_path: Path) -> None:
    api.create_branch(repo, branch="try/one")
    api.upload_file(repo_id=repo, path_or_fileobj=b"1", path_in_repo="sub/a.txt", revision="try/one")
    assert api.list_repo_files(repo) == [".gitattributes"]
    assert api.list_repo_files(repo, revision="try/one") == [".gitattributes", "sub/a.txt"]
    file = api.hf_hub_download(repo, "sub/a.txt", revision="try/one", cache_dir=tmp_path)
    assert Path(file).read_bytes() == b"1"
    assert sorted(branch.name for branch in api.list_repo_refs(repo).branches) == ["main", "try/one"]
    api.delete_branch(repo, branch="try/one")
    assert not api.revision_exists(repo, "try/one")


def test_what_is_not_there_says_what_is_missing(api: HfApi, repo: str, tmp_path: Path) -> None:
    missing = {
        EntryNotFoundError: (repo, "never.txt", "main"),
        RevisionNotFoundError: (repo, ".gitattributes", "v9"),
        RepositoryNotFoundError: ("owner/never", ".gitattributes", "main"),
    }
    for error, (repo_id, file, revision) in missing.items():
        with pytest.raises(error):
            api.hf_hub_download(repo_id, file, revision=revision, cache_dir=tmp_path)
    assert status(lambda: api.model_info("owner/never", token=False), RepositoryNotFoundError) == 401


def test_a_snapshot_into_an_empty_cache_is_the_pushed_folder(
    api: HfApi, repo: str, model: Path, tmp_path: Path
) -> None:
    pushed = api.upload_folder(repo_id=repo, folder_path=model)
    api.create_tag(repo, tag="v1")
    snapshot = Path(api.snapshot_download(repo, revision="v1", cache_dir=tmp_path / "cache"))
    assert snapshot.name == pushed.oid
    for file in (path for path in model.rglob("*") if path.is_file()):
        assert (snapshot / file.relative_to(model)).read_bytes() == file.read_bytes()
    some = api.snapshot_download(repo, allow_patterns=["*.md"], cache_dir=tmp_path / "other")
    assert [path.name for path in Path(some).rglob("*")] == ["README.md"]


def test_a_repository_is_walked_like_a_file_system(hub: HubProcess, api: HfApi, repo: str, model: Path) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    files = HfFileSystem(endpoint=hub.url, token=hub.token, skip_instance_cache=True)
    names = [".gitattributes", "README.md", "model.safetensors", "more"]
    assert sorted(map(str, files.ls(repo, detail=False))) == [f"{repo}/{name}" for name in names]
    assert files.find(f"{repo}/more") == [f"{repo}/more/Amélie 1.txt"]
    assert files.read_text(f"{repo}/more/Amélie 1.txt") == "two words\n"
    assert files.info(f"{repo}/model.safetensors")["size"] == len(WEIGHTS)


def test_each_file_tells_the_commit_that_changed_it(api: HfApi, repo: str) -> None:
    first = api.upload_file(repo_id=repo, path_or_fileobj=b"1", path_in_repo="sub/a.txt").oid
    second = api.upload_file(repo_id=repo, path_or_fileobj=b"1", path_in_repo="sub/b.txt").oid
    rows = api.list_repo_tree(repo, recursive=True, expand=True)
    last = {row.path: row.last_commit.oid for row in rows if row.last_commit}
    assert (last["sub/a.txt"], last["sub/b.txt"], last["sub"]) == (first, second, second)
    found = api.get_paths_info(repo, ["sub", "sub/a.txt", "never.txt"], expand=True)
    assert [row.path for row in found] == ["sub", "sub/a.txt"]
    assert [row.path for row in api.list_repo_tree(repo, "sub")] == ["sub/a.txt", "sub/b.txt"]


def test_parts_of_a_file_can_be_asked_for(hub: HubProcess, api: HfApi, repo: str, model: Path) -> None:
    oid = api.upload_folder(repo_id=repo, folder_path=model).oid
    path, size = f"/{repo}/resolve/main/model.safetensors", len(WEIGHTS)
    for part, expected in (("0-9", WEIGHTS[:10]), ("500-", WEIGHTS[500:]), ("-7", WEIGHTS[-7:])):
        code, headers, content = raw(hub, "GET", path, Range=f"bytes={part}")
        assert (code, content) == (206, expected)
    code, headers, content = raw(hub, "HEAD", path)
    assert (code, content, headers["content-length"]) == (200, b"", str(size))
    assert headers["x-repo-commit"] == oid and headers["x-linked-size"] == str(size)
    assert headers["etag"] == headers["x-linked-etag"]
    assert raw(hub, "GET", path, Range=f"bytes={size}-")[0] == 416


def test_the_header_of_a_safetensors_file_is_read_without_the_file(api: HfApi, repo: str, tmp_path: Path) -> None:
    save_file({"items": torch.zeros(1000, 64)}, tmp_path / "model.safetensors")
    api.upload_file(repo_id=repo, path_or_fileobj=tmp_path / "model.safetensors", path_in_repo="model.safetensors")
    assert api.get_safetensors_metadata(repo).parameter_count == {"F32": 64000}


@pytest.mark.parametrize(("kind", "sdk"), [("dataset", None), ("space", "gradio")])
def test_other_kinds_have_places_of_their_own(api: HfApi, tmp_path: Path, kind: str, sdk: str | None) -> None:
    api.create_repo("owner/same-name", exist_ok=True)
    api.create_repo("owner/same-name", repo_type=kind, space_sdk=sdk)
    (tmp_path / "of").mkdir()
    (tmp_path / "of/model.safetensors").write_bytes(WEIGHTS)
    api.upload_folder(repo_id="owner/same-name", repo_type=kind, folder_path=tmp_path / "of")
    snapshot = api.snapshot_download("owner/same-name", repo_type=kind, cache_dir=tmp_path / "cache")
    assert (Path(snapshot) / "model.safetensors").read_bytes() == WEIGHTS
    assert api.list_repo_files("owner/same-name") == [".gitattributes"]
    if sdk:
        assert api.space_info("owner/same-name").sdk == sdk


# Disk


def test_a_restart_on_the_same_folder_keeps_everything(tmp_path: Path, model: Path) -> None:
    with hub_process(tmp_path / "hub") as hub:
        api = HfApi(endpoint=hub.url, token=hub.token)
        api.create_repo("owner/kept", private=True)
        oid = api.upload_folder(repo_id="owner/kept", folder_path=model).oid
        api.create_tag("owner/kept", tag="v1")
    (tmp_path / "hub/scratch/half-an-upload").write_bytes(b"")
    with hub_process(tmp_path / "hub") as again:
        assert not list((tmp_path / "hub/scratch").iterdir())
        assert (again.token, again.read_token) == (hub.token, hub.read_token)
        api = HfApi(endpoint=again.url, token=again.token)
        assert api.model_info("owner/kept").private
        snapshot = Path(api.snapshot_download("owner/kept", revision="v1", cache_dir=tmp_path / "cache"))
        assert snapshot.name == oid and (snapshot / "model.safetensors").read_bytes() == WEIGHTS
        assert api.upload_folder(repo_id="owner/kept", folder_path=model).oid == oid


def test_names_of_contents_are_those_of_git() -> None:
    """Of the empty blob and tree, and of one file ``b/c`` beside ``b.txt``, both "x": git puts ``b.txt`` first."""
    assert blob_oid(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert tree_oids({})[""] == "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    assert tree_oids({"b/c": blob_oid(b"x"), "b.txt": blob_oid(b"x")})[""] == "0ad5d166d7e86869508a12093c78ff3c63ba0c88"
