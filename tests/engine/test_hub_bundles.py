"""Bundles from the Hub in an engine and a shelf: fetched on first use, checked, and what is said when it fails."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import HfApi

from demo_core import checkpoint
from demo_core.bundle_index import INDEX_FILE, Entry, Source, pin, pin_folder, weights_hash
from demo_core.engine import Engine, Serving, Shelf
from demo_core.engine.additions import MOST, Additions
from demo_core.engine.answers import InputError, ModelStatus
from demo_core.hub import Fetched, Hub, fetch_bundle, push_bundle
from demo_core.ui import create_app
from tests.hub.process import HubProcess
from tests.hubs import anonymous, hub, server

__all__ = ["hub", "server"]
CPU = torch.device("cpu")
HISTORY = [1, 2, 3, 4]


@pytest.fixture
def checkpoints(film_checkpoints: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(film_checkpoints, tmp_path / "checkpoints"))


def to_hub(checkpoints: Path, model: str, repository: str, hub: Hub, *, private: bool = False) -> Source:
    """Moves a bundle to the Hub, and pins it there."""
    folder = checkpoints / "movielens" / model
    pushed = push_bundle(folder, repository, private=private, hub=hub)
    source = Source(repository, pushed.commit, weights_hash(folder))
    assert source.sha256 is not None
    pin(checkpoints, Entry("movielens", model, source.sha256, source=source))
    shutil.rmtree(folder)
    return source


def engine(checkpoints: Path, hub: Hub) -> Engine:
    return Engine(checkpoints, "movielens", CPU, Serving(hub=hub))


def status(found: Engine, name: str) -> ModelStatus:
    return next(one for one in found.models() if one.name == name)


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_bundle_on_the_hub_is_fetched_when_it_is_first_asked_for_and_gives_the_lists_it_gave(
    checkpoints: Path, hub: Hub
) -> None:
    expected = engine(checkpoints, hub).recommend("card", HISTORY)
    source = to_hub(checkpoints, "card", "owner/first", hub)
    found = engine(checkpoints, hub)
    assert status(found, "card").waiting and status(found, "card").source == str(source)
    assert [one.item.id for one in found.recommend("card", HISTORY).items] == [one.item.id for one in expected.items]
    assert not status(found, "card").waiting and status(found, "card").healthy is not None
    assert any(f"from owner/first@{source.revision[:7]}" in line for line in found.compare(HISTORY).provenance)


def test_a_bundle_lies_here_if_it_is_the_one_that_the_index_means(checkpoints: Path, hub: Hub) -> None:
    folder = checkpoints / "movielens" / "card"
    commit = push_bundle(folder, "owner/here", hub=hub).commit
    source = Source("owner/here", commit, weights_hash(folder))
    pin(checkpoints, Entry("movielens", "card", weights_hash(folder), source=source))
    found = engine(checkpoints, Hub("http://127.0.0.1:9", patience=1.0))
    assert not status(found, "card").waiting and found.recommend("card", HISTORY).items


def test_a_folder_with_other_weights_than_the_index_names_is_not_used(checkpoints: Path, hub: Hub) -> None:
    pin_folder(checkpoints / "movielens" / "card")
    shutil.copy(checkpoints / "movielens/tdm/model.safetensors", checkpoints / "movielens/card")
    found = engine(checkpoints, hub)
    assert status(found, "card").error == (
        "CARD could not be loaded: movielens/card does not hold the weights that the index names. If they are right: "
        "python -m scripts.pin checkpoints/movielens/card."
    )
    assert found.recommend("tdm", HISTORY).items


def test_an_index_that_is_none_is_passed_over_and_said(checkpoints: Path, hub: Hub) -> None:
    (checkpoints / INDEX_FILE).write_text("{")
    found = engine(checkpoints, hub)
    assert found.recommend("card", HISTORY).items
    assert any("index.json is not used" in line for line in found.compare(HISTORY).messages)


FAILURES: dict[str, tuple[str, str]] = {
    "down": ("down", "the Hub answered 503. Try again later."),
    "silent": ("silent", "the Hub did not answer, or broke off; try again."),
    "cut": ("cut", "the Hub did not answer, or broke off; try again."),
    "changed": ("changed", "its weights have the sha256"),
}


@pytest.mark.parametrize("case", sorted(FAILURES))
def test_what_fails_is_said_in_its_own_list_and_the_others_keep_serving(
    case: str, checkpoints: Path, hub: Hub, server: HubProcess
) -> None:
    source = to_hub(checkpoints, "card", f"owner/fails-{case}", hub)
    kind, reason = FAILURES[case]
    found = engine(checkpoints, hub)
    server.fault(kind, after=3000, path=None if kind in ("down", "silent") else "model.safetensors")  # type: ignore[arg-type]
    comparison = found.compare(HISTORY)
    tdm, card, globaldiff = comparison.lists
    assert tdm.items and globaldiff.items and not card.items
    assert card.error is not None and reason in card.error
    assert (
        card.error.startswith("CARD could not be loaded: ")
        and f"owner/fails-{case}@{source.revision[:7]}" in card.error
    )
    assert any(card.error in line for line in comparison.messages)


def test_a_gone_revision_and_a_private_repository_without_a_token_are_said(
    checkpoints: Path, hub: Hub, tmp_path: Path
) -> None:
    to_hub(checkpoints, "card", "owner/secret", hub, private=True)
    source = to_hub(checkpoints, "tdm", "owner/no-revision", hub)
    assert source.sha256 is not None
    gone = Source(source.repository, "f" * 40, source.sha256)
    pin(checkpoints, Entry("movielens", "tdm", source.sha256, source=gone))
    gated = to_hub(checkpoints, "globaldiff", "owner/gate", hub)
    HfApi(endpoint=hub.endpoint, token=hub.token).update_repo_settings(gated.repository, gated="auto")
    lists = (
        engine(checkpoints, anonymous(hub, tmp_path / "nothing")).compare(HISTORY, ["card", "tdm", "globaldiff"]).lists
    )
    card, tdm, globaldiff = (one.error or "" for one in lists)
    assert "there is no such repository, or it is private" in card
    assert "no such revision (any more)" in tdm
    assert "it is gated. Ask its owner for access" in globaldiff


def test_what_may_pass_is_tried_again_later_and_what_may_not_is_not(
    checkpoints: Path, hub: Hub, server: HubProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_hub(checkpoints, "card", "owner/again", hub)
    found = engine(checkpoints, hub)
    server.fault("down")
    assert found.recommend("card", HISTORY).error
    server.no_faults()
    assert found.recommend("card", HISTORY).error, "not at once: the Hub is not asked at every click"
    monkeypatch.setattr("demo_core.engine.bundles.time.monotonic", lambda: time.perf_counter() + 1e9)
    assert found.recommend("card", HISTORY).items


def test_the_start_is_not_delayed_by_a_hub_that_does_not_answer(
    checkpoints: Path, hub: Hub, server: HubProcess
) -> None:
    for model in ("card", "tdm", "globaldiff"):
        to_hub(checkpoints, model, f"owner/slow-{model}", hub)
    began = time.monotonic()
    engine(checkpoints, Hub("http://127.0.0.1:9"))
    alone = time.monotonic() - began
    server.fault("silent")
    began = time.monotonic()
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=replace(hub, cache=None)))
    shelf.additions.add("owner/slow-card")
    assert time.monotonic() - began < alone + 1
    assert shelf.first.recommend("popularity", HISTORY).items


def test_a_data_set_whose_bundles_are_all_on_the_hub_comes_by_itself(checkpoints: Path, hub: Hub) -> None:
    shutil.rmtree(checkpoints / "movielens" / "popularity")
    for model in ("card", "tdm", "globaldiff"):
        to_hub(checkpoints, model, f"owner/all-{model}", hub)
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=hub))
    assert shelf.first.problem is None or "is being fetched from owner/all-" in shelf.first.problem
    until(lambda: shelf.first.problem is None)
    assert all(one.items for one in shelf.first.compare(HISTORY).lists)
    again = Shelf(checkpoints, "movielens", CPU, Serving(hub=replace(hub, endpoint="http://127.0.0.1:9")))
    assert again.first.problem is None, "the second time it is in the cache"


def test_a_bundle_named_while_the_app_runs_stands_beside_the_one_of_the_same_name(checkpoints: Path, hub: Hub) -> None:
    push_bundle(checkpoints / "movielens" / "card", "owner/beside", tag="v1", hub=hub)
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=hub), open_to_bundles=True)
    shelf.additions.add("owner/beside@v1").join(30)
    (told,) = shelf.additions.told()
    assert (told.state, told.dataset, told.model, told.message) == ("ready", "movielens", "card", None)
    one, other = shelf.first.compare(HISTORY, ["card", "card@owner/beside"]).lists
    assert other.title == "CARD (owner/beside)"
    assert [item.item.id for item in one.items] == [item.item.id for item in other.items]


def test_a_bundle_of_another_data_set_brings_its_data_set(checkpoints: Path, hub: Hub, tmp_path: Path) -> None:
    push_bundle(checkpoints / "movielens" / "card", "owner/elsewhere", hub=hub)
    shutil.move(checkpoints / "movielens", tmp_path / "away")
    shelf = Shelf(checkpoints, "zhihu", CPU, Serving(hub=hub))
    shelf.additions.add("owner/elsewhere").join(30)
    assert "movielens" in [one.name for one in shelf.datasets()]
    assert shelf.engine("movielens").recommend("card@owner/elsewhere", HISTORY).items


def test_additions_say_what_failed_and_what_is_no_name(checkpoints: Path, hub: Hub) -> None:
    broken = checkpoints / "movielens" / "tdm"
    (broken / "config.json").write_text("{}")
    push_bundle(broken, "owner/no-bundle", hub=hub)
    changed: list[str] = []
    additions = Additions(hub, changed.append)
    additions.add("owner/no-bundle").join(30)
    additions.add("owner/nothing").join(30)
    additions.add_all("owner/no bundle@,, ")
    first, second, third = additions.told()
    assert first.message is not None and first.message.startswith(
        "owner/no-bundle@main cannot be used: owner/no-bundle@main"
    )
    assert str(hub.cache) not in first.message
    assert second.message is not None and "there is no such repository" in second.message
    assert third.state == "failed" and third.message is not None and "Write OWNER/NAME" in third.message
    assert changed == []


def test_only_so_many_are_added(hub: Hub, server: HubProcess) -> None:
    server.fault("silent")
    additions = Additions(replace(hub, patience=30.0), lambda name: None)
    threads = [additions.add(f"owner/name{number}") for number in range(MOST)]
    with pytest.raises(InputError, match="16 bundles were added already"):
        additions.add("owner/one-more")
    additions.add("owner/name3@v2")
    server.no_faults()
    for thread in threads:
        thread.join(30)
    until(lambda: all(one.state == "failed" for one in additions.told()))
    additions.add("owner/one-more")
    assert len(additions.told()) == MOST, "what failed has given way"


def test_what_is_here_stays_when_another_revision_of_it_cannot_be_had(checkpoints: Path, hub: Hub) -> None:
    push_bundle(checkpoints / "movielens" / "card", "owner/stays", tag="v1", hub=hub)
    additions = Additions(hub, lambda name: None)
    additions.add("owner/stays@v1").join(30)
    additions.add("owner/stays@typo").join(30)
    (told,) = additions.told()
    assert told.state == "failed" and told.message is not None and "no such revision" in told.message
    assert [one.source.repository for one in additions.of("movielens")] == ["owner/stays"]


def test_the_revision_named_last_counts_even_where_an_older_one_comes_after_it(
    checkpoints: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, go_on = checkpoints / "movielens" / "card", threading.Event()
    first = push_bundle(card, "owner/late", tag="v1", hub=hub)
    (card / "README.md").write_text((card / "README.md").read_text() + "\nAnother word.\n")
    second = push_bundle(card, "owner/late", tag="v2", hub=hub)
    assert first.commit != second.commit

    def fetch(source: Source, hub: Hub) -> Fetched:
        if source.revision == "v1":
            assert go_on.wait(30)
        return fetch_bundle(source, hub)

    monkeypatch.setattr("demo_core.engine.additions.fetch_bundle", fetch)
    additions = Additions(hub, lambda name: None)
    older = additions.add("owner/late@v1")
    additions.add("owner/late@v2").join(30)
    go_on.set()
    older.join(30)
    (told,), (held,) = additions.told(), additions.of("movielens")
    assert (told.source, told.state, held.source.revision) == (str(held.source), "ready", second.commit)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"protocol": ["x"]}),
        ("config.json", {"dataset": "x" * 300}),
        ("config.json", {"dataset": ["movielens"]}),
        ("catalogue.json", {"titles": list(range(16))}),
        ("catalogue.json", {"counts": [-1] * 16}),
        ("metrics.json", {"runs": [{}]}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_a_bundle_that_holds_nonsense_is_told_and_stops_nothing(
    file: str, change: dict[str, object], checkpoints: Path, hub: Hub
) -> None:
    own = checkpoints / "movielens" / "card"
    (own / file).write_text(json.dumps(json.loads((own / file).read_text()) | change))
    push_bundle(own, "owner/nonsense", hub=hub)
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=hub))
    assert shelf.first.recommend("tdm", HISTORY).items and shelf.first.recommend("card", HISTORY).error
    shelf.additions.add("owner/nonsense").join(30)
    (told,) = shelf.additions.told()
    assert told.state == "failed" and shelf.first.recommend("tdm", HISTORY).items


def test_bundles_that_are_added_never_turn_off_those_of_the_app(checkpoints: Path, hub: Hub, tmp_path: Path) -> None:
    other = Path(shutil.copytree(checkpoints / "movielens", tmp_path / "other"))
    for name in ("card", "tdm"):
        bundle = checkpoint.load(other / name)
        titles = tuple(f"Another {title}" for title in bundle.catalogue.titles)
        checkpoint.save(replace(bundle, catalogue=replace(bundle.catalogue, titles=titles)), other / name)
        push_bundle(other / name, f"owner/other-{name}", hub=hub)
    for name in ("tdm", "globaldiff", "popularity"):
        shutil.rmtree(checkpoints / "movielens" / name)
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=hub))
    for name in ("card", "tdm"):
        shelf.additions.add(f"owner/other-{name}").join(30)
    lists = shelf.first.compare(HISTORY, ["card", "card@owner/other-card"]).lists
    assert lists[0].items and not lists[0].items[0].item.title.startswith("Another")
    assert lists[1].error is not None and "its catalogue is not the one of" in lists[1].error


def test_the_page_is_built_without_fetching_anything(checkpoints: Path, hub: Hub, server: HubProcess) -> None:
    to_hub(checkpoints, "card", "owner/built", hub)
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=hub))
    create_app(shelf)
    assert status(shelf.first, "card").waiting and shelf.first.ready == ()
    assert shelf.first.recommend("card", HISTORY).items
    assert len(shelf.first.ready) in (0, 3) and not status(shelf.first, "card").waiting


def test_a_data_set_comes_when_the_hub_is_back(
    checkpoints: Path, hub: Hub, server: HubProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo_core.engine.shelf.RETRY_AFTER", 0.05)
    monkeypatch.setattr("demo_core.engine.bundles.RETRY_AFTER", 0.0)
    shutil.rmtree(checkpoints / "movielens" / "popularity")
    for model in ("card", "tdm", "globaldiff"):
        to_hub(checkpoints, model, f"owner/back-{model}", hub)
    server.fault("down")
    shelf = Shelf(checkpoints, "movielens", CPU, Serving(hub=hub))
    until(lambda: "the Hub answered 503" in str(shelf.first.problem))
    server.no_faults()
    until(lambda: shelf.first.problem is None)
    assert shelf.first.recommend("card", HISTORY).items
