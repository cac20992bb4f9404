"""What was proven, kept in a file, so that the docs can show it: never more than was executed.

A proof holds for the very commits that it names, and for the steps' folders as they were: a changed
check or lesson moves no commit. When the course has changed since, it is none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workshop import keys
from workshop.gates.result import Lesson, Result
from workshop.model import Course, Finding, Verdict, plain
from workshop.trial import Trial

FILE = "build/proof.json"


class Proof(NamedTuple):
    """The trials of `workshop verify`, the results of `workshop gates`, and what each lesson shows.

    Empty where nothing was proven, or of another course than the one asked for.
    """

    trials: tuple[Trial, ...] = ()
    results: tuple[Result, ...] = ()
    lessons: tuple[Lesson, ...] = ()


def write(file: Path, course: Course, commits: Mapping[str, str], proof: Proof) -> None:
    """Add to the file what this proof has; what it does not have stays, if it is of this course.

    `commits` are the hashes of the stages, by tag.
    """
    known = read(file, course, commits)
    merged = Proof(
        proof.trials or known.trials, proof.results or known.results, proof.lessons or known.lessons
    )
    kept = {
        "commits": dict(commits),
        "steps": _digest(course),
        **{name: plain(each) for name, each in merged._asdict().items()},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(file)


def read(file: Path, course: Course, commits: Mapping[str, str]) -> Proof:
    """The proof of this course with these commits; an empty one when there is none, or one of
    something else."""
    try:
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Proof()
    if kept.get("commits") != dict(commits) or kept.get("steps") != _digest(course):
        return Proof()
    try:
        return Proof(
            tuple(_trial(each) for each in kept["trials"]),
            tuple(_result(each) for each in kept["results"]),
            tuple(Lesson(**each) for each in kept["lessons"]),
        )
    except (KeyError, TypeError):  # another version of the workshop kept it, and counted otherwise
        return Proof()


def _digest(course: Course) -> str:
    """A hash over what is proven beside the solutions: checks, lessons, hints, transcripts."""
    files = (
        file
        for step in course.steps
        for file in sorted(step.folder.iterdir())
        if file.is_file() and not file.name.startswith(".")  # those belong to somebody's editor
    )
    return keys.digest(
        (course.root / "steps" / "course.toml").read_bytes(),
        *((file.parent.name, file.name, file.read_bytes()) for file in files),
    )


def _trial(kept: dict[str, Any]) -> Trial:
    verdicts = tuple(Verdict(**each) for each in kept.pop("verdicts"))
    return Trial(**{**kept, "problems": tuple(kept["problems"])}, verdicts=verdicts)


def _result(kept: dict[str, Any]) -> Result:
    return Result(
        kept["gate"], kept["proven"], _findings(kept["findings"]), _findings(kept["skipped"])
    )


def _findings(kept: Sequence[dict[str, str]]) -> tuple[Finding, ...]:
    return tuple(Finding(**each) for each in kept)
