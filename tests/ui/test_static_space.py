"""What a static site holds, where it is written, and what is refused."""

from __future__ import annotations

import base64
import json
import re
import shutil
import zlib
from pathlib import Path
from typing import Any

import pytest

from demo_core.engine import Engine
from demo_core.engine.denoising_answers import DenoisingFrame
from demo_core.engine.titles import names_of
from demo_core.families import SYSTEMS
from demo_core.ui.explore import reasons, view
from demo_core.ui.static_site import FolderError, SiteError, write_site
from demo_core.ui.static_site.drawings import DrawingsDifferError, for_both_themes
from demo_core.ui.static_site.folder import MARK, write_folder
from demo_core.ui.static_site.histories import beyond
from demo_core.ui.static_site.packing import data_script, slim
from scripts.static_space import main
from tests.ui.static_sites import HOSTILE, TERMS, prepared

LARGEST = 12_000_000
PEOPLE = 4  # of the eight there are


def handed_in(path: Path) -> Any:
    """The value in a data script, whose whole text is one call with two plain strings."""
    call = re.fullmatch(r'turnpoint\.put\("([a-z0-9/]+)", "([A-Za-z0-9+/=]+)"\);\n', path.read_text(encoding="ascii"))
    assert call and path.as_posix().endswith(f"data/{call[1]}.js")
    return json.loads(zlib.decompress(base64.b64decode(call[2])))


@pytest.fixture(scope="module")
def checkpoints(film_checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(film_checkpoints, tmp_path_factory.mktemp("static") / "checkpoints")


@pytest.fixture(scope="module")
def site(checkpoints: Path) -> Path:
    folder = checkpoints.parent / "site"
    write_site(checkpoints, "movielens", folder, PEOPLE, thorough=("hr@50",))
    return folder


@pytest.fixture(scope="module")
def engine(checkpoints: Path) -> Engine:
    return Engine(checkpoints, "movielens")


def front_matter(site: Path) -> dict[str, str]:
    head = (site / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    return dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)


def test_the_folder_can_be_pushed_as_a_static_space(site: Path) -> None:
    front = front_matter(site)
    assert front["sdk"] == "static" and front["header"] == "mini" and front["license"] == "apache-2.0"
    assert (site / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60, "the Hub refuses longer ones"
    assert {"title", "emoji", "colorFrom", "colorTo"} <= front.keys()
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < LARGEST


def test_terms_of_data_and_code_stand_beside_and_are_linked(site: Path) -> None:
    assert (site / TERMS).read_text() == "Terms of the films."
    assert "Apache License" in (site / "LICENSE").read_text(encoding="utf-8")
    for page in ("index.html", "README.md"):
        assert TERMS in (site / page).read_text(encoding="utf-8")


def test_data_that_came_without_terms_are_not_given_any(checkpoints: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkpoints"
    shutil.copytree(checkpoints, copy)
    (copy / "movielens" / TERMS).unlink()
    write_site(copy, "movielens", tmp_path / "site", people=0, thorough=())
    assert front_matter(tmp_path / "site")["license"] == "other"


def test_nothing_is_loaded_from_anywhere_else(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    loads = re.findall(r'<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)="([^"]*)"', page)
    assert [load for load in loads if not load.startswith("data:")] == ["page.js"]
    assert not re.findall(r"@import|url\((?![\"']?data:)", page)
    script = (site / "page.js").read_text(encoding="utf-8")
    assert not re.findall(r"\bfetch\(|EventSource|XMLHttpRequest|WebSocket|\bimport\b *\(|sendBeacon", script)


def test_the_components_of_the_app_are_on_the_page_as_they_are(site: Path) -> None:
    script = (site / "page.js").read_text(encoding="utf-8")
    for function in (
        "function refresh(",
        "function drawGauge(",
        "function drawBump(",
        "function drawWide(",
        "function present(",
    ):
        assert script.count(function) == 1
    assert "gradio_api" not in script, "no stream from a server"


def test_titles_cannot_leave_the_data(site: Path) -> None:
    for path in site.rglob("*"):
        if path.is_file():
            assert "onerror=alert" not in path.read_text(encoding="utf-8"), path
    assert handed_in(site / "data/catalogue.js")["titles"][0] == HOSTILE


def test_the_catalogue_is_whole_and_found_by_the_names_of_the_app(site: Path, engine: Engine) -> None:
    told = handed_in(site / "data/catalogue.js")
    assert {len(told[name]) for name in ("titles", "years", "genres_of", "popularity", "counts", "names")} == {16}
    for at in (3, 8):
        own = [[name.text, name.kind] for name in names_of(engine.item(at + 1)) if not name.dated]
        assert told["names"][at] == own
    assert told["genres"] == ["Drama"] and told["genres_of"][5] == [0]


def test_the_page_says_what_it_holds_and_how_it_was_made(site: Path) -> None:
    told = handed_in(site / "data/site.js")
    assert "3 ready histories and 4 of 8 example people" in told["about"]
    assert "Example people (4 of 8)" in told["people"]
    page = (site / "index.html").read_text(encoding="utf-8")
    assert re.search(r"Computed on \d{4}-\d\d-\d\d, .*, commit \w+", page)
    assert [one["kind"] for one in told["histories"]] == ["empty", *["ready"] * 3, *["person"] * PEOPLE]
    assert [one["name"] for one in told["facts"]["explore"]["models"]] == ["tdm", "card", "globaldiff"]


def test_every_history_is_there_whole_and_with_each_film_switched_off(site: Path, engine: Engine) -> None:
    histories = handed_in(site / "data/site.js")["histories"]
    for at, one in enumerate(histories):
        told, length = handed_in(site / f"data/histories/{at}.js"), len(one["items"])
        read = [str(position) for position in range(max(length - engine.window, 0) + 1, length + 1)]
        assert sorted(told["looks"]) == sorted(told["walks"]) == sorted(["", *read])
        for off in told["looks"]:
            state = {"items": one["items"], "next": one["next"], "off": [int(off)] if off else []}
            own = slim(view(engine, state)["comparison"])
            kept = told["looks"][off]["comparison"]
            assert [each["items"] for each in kept["lists"]] == [each["items"] for each in own["lists"]]
            assert (kept["route"], kept["effects"], kept["messages"]) == (own["route"], own["effects"], own["messages"])


def test_what_is_said_without_the_next_film_is_kept_too(site: Path, engine: Engine) -> None:
    one, told = handed_in(site / "data/site.js")["histories"][4], handed_in(site / "data/histories/4.js")
    quiet = view(engine, {"items": one["items"]})["comparison"]["messages"]
    assert told["looks"][""]["quiet"] == list(quiet)
    assert set(told["looks"][""]["comparison"]["messages"]) - set(quiet), "the rank of the next film"


def test_the_sampling_and_the_reasons_are_those_of_the_engine(site: Path, engine: Engine) -> None:
    one, told = handed_in(site / "data/site.js")["histories"][1], handed_in(site / "data/histories/1.js")
    frames = [part for part in told["walks"][""] if part["kind"] == "frame" and part["model"] == "card"]
    own = [
        part
        for part in engine.denoise(one["items"], ["card"], 10, truth=one["next"])
        if isinstance(part, DenoisingFrame)
    ]
    assert [frame["items"] for frame in frames] == [[{"#": item.id} for item in part.items] for part in own]
    listed = {row["item"]["#"] for each in told["looks"][""]["comparison"]["lists"] for row in each["items"]}
    assert {int(id) for id in told["why"]} == listed
    id = min(listed)
    assert told["why"][str(id)] == slim(reasons(engine, {"items": one["items"], "item": id})["why"])


def test_the_other_side_of_the_threshold_is_on_the_other_side(site: Path) -> None:
    others = [handed_in(path)["other"] for path in (site / "data/histories").iterdir()]
    assert any(others)
    for path in (site / "data/histories").iterdir():
        told = handed_in(path)
        if told["other"]:
            outcomes = {
                told["looks"][""]["comparison"]["route"]["outcome"],
                told["other"]["comparison"]["route"]["outcome"],
            }
            assert outcomes == {"turning", "stable"}


@pytest.mark.parametrize(
    ("evenness", "turning", "expected"),
    [(0.9571, True, 0.958), (0.957, True, 0.957), (0.9571, False, 0.957), (0.957, False, 0.956)],
)
def test_the_nearest_threshold_beyond_an_evenness(evenness: float, turning: bool, expected: float) -> None:
    assert beyond(evenness, turning) == expected
    assert (evenness > expected) is not turning


def test_every_choice_of_the_benchmarks_has_its_view_and_its_table(site: Path) -> None:
    offer = handed_in(site / "data/site.js")["benchmarks"]
    assert offer["first"] == "movielens" and offer["thorough"] == ["hr@50"]
    for at, dataset in enumerate(offer["datasets"]):
        told = handed_in(site / f"data/benchmarks/{at}.js")
        for protocol in dataset["protocols"]:
            for metric in protocol["metrics"]:
                shown = told["views"][f"{protocol['protocol']}|{metric}"]
                assert shown["choice"]["dataset"] == dataset["dataset"] and shown["choice"]["metric"] == metric
                assert told["tables"][f"{protocol['protocol']}|{metric}|"]["text"].startswith("dataset,protocol,model")
        beside = [key for key in told["views"] if key.endswith("|beside")]
        assert bool(beside) == (len(dataset["protocols"]) > 1)


def test_the_family_tree_is_there_for_every_data_set_that_was_measured(site: Path) -> None:
    views = handed_in(site / "data/family.js")
    assert [one["dataset"] for one in views] == [one["name"] for one in views[0]["datasets"]] == ["movielens"]
    assert {one["name"] for one in views[0]["systems"]} == set(SYSTEMS)
    assert handed_in(site / "data/site.js")["facts"]["family"]["live"] is False


def test_charts_are_drawn_for_the_metrics_that_were_asked_for(site: Path) -> None:
    drawings = {name: svgs for path in (site / "data/drawings").iterdir() for name, svgs in handed_in(path).items()}
    assert sorted(drawings) == ["leave-one-out-full|hr@50||compact", "leave-one-out-full|hr@50||wide"]
    svg = drawings["leave-one-out-full|hr@50||wide"][0]
    assert svg.startswith("<svg") and "var(--ink)" in svg and "#131A2A" not in svg


def test_one_drawing_serves_both_themes() -> None:
    light = '<svg><path fill="#131A2A" d="M1.23456,2"/><path fill="#131A2A"/><path fill="#4c78a8"/></svg>'
    dark = '<svg><path fill="#EEF2FA" d="M1.23456,2"/><path fill="#131A2A"/><path fill="#4c78a8"/></svg>'
    assert for_both_themes(light, dark) == (
        '<svg><path fill="var(--ink)" d="M1.23,2"/><path fill="var(--truth-ink)"/><path fill="#4c78a8"/></svg>'
    )
    with pytest.raises(DrawingsDifferError):
        for_both_themes(light, dark.replace("M1", "M2"))


def test_values_are_handed_in_small_and_numbers_that_are_none_are_refused() -> None:
    assert slim({"a": (1 / 3, [True, None, "x"])}) == {"a": [0.333333, [True, None, "x"]]}
    with pytest.raises(ValueError, match="JSON"):
        data_script("site", {"a": float("nan")})


def test_models_without_a_route_and_people_make_a_site_too(film_checkpoints: Path, tmp_path: Path) -> None:
    shutil.copytree(film_checkpoints / "movielens" / "popularity", tmp_path / "movielens" / "popularity")
    said: list[str] = []
    write_site(tmp_path, "movielens", tmp_path / "site", thorough=(), say=said.append)
    assert "There are no example people: expected examples.json" in said[0]
    told = handed_in(tmp_path / "site/data/histories/0.js")
    assert told["looks"][""]["comparison"]["route"] is None and told["other"] is None
    assert "the empty history alone" in handed_in(tmp_path / "site/data/site.js")["about"]


# Where it is written


def test_an_earlier_site_is_replaced_and_nothing_is_left_beside(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_folder(folder, {"a.txt": b"1", "old/b.txt": b"2"})
    write_folder(folder, {"a.txt": b"3"})
    assert (folder / "a.txt").read_bytes() == b"3" and not (folder / "old").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_holds_something_else_is_refused_before_anything_is_computed(
    checkpoints: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderError, match="holds something else than an earlier site"):
        write_site(checkpoints, "no such data set", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("change", ["index.html", "notes.txt"])
def test_a_site_that_somebody_changed_is_refused_by_the_name_of_the_change(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "site"
    write_folder(folder, {"index.html": b"1"})
    (folder / change).write_bytes(b"mine")
    with pytest.raises(FolderError, match=f"was changed since it was written: {change}"):
        write_folder(folder, {"index.html": b"2"})
    assert (folder / change).read_bytes() == b"mine"


@pytest.mark.parametrize("mark", ["", "[]", '{"made_by": "else", "files": {}}', '{"made_by": "Turnpoint", "files": 3}'])
def test_a_mark_that_is_not_ours_makes_no_earlier_site(tmp_path: Path, mark: str) -> None:
    (tmp_path / MARK).write_text(mark)
    with pytest.raises(FolderError, match="holds something else"):
        write_folder(tmp_path, {"index.html": b"1"})


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(FolderError, match="is a file"):
        write_folder(tmp_path / "site", {"index.html": b"1"})


def test_a_write_that_fails_leaves_the_earlier_site(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_folder(folder, {"a": b"1"})
    with pytest.raises(FolderError, match="could not be written"):
        write_folder(folder, {"a": b"2", "a/b": b"3"})
    assert (folder / "a").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


# What the command says


def test_without_a_model_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"No model of MovieLens could be loaded .* Train one:"):
        main([str(tmp_path / "site"), "--checkpoints", str(tmp_path)])
    assert not (tmp_path / "site").exists()


def test_a_number_of_people_that_is_none_is_refused(checkpoints: Path, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="Expected 0 or more people, got -1"):
        write_site(checkpoints, "movielens", tmp_path / "site", people=-1)
