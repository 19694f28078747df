"""What the stand-in for the Hub does wrong on purpose, and how its process begins and ends."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx

from tests.hub.process import ROOT, HubProcess, hub_process

# huggingface_hub 2.4 gives a large file to its HTTP client in a way that the client calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning")

WEIGHTS = bytes(range(256)) * 4000  # 1 MB: more than the buffers of a connection hold
SOON = 0.3  # seconds after which a client gives up on a silent hub


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[HubProcess]:
    with hub_process(folder) as hub:
        yield hub


@pytest.fixture
def hub(running: HubProcess) -> Iterator[HubProcess]:
    yield running
    running.no_faults()


@pytest.fixture
def api(hub: HubProcess) -> HfApi:
    return HfApi(endpoint=hub.url, token=hub.token)


@pytest.fixture
def repo(api: HfApi, request: pytest.FixtureRequest) -> str:
    """The id of an empty repository for this test."""
    return api.create_repo("owner/" + re.sub(r"\W+", "-", request.node.name)[:90].strip("-")).repo_id


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "model/config.json").write_text("{}")
    return tmp_path / "model"


def download(hub: HubProcess, path: str) -> HTTPResponse:
    """The answer to one plain request, its content still to be read."""
    connection = HTTPConnection(urlsplit(hub.url).netloc, timeout=60)
    connection.request("GET", path, headers={"Connection": "close"})
    return connection.getresponse()


# Uploads


def test_an_interrupted_upload_leaves_the_old_commit_and_can_be_run_again(
    hub: HubProcess, api: HfApi, repo: str, model: Path, folder: Path
) -> None:
    before = api.model_info(repo).sha
    hub.fault("drop_upload", after=300_000, times=1)
    hub.fault("refuse_upload")  # the client would try again for half a minute
    with pytest.raises(RuntimeError, match=r"model\.safetensors"):
        api.upload_folder(repo_id=repo, folder_path=model)
    assert [fault["used"] for fault in hub.faults()] == [1, 1]
    assert api.model_info(repo).sha == before
    assert not list((folder / "scratch").iterdir()) and not list(folder.glob(f"repos/models/{repo}/lfs/*"))
    hub.no_faults()
    pushed = api.upload_folder(repo_id=repo, folder_path=model)
    assert [commit.commit_id for commit in api.list_repo_commits(repo)] == [pushed.oid, before]
    assert download(hub, f"/{repo}/resolve/main/model.safetensors").read() == WEIGHTS


def test_a_client_gets_over_one_dropped_connection(hub: HubProcess, api: HfApi, repo: str, model: Path) -> None:
    hub.fault("drop_upload", after=0, times=1)
    api.upload_folder(repo_id=repo, folder_path=model)
    assert hub.faults()[0]["used"] == 1
    assert download(hub, f"/{repo}/resolve/main/model.safetensors").read() == WEIGHTS


def test_an_upload_that_is_not_what_was_announced_is_not_kept(
    hub: HubProcess, api: HfApi, repo: str, model: Path, folder: Path
) -> None:
    announced = {"operation": "upload", "objects": [{"oid": "0" * 64, "size": 3}]}
    connection = HTTPConnection(urlsplit(hub.url).netloc, timeout=60)
    batch, token = f"/{repo}.git/info/lfs/objects/batch", {"Authorization": f"Bearer {hub.token}"}
    connection.request("POST", batch, json.dumps(announced), token)
    href = json.loads(connection.getresponse().read())["objects"][0]["actions"]["upload"]["href"]
    for address, expected in ((href, 400), (href.replace("size=3", "size=4"), 403)):
        connection.request("PUT", address.removeprefix(hub.url), b"abc")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == expected
    connection.close()
    assert not list(folder.glob(f"repos/models/{repo}/lfs/*"))


# The whole server


def test_a_hub_that_is_down_answers_503_and_comes_back(
    hub: HubProcess, api: HfApi, repo: str, model: Path, tmp_path: Path
) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    snapshot = api.snapshot_download(repo, cache_dir=tmp_path / "cache")
    hub.fault("down")
    with pytest.raises(HfHubHTTPError) as caught:
        api.model_info(repo)
    assert caught.value.response.status_code == 503
    assert api.snapshot_download(repo, cache_dir=tmp_path / "cache") == snapshot
    hub.no_faults()
    assert api.model_info(repo).sha == Path(snapshot).name


def test_a_silent_hub_accepts_and_never_answers(hub: HubProcess, api: HfApi, repo: str) -> None:
    hub.fault("silent")
    with pytest.raises(httpx.TimeoutException):
        api.model_info(repo, timeout=SOON)
    with socket.create_connection((urlsplit(hub.url).hostname, urlsplit(hub.url).port or 0), timeout=SOON) as waiting:
        waiting.sendall(f"GET /api/models/{repo} HTTP/1.1\r\nHost: hub\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        hub.no_faults()
        waiting.settimeout(60)
        assert closed(waiting)
    assert api.model_info(repo).id == repo


def closed(connection: socket.socket) -> bool:
    """Waits for the end of a connection; False if something came over it."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_fault_is_used_as_often_as_was_said(hub: HubProcess, api: HfApi, repo: str) -> None:
    hub.fault("down", times=2)
    for _ in range(2):
        with pytest.raises(HfHubHTTPError):
            api.model_info(repo)
    assert api.model_info(repo).id == repo


def test_a_fault_nobody_knows_is_refused(hub: HubProcess) -> None:
    with pytest.raises(RuntimeError, match="drop_upload"):
        hub.fault("explode")  # type: ignore[arg-type]
    assert hub.faults() == []


# Downloads


def test_a_cut_file_promises_its_length_and_ends_early(hub: HubProcess, api: HfApi, repo: str, model: Path) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    hub.fault("cut", after=100_000, path="model.safetensors")
    answer = download(hub, f"/{repo}/resolve/main/model.safetensors")
    assert answer.headers["Content-Length"] == str(len(WEIGHTS))
    with pytest.raises(IncompleteRead) as caught:
        answer.read()
    assert caught.value.partial == WEIGHTS[:100_000]
    answer.close()
    assert download(hub, f"/{repo}/resolve/main/config.json").read() == b"{}"


def test_a_client_gets_over_one_file_cut_off(
    hub: HubProcess, api: HfApi, repo: str, model: Path, tmp_path: Path
) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    hub.fault("cut", after=100_000, times=1)
    snapshot = Path(api.snapshot_download(repo, cache_dir=tmp_path / "cache"))
    assert hub.faults()[0]["used"] == 1
    assert (snapshot / "model.safetensors").read_bytes() == WEIGHTS


def test_a_changed_byte_is_handed_on_by_the_client(
    hub: HubProcess, api: HfApi, repo: str, model: Path, tmp_path: Path
) -> None:
    api.upload_folder(repo_id=repo, folder_path=model)
    hub.fault("changed", after=700_000, path="model.safetensors")
    snapshot = Path(api.snapshot_download(repo, cache_dir=tmp_path / "cache"))
    came = (snapshot / "model.safetensors").read_bytes()
    different = [place for place, (one, other) in enumerate(zip(came, WEIGHTS, strict=True)) if one != other]
    assert different == [700_000]
    hub.no_faults()
    assert download(hub, f"/{repo}/resolve/main/model.safetensors").read() == WEIGHTS


# The process


def test_a_hub_is_gone_after_its_block(tmp_path: Path) -> None:
    with hub_process(tmp_path) as hub:
        hub.fault("silent")
        waiting = socket.create_connection((urlsplit(hub.url).hostname, urlsplit(hub.url).port or 0), timeout=60)
        waiting.sendall(b"GET /api/whoami-v2 HTTP/1.1\r\nHost: hub\r\n\r\n")
    with waiting:
        assert closed(waiting)
    with pytest.raises(ConnectionRefusedError):
        hub.faults()


def test_a_folder_is_served_once(tmp_path: Path) -> None:
    with hub_process(tmp_path) as hub:
        with pytest.raises(RuntimeError, match="served by another process"), hub_process(tmp_path):
            pass
        assert HfApi(endpoint=hub.url, token=hub.token).whoami()["name"] == "owner"


def test_a_hub_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hub", "--folder", str(tmp_path), "--child"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_person_is_told_what_to_set_and_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hub", "--folder", str(tmp_path), "--users", "speaker"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "HF_HUB_DISABLE_XET=1" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "".join(lines)
        process.terminate()
    said = "".join(lines)
    address = re.search(r"export HF_ENDPOINT=(http://127\.0\.0\.1:\d+)$", said, re.MULTILINE)
    token = re.search(r"export HF_TOKEN=(hf_\w+)$", said, re.MULTILINE)
    assert address and token and f"user speaker: token {token[1]}" in said
    assert "no Xet, no pull requests, no search" in lines[0]
