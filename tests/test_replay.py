"""Replay: what a machine lacks is skipped, counted and kept as it is; nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from workshop import course as courses
from workshop import recording, transcript
from workshop.checks import needs
from workshop.gates import replay
from workshop.gates.page import Block
from workshop.gates.replay import Done
from workshop.model import Finding, Step
from workshop.robot import Robot
from workshop.transcript import Entry


class Typist:
    """Types nothing, notes everything. Each command says "new" and ends well."""

    def __init__(self) -> None:
        self.typed: list[str] = []

    def type(self, command: str) -> Entry:
        self.typed.append(command)
        return Entry(command, "new\n")


@pytest.fixture
def step(course_folder: Path) -> Step:
    return courses.load(course_folder).steps[0]


@pytest.fixture
def typist() -> Iterator[Typist]:
    yield Typist()


def console(text: str, **claims: str) -> Block:
    return Block("p.html", 1, text, {"shows": "commands", **claims}, frozenset())


def done(step: Step, typist: Typist) -> Done:
    blocks = [
        console("$ engine up\nold\n$ workshop status\nold\n", needs="containers compose"),
        console("$ date\nnew\n"),
    ]
    return replay._lesson(step, blocks, cast("Robot", typist), differs=False)


def test_what_is_met_is_typed_and_compared(
    step: Step, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "missing", lambda _: "")
    lesson = done(step, typist)
    assert typist.typed == ["engine up", "workshop status", "date"]
    assert [each.output for each in lesson.entries] == ["new\n"] * 3
    assert len(lesson.drifted) == 2
    assert lesson.skipped == ()


def test_what_is_not_met_is_skipped_counted_and_kept(
    step: Step, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        needs, "missing", lambda names: f"needs {' and '.join(names)}" if names else ""
    )
    lesson = done(step, typist)
    assert typist.typed == ["workshop status", "date"]  # the workshop itself copes with it
    assert [each.output for each in lesson.entries] == ["old\n", "old\n", "new\n"]
    assert (lesson.broken, lesson.drifted) == ((), ())
    assert lesson.skipped == (
        Finding("p.html, block 1", "needs containers and compose: `engine up`"),
        Finding("p.html, block 1", "needs containers and compose: `workshop status`"),
    )


def test_what_was_never_heard_can_not_be_recorded_here(
    step: Step, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needs, "missing", lambda names: "needs an engine" if names else "")
    lesson = done(step, typist)
    assert [each.fact for each in recording._unheard(lesson)] == [
        "needs an engine: `engine up`", "needs an engine: `workshop status`",
    ]  # fmt: skip
    transcript.write(step.folder, lesson.entries)
    assert list(recording._unheard(lesson)) == []
