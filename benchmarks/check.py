"""`workshop check` against pytest alone, on the same checks and the same project."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks import demo
from benchmarks.measure import (
    ROOT,
    Bench,
    Result,
    Row,
    Subject,
    Target,
    medians,
    python,
    seconds,
    workshop,
)
from workshop import course
from workshop.model import Step

_PEER = "`pytest` on the same file"
_FIRST = Target("`workshop check`, the first lesson", _PEER, 1.15)
_LAST = Target("`workshop check`, the last lesson, with its database", _PEER, 1.15)


def measure(bench: Bench) -> Result:
    """Judge the finished demo project by the first and by the last step's checks."""
    project = demo.clone(bench.scratch)
    steps = course.load(ROOT).steps
    return Result(
        tuple(
            Row(target, *medians(bench.runs, *_calls(project, step)))
            for target, step in ((_FIRST, steps[0]), (_LAST, steps[-1]))
        ),
        rounds=bench.runs,
    )


def _calls(project: Path, step: Step) -> tuple[_Call, _Call]:
    return (
        _Call(project, (workshop(), "check", step.tag)),
        _Call(
            project,
            (python(), "-m", "pytest", "-c", os.devnull, "-p", "workshop.checks.plugin",
             "--project", project, *step.tests),
        ),
    )  # fmt: skip


class _Call:
    def __init__(self, project: Path, command: tuple[str | Path, ...]) -> None:
        self._project = project
        self._command = command

    def __call__(self) -> float:
        return seconds(self._command, cwd=self._project)


SUBJECT = Subject(
    "check",
    "Checks",
    "What our runner adds to pytest, each in a new process. The fixtures are the same, and what "
    "they start takes most of the time. But our databases are in memory, and pytest's on disk.",
    (_FIRST, _LAST),
    measure,
)
