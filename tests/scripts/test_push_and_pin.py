"""The whole way of a bundle, by the commands that a person gives: trained, pushed, pinned, served by the app."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from demo_core.bundle_index import Entry, Source, pin_folder, read_index, write_index
from scripts import pin, push
from scripts.serving import served
from tests.hub.process import HubProcess
from tests.hubs import server

__all__ = ["server"]
ROOT = Path(__file__).parents[2]
SMALL = ["--set", "embedding_dim=16", "--set", "max_epochs=1", "--threads", "1", "--cpu"]


@pytest.fixture(autouse=True)
def machine(server: HubProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with a token and an empty cache, whose Hub is the stand-in."""
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", server.token)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def command(*words: str, fails: bool = False) -> str:
    """What a command of ours prints, or why it ended."""
    run = [sys.executable, "-m", *words]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr.strip() if fails else done.stdout


def status_of(client: Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in client.predict(api_name="/models") if one["name"] == name)
    return found


def test_a_model_is_trained_pushed_pinned_and_served_by_the_app(tmp_path: Path) -> None:
    checkpoints, trained = tmp_path / "checkpoints", tmp_path / "trained"
    said = command(
        *("scripts.train", "sasrec", "--dataset", "toy", "--out", str(trained), *SMALL),
        *("--push", "owner/toy-sasrec", "--tag", "v1", "--pin", str(checkpoints)),
    )
    (entry,) = read_index(checkpoints)
    assert (
        entry.source is not None
        and entry.sha256 is not None
        and f"Pushed: owner/toy-sasrec at {entry.source.revision}" in said
    )
    assert f"Pinned in {checkpoints / 'index.json'}" in said
    short = f"owner/toy-sasrec@{entry.source.revision[:7]}"
    assert command("scripts.pin", "owner/toy-sasrec@v1", "--checkpoints", str(checkpoints)).startswith(
        f"toy/sasrec: {short}, weights {entry.sha256[:12]}"
    )
    assert "Unchanged: owner/toy-sasrec at " in command("scripts.push", str(trained), "--repo", "owner/toy-sasrec")
    shutil.rmtree(trained)
    app = ("app.py", "--checkpoints", str(checkpoints), "--dataset", "toy", "--host", "127.0.0.1", "--port")
    with served(app) as page:
        client = Client(page.address, verbose=False)
        until = time.monotonic() + 60
        while status_of(client, "sasrec")["waiting"] and time.monotonic() < until:
            time.sleep(0.1)
        told = client.predict("sasrec", [1, 2, 3], k=5, api_name="/recommend")
        assert [row["rank"] for row in told["items"]] == [1, 2, 3, 4, 5]
        assert status_of(client, "sasrec")["source"] == short


def test_a_command_whose_hub_refuses_says_why_in_one_line(film_checkpoints: Path, tmp_path: Path) -> None:
    folder = str(film_checkpoints / "movielens" / "popularity")
    told = command("scripts.push", folder, "--repo", "guest/not-mine", fails=True)
    assert told.startswith("guest/not-mine was not pushed: ") and "Traceback" not in told
    assert command("scripts.pin", "owner/nothing", "--checkpoints", str(tmp_path), fails=True) == (
        "owner/nothing@main could not be fetched: there is no such repository, or it is private."
    )


def test_what_cannot_be_pushed_or_pinned_is_said_before_the_hub_is_asked(
    film_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(film_checkpoints / "movielens" / "popularity")
    for main, words, expected in (
        (push.main, [str(tmp_path), "--repo", "owner/x"], f"{tmp_path}: expected"),
        (push.main, [folder, "--repo", "noowner"], "Expected a repository as"),
        (pin.main, [folder], f"{folder}: expected a bundle in "),
    ):
        monkeypatch.setattr(sys, "argv", ["command", *words])
        with pytest.raises(SystemExit, match=re.escape(expected)):
            main()


def test_an_index_is_checked_against_what_lies_there(
    film_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = Path(shutil.copytree(film_checkpoints, tmp_path / "checkpoints"))
    folders = [str(checkpoints / "movielens" / name) for name in ("card", "tdm", "popularity")]
    monkeypatch.setattr(sys, "argv", ["pin", *folders, "--checkpoints", str(checkpoints)])
    pin.main()
    monkeypatch.setattr(sys, "argv", ["pin", "--check", "--checkpoints", str(checkpoints)])
    pin.main()
    assert capsys.readouterr().out.endswith("\n3 bundles in folders, all as the index says\n")
    shutil.copy(f"{folders[1]}/model.safetensors", folders[0])
    shutil.rmtree(folders[2])
    with pytest.raises(SystemExit) as ended:
        pin.main()
    assert str(ended.value).splitlines() == [
        "movielens/card: other weights than the index names.",
        "movielens/popularity: the folder is missing.",
    ]


def test_a_check_says_what_it_did_not_compare_and_goes_on_where_weights_are_missing(
    film_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = Path(shutil.copytree(film_checkpoints, tmp_path / "checkpoints"))
    monkeypatch.setattr(sys, "argv", ["pin", "--check", "--checkpoints", str(checkpoints)])
    pushed = Entry("movielens", "sasrec", "a" * 64, source=Source("owner/name", "b" * 40, "a" * 64))
    write_index(checkpoints, [pushed, Entry("movielens", "caser")])
    pin.main()
    assert capsys.readouterr().out == (
        "0 bundles in folders, all as the index says; 1 on the Hub, which were not compared\n"
    )
    for name in ("card", "tdm"):
        pin_folder(checkpoints / "movielens" / name)
    (checkpoints / "movielens" / "card" / "model.safetensors").unlink()
    (checkpoints / "movielens" / "tdm" / "model.safetensors").write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        pin.main()
    assert str(ended.value).splitlines() == [
        "movielens/card: expected its weights in model.safetensors, got: No such file or directory.",
        "movielens/tdm: other weights than the index names.",
    ]


def test_a_check_without_an_index_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pin", "--check", "--checkpoints", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"none: expected an index\.json to compare with, found no file\."):
        pin.main()
