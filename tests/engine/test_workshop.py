"""Training on a visitor's own data beside a running app; a small script stands for the training where time matters."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from demo_core.engine import Shelf
from demo_core.engine.answers import InputError
from demo_core.engine.workshop import Workshop
from demo_core.engine.workshop_answers import Order, Progress
from tests.walks import walks

TRAIN = (sys.executable, "-m", "scripts.own_data")
ABOUT = {"name": "own-evenings", "title": "Evenings", "noun": "film", "people": 60, "items": 40, "interactions": 700}
ABOUT |= {"fewest": 5, "since": None, "until": None, "notes": []}
EPOCH = {"phase": "train", "number": 1, "of": 4, "loss": 1.0, "quality": 0.25, "best": 0.25}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return walks(tmp_path / "evenings.csv", 80, 40, 10, title=lambda item: f"Film {item} (19{item + 10})")


class Told:
    """Waits for a workshop to say that something has changed."""

    def __init__(self) -> None:
        self.names, self._event = list[str](), threading.Event()

    def __call__(self, name: str) -> None:
        self.names.append(name)
        self._event.set()

    def until(self, workshop: Workshop, done: Callable[[Progress], bool]) -> Progress:
        for _ in range(200):
            self._event.clear()
            found = workshop.progress()
            if done(found):
                return found
            self._event.wait(0.3)
        raise AssertionError(f"It did not come: {workshop.progress()}")


@pytest.fixture
def told() -> Told:
    return Told()


def speaking(tmp_path: Path, *lines: object, then: str = "") -> tuple[str, ...]:
    """A command that prints these lines as the training does, and then goes on with ``then``."""
    script = tmp_path / "speak.py"
    words = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    script.write_text(f"import sys, time, pathlib\nfor line in {words!r}: print(line, flush=True)\n{then}\n")
    return (sys.executable, str(script))


def test_a_file_is_checked_before_anything_is_trained(table: Path, tmp_path: Path, told: Told) -> None:
    found = Workshop(tmp_path, TRAIN, told).check(table, 5, "film")
    assert (found["people"], found["items"], found["interactions"], found["rows"]) == (80, 40, 800, 800)
    assert found["columns"] == {"user": "user", "item": "item", "time": "time", "title": "title"}
    assert found["examples"] == ["Film 0", "Film 1", "Film 2"], "the year is apart"
    with pytest.raises(InputError, match="got 0 of 80 people"):
        Workshop(tmp_path, TRAIN, told).check(table, 11)


def test_models_are_trained_told_epoch_by_epoch_and_found_by_the_shelf(table: Path, tmp_path: Path, told: Told) -> None:
    shelf, checkpoints = Shelf(tmp_path / "bundles"), tmp_path / "bundles"
    checkpoints.mkdir()
    workshop = Workshop(checkpoints, (*TRAIN, "--threads=1"), told)
    workshop.start(Order(table, "Evenings out", "film", models=("popularity", "sasrec"), seed=3))
    found = told.until(workshop, lambda progress: progress.state != "running")
    assert (found.state, found.message, found.name) == ("done", "", "own-evenings-out")
    counted, learned = found.lessons
    assert (counted.model, counted.epochs, counted.state) == ("popularity", 0, "trained")
    assert learned.title == "SASRec" and 1 <= len(learned.curve) <= learned.epochs
    assert learned.rows == 80 and learned.protocol == "leave-one-out-full"
    assert learned.hit is not None and learned.hit > 0.9, "who walks in a circle is easy to follow"
    engine = shelf.engine("own-evenings-out")
    assert (engine.title, engine.noun, engine.num_items) == ("Evenings out", "film", 40)
    assert engine.real_person(0).next is not None
    assert engine.item(1).year == 1910
    assert set(told.names) == {"own-evenings-out"}
    workshop.remove("own-evenings-out")
    assert not (checkpoints / "own-evenings-out").exists() and workshop.own() == ()


def test_what_is_wrong_with_a_file_is_said_and_nothing_is_left(tmp_path: Path, told: Told) -> None:
    (tmp_path / "few.csv").write_text("user,item,time\n1,2,3\n")
    workshop = Workshop(tmp_path / "bundles", TRAIN, told)
    workshop.start(Order(tmp_path / "few.csv", "Few"))
    found = told.until(workshop, lambda progress: progress.state != "running")
    assert found.state == "failed" and "got 0 of 1 people" in found.message
    assert not (tmp_path / "bundles" / "own-few").exists()


def test_stopping_ends_the_process_and_keeps_the_models_that_are_trained(
    table: Path, tmp_path: Path, told: Told
) -> None:
    trained = {"kind": "trained", "model": "tdm", "protocol": "leave-one-out-full", "rows": 80, "problems": ()}
    command = speaking(
        tmp_path,
        {"kind": "about", **ABOUT},
        {"kind": "planned", "epochs": {"tdm": 4, "card": 4}},
        {"kind": "began", "model": "tdm"},
        {"kind": "learned", "model": "tdm", "epoch": EPOCH},
        {**trained, "metrics": {"hr@20": 0.5, "ndcg@20": 0.3}},
        "a warning of a library",
        {"kind": "began", "model": "card"},
        {"kind": "learned", "model": "card", "epoch": EPOCH},
        then="time.sleep(600)",
    )
    bundle = tmp_path / "bundles" / "own-evenings" / "tdm"
    workshop = Workshop(tmp_path / "bundles", command, told)
    workshop.start(Order(table, "Evenings"))
    going = told.until(workshop, lambda progress: len(progress.lessons) > 1 and bool(progress.lessons[1].curve))
    assert going.left is not None and going.left > 0
    with pytest.raises(InputError, match="“Evenings” is being trained"):
        workshop.start(Order(table, "Others"))
    bundle.mkdir(parents=True)
    (bundle / "metrics.json").write_text('{"runs": [{}]}')
    half = bundle.parent / "sasrec"
    half.mkdir()
    (half / "metrics.json").write_text('{"runs": []}')
    (bundle.parent / "card.being-saved").mkdir()
    workshop.stop()
    ended = told.until(workshop, lambda progress: progress.state != "running")
    assert ended.state == "stopped" and ended.left is None
    assert [lesson.state for lesson in ended.lessons] == ["trained", "training"]
    assert [path.name for path in bundle.parent.iterdir()] == ["tdm"]
    workshop.stop()
    with pytest.raises(InputError, match="There is a data set “Evenings” already"):
        workshop.start(Order(table, "Evenings"))


def test_an_unexpected_end_tells_the_last_words(table: Path, tmp_path: Path, told: Told) -> None:
    workshop = Workshop(tmp_path, speaking(tmp_path, then="raise MemoryError('no room')"), told)
    workshop.start(Order(table, "Evenings"))
    found = told.until(workshop, lambda progress: progress.state != "running")
    assert (found.state, found.message) == ("failed", "The training ended unexpectedly: MemoryError: no room")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"title": ""}, "Expected a title of 1 to 40 characters"),
        ({"title": "a" * 41}, "Expected a title of 1 to 40 characters"),
        ({"title": "夜"}, "with Latin letters or digits"),
        ({"noun": "\x07"}, "Expected a noun"),
        ({"fewest": 2}, "the fewest interactions to be a whole number from 3"),
        ({"models": ()}, "at least one model"),
        ({"models": ("dreams",)}, "a model to be one of popularity"),
        ({"effort": "great"}, "the effort to be one of quick"),
        ({"seed": -1}, "the seed"),
    ],
)
def test_an_order_that_cannot_be_is_refused_by_name(
    table: Path, tmp_path: Path, told: Told, changes: dict[str, object], message: str
) -> None:
    workshop = Workshop(tmp_path, TRAIN, told)
    with pytest.raises(InputError, match=message):
        workshop.start(Order(**{"file": table, "title": "Evenings", **changes}))  # type: ignore[arg-type]
    assert workshop.progress().state == "idle"


@pytest.mark.parametrize("name", ["movielens", "../x", "own-nothing", None, 3])
def test_only_own_data_can_be_removed(tmp_path: Path, told: Told, name: object) -> None:
    (tmp_path / "movielens").mkdir()
    with pytest.raises(InputError, match="Expected the data set to be one of"):
        Workshop(tmp_path, TRAIN, told).remove(name)
    assert (tmp_path / "movielens").is_dir()


def test_a_file_that_fills_the_memory_ends_its_own_process_alone(tmp_path: Path, told: Told) -> None:
    with gzip.open(tmp_path / "bomb.csv.gz", "wb", compresslevel=1) as file:
        file.write(b'user,item,time\nu,"')
        for _ in range(60):
            file.write(b"x" * 100_000_000)
    with pytest.raises(InputError, match=r"too large|cannot be read"):
        Workshop(tmp_path, TRAIN, told).check(tmp_path / "bomb.csv.gz", 5)


def test_what_a_broken_training_left_does_not_take_the_name(table: Path, tmp_path: Path, told: Told) -> None:
    left = tmp_path / "own-evenings" / "sasrec.being-saved"
    left.mkdir(parents=True)
    (left.parent / "about.json").write_text("{}")
    workshop = Workshop(tmp_path, speaking(tmp_path, then="raise SystemExit(0)"), told)
    assert workshop.own() == ()
    workshop.start(Order(table, "Evenings"), forget_file=True)
    assert told.until(workshop, lambda progress: progress.state != "running").state == "done"
    workshop.close()
    assert not left.parent.exists() and not table.exists(), "the table that was sent is forgotten"
