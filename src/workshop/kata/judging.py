"""How a submission is judged: by the tests in the kata's folder `judge`, as a black box."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workshop import git
from workshop.course import kata as find
from workshop.errors import WorkshopError
from workshop.kata import record
from workshop.model import Course, Verdict


def judge(
    course: Course,
    directory: Path,
    *,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on the kata that the team does in `directory`, or in a folder above it.

    `on_verdict` gets each one as soon as it is there. Raises WorkshopError when no kata began
    there, or when this course does not have it.
    """
    from workshop.checks import runner  # pytest is slow to load, and `kata start` needs none

    project, begun = repository(course, directory)
    kata = find(course, begun.slug)
    tests = sorted((kata.folder / "judge").glob("test_*.py"))
    if not tests:
        raise WorkshopError(
            "this kata's judge has no tests", "Run: workshop lint", path=kata.folder
        )
    return runner.run(tests, project, course, on_verdict=on_verdict)


def repository(course: Course, directory: Path) -> tuple[Path, record.Record]:
    """The top of the repository that `directory` is in, and the record of the kata in it."""
    try:
        top = Path(git.text("rev-parse", "--show-toplevel", cwd=directory, sealed=False))
    except git.GitError:
        begun = None
    else:
        begun = record.read(top)
    if begun is None:
        known = ", ".join(each.slug for each in course.katas)
        raise WorkshopError(
            "no kata began in this folder",
            "Go to your kata's folder, or begin one: workshop kata start KATA DIR\n"
            f"The katas are: {known or 'none'}",
            path=directory.resolve(),
        )
    return top, begun
