"""Replay: what a machine lacks is skipped, counted and kept as it is; nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from conftest import COURSES

from workshop import course as courses
from workshop import recording, transcript
from workshop.checks import needs
from workshop.gates import coverage, replay
from workshop.gates.page import Block
from workshop.gates.replay import Done
from workshop.gates.truth import Truth
from workshop.model import Finding, Step
from workshop.robot import Robot
from workshop.transcript import COMMIT, Commits, Entry


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
    return replay._lesson(step, blocks, cast("Robot", typist), Commits(), differs=False)


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


# --- What is each project's own ---------------------------------------------------------------

TREE = "100644 blob {}\tapp.py\n100644 blob {}\tsecret.yaml\n"


def ends(step: Step, mine: str, tmp_path: Path) -> list[str]:
    """What is wrong at the end of a lesson, with this tree, where `secret.yaml` is one's own."""
    known = SimpleNamespace(
        course=SimpleNamespace(steps=[step._replace(own={"secret.yaml": "seal app"})]),
        tree=lambda _: TREE.format("a" * 40, "b" * 40),
    )
    learner = SimpleNamespace(tree=lambda: mine, unsaved=lambda: "", here=tmp_path)
    progress = tmp_path / ".git" / "workshop" / "progress.json"
    progress.parent.mkdir(parents=True, exist_ok=True)
    progress.write_text(f'{{"done": ["{step.slug}"]}}', "utf-8")
    found = replay._end(cast("Truth", known), step, cast("Robot", learner))
    return [each.fact for each in found]


def test_at_the_end_ones_own_file_must_be_there_and_need_not_be_the_same(
    step: Step, tmp_path: Path
) -> None:
    assert ends(step, TREE.format("a" * 40, "c" * 40), tmp_path) == []
    without = TREE.format("a" * 40, "c" * 40).splitlines()[0]
    assert ends(step, without, tmp_path) == ["at the end only the stage has secret.yaml"]
    (one, other) = ends(step, TREE.format("d" * 40, "c" * 40), tmp_path)
    assert "app.py" in one
    assert "app.py" in other


def test_commits_differ_from_there_on_and_not_before(step: Step, typist: Typist) -> None:
    typist.type = lambda command: Entry(command, "[main 1a2b3c4] Seal\n")  # type: ignore[method-assign]
    block = console("$ git commit\n[main 4c3b2a1] Seal\n")
    drifted = [
        replay._lesson(step, [block], cast("Robot", typist), Commits(), differs=differs).drifted
        for differs in (True, False)
    ]
    assert (drifted[0], len(drifted[1])) == ((), 1)


def drift(shown: Iterable[Entry], seen: Iterable[Entry]) -> list[str]:
    commits = Commits()
    pairs = zip(shown, seen, strict=True)
    return [fact for pair in pairs for fact in replay._drift(*pair, commits, differs=True)]


def test_a_commit_that_differs_is_the_same_one_everywhere() -> None:
    said = "[main {}] Seal\n", "  release      {}\nX-Release: {}\n"
    one, other = "890091a6ea" * 4, "84ff6e189d" * 4
    entries = [
        [Entry("git commit", said[0].format(each[:7])), Entry("deploy", said[1].format(each, each))]
        for each in (one, other)
    ]
    assert drift(*entries) == []
    mixed = [entries[0][0], entries[1][1]]
    assert drift(mixed, entries[1]) == [
        f"below `deploy` stands the commit {other}, and it said {other}: "
        "one of them is another commit above"
    ]
    assert len(drift(entries[1], mixed)) == 1


def test_a_commit_is_the_same_one_in_all_lessons(
    course_folder: Path, typist: Typist, tmp_path: Path
) -> None:
    """Told when the lessons are done, and when they are recorded."""
    steps = [
        each._replace(own={"secret.yaml": "seal app"}) for each in courses.load(course_folder).steps
    ]
    known = SimpleNamespace(course=SimpleNamespace(steps=steps), tree=lambda _: "")
    blocks = [
        console(f"$ git log\n[main {shown}] Seal\n")._replace(
            page=f"steps/{each.folder.name}/index.html"
        )
        for each, shown in zip(steps, ("1a2b3c4", "2b3c4d5"), strict=True)
    ]
    typist.type = lambda command: Entry(command, "[main 9f8e7d6] Seal\n")  # type: ignore[method-assign]
    vars(typist).update(tree=lambda: "", unsaved=lambda: "", here=tmp_path)
    progress = tmp_path / ".git" / "workshop" / "progress.json"
    progress.parent.mkdir(parents=True)
    progress.write_text(json.dumps({"done": [each.slug for each in steps]}), "utf-8")
    done = list(replay.follow(cast("Truth", known), blocks, cast("Robot", typist)))
    assert [each.broken for each in done] == [(), ()]
    assert [len(each.drifted) for each in done] == [0, 1]

    new = [each.entries for each in done]
    mixed = [replay.shown_entries(block) for block in blocks]
    for old, kept in ((mixed, new), ([mixed[0]] * 2, [mixed[0]] * 2)):
        for step, entries in zip(steps, old, strict=True):
            transcript.write(step.folder, entries)
        assert recording._merged(cast("Any", known.course), done) == tuple(kept)


def test_the_lessons_show_the_commits_of_one_run() -> None:
    """Each of the course's lessons whose commits are its reader's own, beside another run of it."""
    steps = courses.load(COURSES.parent.parent).steps
    first = next(at for at, step in enumerate(steps) if step.own)
    shown = [entry for step in steps[first:] for entry in transcript.read(step.folder)]
    assert sum(len(transcript.commits(each.output)) for each in shown) > 20
    assert drift(shown, shown) == []
    turned = str.maketrans("0123456789abcdef", "1234567890bcdefa")
    seen = [
        each._replace(output=COMMIT.sub(lambda match: match[0].translate(turned), each.output))
        for each in shown
    ]
    assert seen != shown
    assert drift(shown, seen) == []
    assert drift([*shown[:-1], *shown], [*shown[:-1], *seen]) != []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("$ workshop seal --env production app \\\n  --output secret.yaml\n", False),
        ("$ workshop seal app --output secret.yaml\n", True),
        ("$ workshop sealed app --output secret.yaml\n", False),
    ],
)
def test_a_reader_types_the_command_that_makes_it(text: str, *, shown: bool) -> None:
    assert coverage._typed("seal app", [console(text)]) is shown
    not_typed: Any = console(text)._replace(claims={"shows": "listing"})
    assert coverage._typed("seal app", [not_typed]) is False
