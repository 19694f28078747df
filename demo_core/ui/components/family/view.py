"""The tree and what was measured -> the plain values that the component draws."""

from __future__ import annotations

from typing import Any

from demo_core.benchmark_rows import MARKS, Row, dataset_title, metric_title, model_title, points, protocol
from demo_core.families import BRANCHES, LEADING, SYSTEMS, Branch, Paper, System, branch, descendants
from demo_core.ui.components.benchmarks.dots import provenance, seeds
from demo_core.ui.components.family.measured import Measured, State

Json = dict[str, Any]
NONE_MEASURED = "None of them was measured here yet."
SPACE = "\N{NO-BREAK SPACE}"
HEALTH: dict[State, str] = {
    "passed": "Passed its health check",
    "failed": "Failed its health check",
    "unknown": "Measured, but its health was not noted",
    "baseline": "Measured; a baseline has no health to check",
    "missing": "Not measured yet",
}
FILLS: dict[State, str] = {
    "passed": "solid",
    "failed": "half",
    "unknown": "half",
    "baseline": "solid",
    "missing": "open",
}
"""More ink, more evidence."""


def view(measured: Measured) -> Json:
    """Everything the component draws, as plain values; nothing is escaped here."""
    return {
        "dataset": measured.dataset,
        "datasets": [{"name": name, "title": dataset_title(name)} for name in measured.datasets],
        "verdict": _verdict(),
        "reason": _reason(measured),
        "caption": _caption(measured),
        "branches": [_branch(one) for one in BRANCHES],
        "systems": [_system(one, measured) for one in SYSTEMS.values()],
    }


def _verdict() -> str:
    ideas = sum(one.learned for one in BRANCHES)
    stand = ", ".join(f"{model_title(name)} {branch(name).idea}" for name in LEADING)
    return f"{len(_learned())} systems, {ideas} answers to gaps and noise in a history: {stand}."


def _reason(measured: Measured) -> str:
    """How many are measured, and how healthy they are. A system without a figure is never called healthy."""
    states = {name: measured.health(name)[0] for name in _learned()}
    number = sum(state != "missing" for state in states.values())
    if measured.dataset is None or measured.protocol is None or measured.metric is None or not number:
        return NONE_MEASURED
    failed = [model_title(name) for name, state in states.items() if state == "failed"]
    passed = sum(state == "passed" for state in states.values())
    health = "all passed their health check" if passed == number else f"{passed} passed their health check"
    named = f"; failed: {', '.join(failed)}" if failed else ""
    place = f"{dataset_title(measured.dataset)} ({metric_title(measured.metric)}, {measured.protocol})"
    return f"On {place} the defaults of {number} of the {len(states)} are measured; {health}{named}."


def _caption(measured: Measured) -> list[str]:
    drawn = "solid line: builds on; dotted: stands on a whole one"
    if measured.dataset is None or measured.protocol is None:
        return [drawn]
    marks = "full mark: default measured and healthy; half: failed or not known; open: not measured here"
    return [
        dataset_title(measured.dataset),
        f"{measured.protocol}: {protocol(measured.protocol).description}",
        "± one sd over n seeds",
        marks,
        drawn,
    ]


def _learned() -> list[str]:
    return [name for name in SYSTEMS if branch(name).learned]


def _branch(one: Branch) -> Json:
    return {"name": one.name, "idea": one.idea, "title": one.idea[0].upper() + one.idea[1:], "learned": one.learned}


def _system(one: System, measured: Measured) -> Json:
    state, failures = measured.health(one.model)
    learned = branch(one.model).learned
    shape, colour = MARKS.get(one.model, ("hexagon" if learned else "capsule", "muted"))
    return {
        "name": one.model,
        "title": model_title(one.model),
        "branch": one.branch,
        "year": None if one.paper is None else one.paper.year,
        "shape": shape,
        "colour": colour,
        "fill": FILLS[state],
        "does": one.does,
        "know": one.know,
        "paper": None if one.paper is None else _paper(one.paper),
        "buildsOn": one.builds_on,
        "standsOn": list(one.stands_on),
        "descendants": list(descendants(one.model)),
        "state": state,
        "health": HEALTH[state] + (f": {'; '.join(failures)}" if failures else ""),
        "figures": [_figure(row, measured) for row in measured.rows.get(one.model, ())],
    }


def _paper(paper: Paper) -> Json:
    return {
        "title": paper.title,
        "citation": paper.citation,
        "arxiv": paper.arxiv,
        "address": paper.address,
    }


def _figure(row: Row, measured: Measured) -> Json:
    """One measured figure with all that it stands on. Why the system's own default failed stands with its health."""
    result = row.result
    own = row is measured.default(result.model)
    spread = [] if result.sd is None else [f"± {points(result.sd)}"]
    return {
        "source": row.source,
        "metric": metric_title(result.metric),
        "value": f"{100 * result.mean:.2f}{SPACE}%",
        "spread": ", ".join([*spread, seeds(result.n)]),
        "failures": [] if own else list(row.failures),
        "protocol": result.protocol,
        "origin": provenance(row),
    }
