"""Deploying the app as a Space: what is said first, what is sent, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from demo_core.hub import Hub, HubError
from scripts import deploy_space
from scripts.deploy_space import main
from tests.hub.process import HubProcess, hub_process

# huggingface_hub 2.4 gives a large file to its HTTP client in a way that the client calls outdated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning")

README = "---\ntitle: App\nsuggested_hardware: cpu-basic\nthumbnail: cover.png\n---\n# App\n"
NOWHERE = Hub(endpoint="http://127.0.0.1:9", token="none")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository in the place of this one."""
    texts = {
        "README.md": README,
        "requirements.txt": "gradio==6.31.0\ntorch>=2.8,<2.14\n",
        "app.py": "print('app')\n",
        "LICENSE": "as it says\n",
        "cover.png": "a picture\n",
        "demo_core/page.js": "page();\n",
        "checkpoints/movielens/card/metrics.json": "{}\n",
        "tests/test_app.py": "def test(): ...\n",
    }
    folder = tmp_path / "repository"
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    monkeypatch.setattr(deploy_space, "ROOT", folder)
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub_process(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What is asked of the machine of the Space: the hub of the tests keeps files and runs nothing."""
    calls: list[tuple[object, ...]] = []

    def configure(repository: str, hardware: str | None, variables: Mapping[str, str], hub: Hub) -> None:
        calls.append((repository, hardware, dict(variables)))

    monkeypatch.setattr(deploy_space, "configure_space", configure)
    return calls


def test_a_dry_run_says_everything_and_asks_nobody(
    root: Path, configured: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["owner/turnpoint", "--hardware", "zero-a10g", "--dry-run"], NOWHERE)
    told = capsys.readouterr().out
    for line in (
        "Space owner/turnpoint, public, on zero-a10g, which lends a GPU for seconds at a time",
        "    checkpoints       1    0.0 MB",
        "    - torch>=2.8,<2.14",
        "    + torch==2.11.0",
        "    + spaces==0.51.3",
        "    - suggested_hardware: cpu-basic",
        "    + suggested_hardware: zero-a10g",
        "  Left out: tests (1)",
        "  Then: variables TURNPOINT_OWN_DATA=off; no secrets; the hardware zero-a10g is asked for",
        "Dry run: nothing was sent.",
    ):
        assert line in told.splitlines()
    assert "  7 files of commit " in told
    assert not configured


def test_without_hardware_it_is_the_one_that_the_readme_suggests(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["owner/turnpoint", "--private", "--own-data", "--dry-run"], NOWHERE)
    told = capsys.readouterr().out
    assert "Space owner/turnpoint, private, on cpu-basic\n" in told
    assert "  requirements.txt: as in the repository\n" in told
    assert "TURNPOINT_OWN_DATA=on;" in told


def test_the_space_becomes_what_is_sent_in_one_commit(
    root: Path, hub: HubProcess, configured: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    api, there = HfApi(endpoint=hub.url, token=hub.token), Hub(hub.url, hub.token)
    api.create_repo("owner/one", repo_type="space", space_sdk="gradio")
    old = [CommitOperationAdd("old.py", b"old"), CommitOperationAdd("app.py", b"older")]
    api.create_commit("owner/one", old, commit_message="Before", repo_type="space")
    before = len(api.list_repo_commits("owner/one", repo_type="space"))
    main(["owner/one", "--hardware", "zero-a10g"], there)
    assert "Sent: " in capsys.readouterr().out
    files = set(api.list_repo_files("owner/one", repo_type="space")) - {".gitattributes"}
    assert files == {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {
        "tests/test_app.py"
    }
    assert len(api.list_repo_commits("owner/one", repo_type="space")) == before + 1
    readme = api.hf_hub_download("owner/one", "README.md", repo_type="space", local_dir=root.parent / "back")
    assert f"thumbnail: {hub.url}/spaces/owner/one/resolve/main/cover.png" in Path(readme).read_text(encoding="utf-8")
    assert configured == [("owner/one", "zero-a10g", {"TURNPOINT_OWN_DATA": "off"})]
    main(["owner/one", "--hardware", "zero-a10g"], there)
    assert "Nothing had changed: " in capsys.readouterr().out


def test_what_the_hub_refuses_ends_with_its_reason(
    root: Path, hub: HubProcess, configured: list[tuple[object, ...]]
) -> None:
    with pytest.raises(SystemExit, match="owner/two was not pushed"):
        main(["owner/two"], Hub(hub.url, hub.read_token))
    assert not configured


def test_a_space_that_was_sent_but_not_set_up_says_so(
    root: Path, hub: HubProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*asked: object) -> None:
        raise HubError("owner/three was pushed, but not set up: this is not allowed.")

    monkeypatch.setattr(deploy_space, "configure_space", refuse)
    with pytest.raises(SystemExit, match="was pushed, but not set up"):
        main(["owner/three"], Hub(hub.url, hub.token))


@pytest.mark.parametrize("name", ["turnpoint", "a/b/c", "owner/", "own--er/name", "owner/na..me", "o w/n", "o/n.git"])
def test_a_bad_name_is_refused_before_anything_is_looked_at(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--dry-run"], NOWHERE)
    assert ended.value.code == 2
    assert (
        f"Expected a repository as OWNER/NAME of letters, digits and single dashes, dots or underscores, got {name!r}"
        in (capsys.readouterr().err)
    )


def test_hardware_is_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["owner/name", "--hardware", "two GPUs", "--dry-run"], NOWHERE)
    assert "expected a name like cpu-basic or zero-a10g, got 'two GPUs'" in capsys.readouterr().err


def test_a_repository_without_the_app_is_refused(root: Path) -> None:
    (root / "app.py").unlink()
    with pytest.raises(SystemExit, match=r"A Space needs app\.py"):
        main(["owner/name", "--dry-run"], NOWHERE)


def test_this_repository_can_be_deployed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["owner/turnpoint", "--dry-run"], NOWHERE)
    told = capsys.readouterr().out
    assert "    checkpoints " in told and "    demo_core " in told and "    tests " not in told
