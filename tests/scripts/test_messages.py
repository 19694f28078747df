"""Errors that say what to do end a command with their words, all others with a traceback."""

import sys
from pathlib import Path

import pytest

from demo_core.prepared import DataError
from scripts import benchmark, choose_examples, evaluate, load, precision, processes, speed, train
from scripts.messages import as_message


def test_an_error_of_the_kinds_ends_with_its_message_and_names_its_cause() -> None:
    with pytest.raises(SystemExit, match="prepare the data") as ended, as_message(DataError, OSError):
        raise DataError("prepare the data")
    assert ended.value.code == "prepare the data" and isinstance(ended.value.__cause__, DataError)


def test_other_errors_keep_their_traceback() -> None:
    with pytest.raises(KeyError), as_message(DataError):
        raise KeyError("a fault of ours")


def test_a_decorated_command_may_be_called_again() -> None:
    @as_message(ValueError)
    def half(number: int) -> int:
        if number % 2:
            raise ValueError(f"{number} is odd")
        return number // 2

    for _ in range(2):
        with pytest.raises(SystemExit, match="3 is odd"):
            half(3)
        assert half(4) == 2


@pytest.mark.parametrize(
    "command, words",
    [
        (train, ["sasrec", "--dataset", "toy", "--threads", "-1"]),
        (benchmark, ["--models", "sasrec", "--datasets", "toy", "--threads", "two"]),
        (evaluate, ["nowhere", "--threads", "0"]),
        (load, ["http://127.0.0.1:9", "--clients", "0"]),
        (load, ["http://127.0.0.1:9", "--calls", "0"]),
        (precision, ["checkpoints/movielens", "--rows", "0"]),
        (processes, ["sasrec", "--dataset", "toy", "--processes", "0"]),
    ],
)
def test_numbers_of_things_are_at_least_one(
    command: object, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["script", *words])
    with pytest.raises(SystemExit):
        command.main()  # type: ignore[attr-defined]
    assert f"{words[-2]}: expected a whole number, 1 or more, got {words[-1]!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command, words, told",
    [
        (train, ["sasrec", "--dataset", "zhihu"], r"Expected prepared data in .*scripts\.prepare_data zhihu"),
        (train, ["sasrec", "--dataset", "toy", "--set", "drop=1"], "Expected name=value with a name out of"),
        (train, ["sasrec", "--dataset", "toy", "--preset", "best"], "best"),
        (train, ["globaldiff", "--dataset", "toy", "--backbone", "nowhere"], "expected a bundle folder"),
        (evaluate, ["nowhere"], "expected a bundle folder"),
        (choose_examples, ["zhihu"], "Expected prepared data in"),
        (choose_examples, ["toy", "--out", "/dev/null/examples.json"], "'/dev/null'"),
        (precision, ["nowhere/zhihu"], "Expected prepared data in"),
        (speed, ["scoring"], "Expected prepared data in"),
        (processes, ["sasrec", "--dataset", "zhihu"], "Expected prepared data in"),
        (processes, ["sasrec", "--dataset", "toy", "--set", "drop=1"], "Expected name=value with a name out of"),
    ],
)
def test_commands_say_what_they_lack(
    command: object, words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TURNPOINT_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["script", *words])
    with pytest.raises(SystemExit, match=told):
        command.main()  # type: ignore[attr-defined]
