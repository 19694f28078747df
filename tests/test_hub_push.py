"""Pushing a bundle: the real client against a real server."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from demo_core.checkpoint import FILES
from demo_core.hub import Hub, HubError, push_bundle, push_folder
from tests.hub.process import HubProcess
from tests.hubs import bundle, hub, server

__all__ = ["bundle", "hub", "server"]


def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=hub.token)


def commits(hub: Hub, repository: str) -> list[str]:
    return [commit.commit_id for commit in api(hub).list_repo_commits(repository)]


def change(bundle: Path, text: str = "more") -> None:
    (bundle / "README.md").write_text((bundle / "README.md").read_text() + text)


def test_a_bundle_becomes_a_repository_in_one_commit_with_its_tag(hub: Hub, bundle: Path) -> None:
    pushed = push_bundle(bundle, "owner/whole", tag="v1", private=True, hub=hub)
    info = api(hub).model_info("owner/whole")
    assert pushed.changed and pushed.repository == "owner/whole"
    assert info.sha == pushed.commit and info.private
    assert set(FILES) <= {file.rfilename for file in info.siblings or ()}
    assert [(tag.name, tag.target_commit) for tag in api(hub).list_repo_refs("owner/whole").tags] == [
        ("v1", pushed.commit)
    ]
    assert len(commits(hub, "owner/whole")) == 2, "the empty repository, and one commit"


def test_unchanged_content_makes_no_commit(hub: Hub, bundle: Path) -> None:
    first = push_bundle(bundle, "owner/same", hub=hub)
    again = push_bundle(bundle, "owner/same", hub=hub)
    assert (again.commit, again.changed) == (first.commit, False)
    change(bundle)
    third = push_bundle(bundle, "owner/same", hub=hub)
    assert third.changed and third.commit != first.commit
    assert len(commits(hub, "owner/same")) == 3


def test_a_repository_is_what_the_folder_is(hub: Hub, bundle: Path) -> None:
    (bundle / "extra.txt").write_text("no longer wanted")
    push_folder(bundle, "owner/mirror", hub=hub)
    (bundle / "extra.txt").unlink()
    push_folder(bundle, "owner/mirror", hub=hub)
    assert "extra.txt" not in api(hub).list_repo_files("owner/mirror")


def test_a_tag_that_stands_elsewhere_is_not_moved_and_nothing_is_pushed(hub: Hub, bundle: Path) -> None:
    first = push_bundle(bundle, "owner/tagged", tag="v1", hub=hub)
    change(bundle)
    with pytest.raises(HubError, match=f"owner/tagged was not pushed: its tag v1 stands at {first.commit[:7]} already"):
        push_bundle(bundle, "owner/tagged", tag="v1", hub=hub)
    assert commits(hub, "owner/tagged")[0] == first.commit


def test_a_tag_that_stands_where_the_same_content_stands_is_as_good_as_made(hub: Hub, bundle: Path) -> None:
    """As when the answer to its making was lost."""
    first = push_bundle(bundle, "owner/tag-again", tag="v1", hub=hub)
    assert push_bundle(bundle, "owner/tag-again", tag="v1", hub=hub).commit == first.commit


def test_a_stale_parent_is_refused_and_not_overwritten(hub: Hub, bundle: Path) -> None:
    first = push_bundle(bundle, "owner/stale", hub=hub)
    change(bundle, "somebody else's")
    second = push_bundle(bundle, "owner/stale", hub=hub)
    change(bundle, "mine")
    with pytest.raises(HubError, match="owner/stale was not pushed: the repository has moved on meanwhile"):
        push_bundle(bundle, "owner/stale", parent=first.commit, hub=hub)
    assert commits(hub, "owner/stale")[0] == second.commit


def test_two_pushes_at_the_same_moment_end_as_one_after_the_other_or_one_is_refused(hub: Hub, bundle: Path) -> None:
    first = push_bundle(bundle, "owner/race", hub=hub)
    folders = []
    for number in range(2):
        folder = bundle.with_name(f"other{number}")
        folder.mkdir()
        for name in FILES:
            (folder / name).write_bytes((bundle / name).read_bytes())
        change(folder, f"version {number}")
        folders.append(folder)

    def push(folder: Path) -> str | None:
        try:
            return push_bundle(folder, "owner/race", parent=first.commit, hub=hub).commit
        except HubError as error:
            assert "moved on meanwhile" in str(error)
            return None

    with ThreadPoolExecutor(2) as pool:
        made = [commit for commit in pool.map(push, folders) if commit is not None]
    assert len(made) == 1, "both stood on the same parent"
    assert commits(hub, "owner/race")[:2] == [made[0], first.commit]


def test_an_upload_that_breaks_off_leaves_the_old_commit_and_can_be_made_again(
    hub: Hub, server: HubProcess, bundle: Path
) -> None:
    first = push_bundle(bundle, "owner/broken", hub=hub)
    weights = bundle / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + bytes(100_000))
    server.fault("drop_upload", after=20_000, times=1)
    server.fault("refuse_upload")
    with pytest.raises(HubError, match="owner/broken was not pushed: "):
        push_bundle(bundle, "owner/broken", hub=hub)
    assert commits(hub, "owner/broken")[0] == first.commit
    server.no_faults()
    again = push_bundle(bundle, "owner/broken", hub=hub)
    assert again.changed and commits(hub, "owner/broken")[:2] == [again.commit, first.commit]


@pytest.mark.parametrize("who", ["reader", "guest", "nobody"])
def test_a_push_without_the_right_is_refused_in_plain_words(
    who: str, hub: Hub, server: HubProcess, bundle: Path
) -> None:
    push_bundle(bundle, "owner/mine", hub=hub)
    token = {"reader": server.read_token, "guest": server.guest_token, "nobody": "hf_wrong"}[who]
    with pytest.raises(HubError, match="owner/mine was not pushed: ") as told:
        push_bundle(bundle, "owner/mine", hub=replace(hub, token=token))
    assert token not in str(told.value)


def test_a_hub_that_is_silent_or_down_is_said_to_be_and_the_repository_is_where_it_was(
    hub: Hub, server: HubProcess, bundle: Path
) -> None:
    push_bundle(bundle, "owner/quiet", hub=hub)
    server.fault("down")
    with pytest.raises(HubError, match="owner/quiet was not pushed: the Hub answered 503"):
        push_bundle(bundle, "owner/quiet", hub=hub)


@pytest.mark.parametrize("name", ["no-owner", "a/b/c", "owner/", "owner/na me"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(name: str, hub: Hub, bundle: Path) -> None:
    with pytest.raises(HubError, match="not pushed: "):
        push_bundle(bundle, name, hub=hub)


def test_an_empty_folder_is_not_pushed(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(HubError, match="holds no files"):
        push_folder(tmp_path / "nothing", "owner/nothing", hub=hub)


def test_the_token_stands_in_no_text_about_the_hub(hub: Hub) -> None:
    assert hub.token and hub.token not in repr(hub)
