"""How figures are held against their budgets, and what is said when they cannot be measured."""

from __future__ import annotations

import math
import shutil
import sys
from dataclasses import replace

import pytest

from scripts import budgets, page_speed
from scripts.browser import BrowserMissingError, chromium, is_outside
from scripts.budgets import Budget, Figure
from scripts.load import Outcome
from scripts.page_speed import crowded, visited
from scripts.page_times import Visit
from scripts.serving import served

WAIT = Budget("a wait", 60, "ms")
VISIT = Visit(1000, 1100, 900, (90,), (120, 150), 180, (16, 33), (30,), 20)


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [([60], "met"), ([20, 60], "met"), ([20, 30, 61], "met by the median, not by the worst"), ([61, 90], "not met")],
)
def test_a_budget_is_met_when_it_is_never_exceeded(samples: list[float], verdict: str) -> None:
    assert Figure(WAIT, samples).verdict == verdict


def test_a_line_names_figure_budget_and_verdict() -> None:
    line = Figure(WAIT, [10, 20, 90]).line()
    assert line.startswith("a wait ")
    assert " ".join(line.split()).endswith("median 20 ms worst 90 ms budget 60 ms met by the median, not by the worst")
    assert " ".join(Figure(WAIT, [41.6]).line().split()) == "a wait 42 ms budget 60 ms met"


@pytest.mark.parametrize(
    ("unit", "text"), [("s", "1.26 s"), ("x", "1.26 x"), ("ms", "1 ms"), ("MB", "1 MB"), ("", "1")]
)
def test_seconds_and_ratios_have_two_digits_after_the_point(unit: str, text: str) -> None:
    assert Budget("", 1, unit).text(1.256) == text


def test_every_wait_of_every_visitor_counts() -> None:
    figures = {figure.budget: figure for figure in visited([VISIT, replace(VISIT, toggle=(400,))])}
    assert list(figures[budgets.TOGGLE].samples) == [120, 150, 400]
    assert list(figures[budgets.ROW].samples) == [1000, 1000]


def test_one_request_to_another_host_is_one_too_many() -> None:
    assert [Figure(budgets.OUTSIDE, [number]).verdict for number in (0, 1)] == ["met", "not met"]


def test_a_crowd_is_judged_by_what_was_lost_refused_late_or_answered_late() -> None:
    answered, late = Outcome("answered", 0.5), Outcome("answered", 3)
    told = {figure.budget: figure.verdict for figure in crowded([answered] * 10)}
    assert told == {budgets.LOST: "met", budgets.P95: "met"}
    crowd = [answered, late, late, Outcome("refused", 1.5), Outcome("lost", 0.1)]
    assert {figure.verdict for figure in crowded(crowd)} == {"not met"}
    assert [figure.worst for figure in crowded([Outcome("lost", 1)])] == [1, math.inf]


@pytest.mark.parametrize(
    ("url", "outside"),
    [
        ("http://127.0.0.1:7860/theme.css", False),
        ("http://localhost/", False),
        ("data:image/png;base64,AAAA", False),
        ("blob:http://127.0.0.1:7860/1", False),
        ("https://fonts.googleapis.com/css", True),
        ("http://127.0.0.1.example/", True),
        ("wss://example.org/", True),
    ],
)
def test_only_this_machine_is_not_outside(url: str, outside: bool) -> None:
    assert is_outside(url) is outside


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(shutil, "which", lambda name: None)
        with pytest.raises(BrowserMissingError, match="apt-get install chromium"), chromium():
            pass
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(BrowserMissingError, match=r"pip install -r tests/requirements\.txt"), chromium():
        pass


def test_a_process_that_ends_before_it_listens_is_told_with_its_last_words() -> None:
    with pytest.raises(RuntimeError, match="no models here"), served(("-c", "raise SystemExit('no models here')")):
        pass


def test_an_unknown_part_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["page_speed", "pages"])
    with pytest.raises(SystemExit):
        page_speed.main()
    assert "expected parts out of start, page, visitors, got pages" in capsys.readouterr().err
