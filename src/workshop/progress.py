"""Progress from machine to machine, and from one version of the course to the next.

Everything goes by the step's slug: a step that gets another number keeps its place.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from workshop import learner
from workshop.errors import WorkshopError
from workshop.model import Course, Step

# What reading a file brings that holds anything else. Nested without end, it is a RecursionError.
_NO_PROGRESS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class News(NamedTuple):
    """How the course differs from the one that the progress was made with."""

    new: tuple[Step, ...] = ()
    changed: tuple[Step, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(self)


def news(course: Course, project: Path) -> News:
    """What is new, has changed, or is gone since. A note by an older version knows nothing."""
    known = learner.known(project).get("steps")
    if not isinstance(known, dict) or not known:
        return News()
    slugs = {step.slug for step in course.steps}
    return News(
        new=tuple(step for step in course.steps if step.slug not in known),
        changed=tuple(
            step for step in course.steps
            if step.slug in known and known[step.slug] != learner.digest(step)
        ),
        gone=tuple(slug for slug in known if slug not in slugs),
    )  # fmt: skip


def update(course: Course, project: Path) -> News:
    """Take the course as it is now for the one that the progress belongs to. Returns what was new.

    The learner goes on where they stood: new steps before that come last.
    """
    found = news(course, project)
    noted = learner.known(project)
    new = {step.slug for step in found.new}
    # where the learner would stand if there was no new step
    old = course._replace(steps=tuple(step for step in course.steps if step.slug not in new))
    position = learner.current(old, project)
    number = position.number if position else len(course.steps) + 1
    before = [step.slug for step in found.new if step.number < number]
    passed = [slug for slug in noted.get("passed", ()) if slug not in before] + before
    steps = {step.slug: learner.digest(step) for step in course.steps}
    everything = {"course": course.title, "done": [], **noted}
    learner.write(project, everything | {"steps": steps, "passed": passed})
    return found


def export(project: Path, file: Path) -> int:
    """Write the progress to `file`, whole or not at all. Returns how many steps are done.

    Raises WorkshopError when another file is there, or it can't be written.
    """
    noted = {"course": "", "done": [], **learner.known(project)}
    noted.pop("green", None)  # about commits of this machine
    try:
        if file.is_dir():
            remedy = "Name a file in it, one that is not there yet."
            raise WorkshopError("this is a folder", remedy, path=file)
        if os.path.lexists(file) and not _is_progress(file):
            raise WorkshopError("this is a file of yours", "Name another one.", path=file)
        _write(file, json.dumps(noted, indent=2) + "\n")
    except OSError as error:
        fact = f"this file can't be written: {error.strerror}"
        raise WorkshopError(fact, "Name a file in a folder of yours.", path=file) from error
    return len(noted["done"])


def _write(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    with part.open("x", encoding="utf-8", newline="\n") as stream:  # x: no file of theirs
        try:
            stream.write(text)
            stream.close()
            part.replace(file)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _is_progress(file: Path) -> bool:
    """Whether an earlier export may have made this."""
    try:
        return file.is_file() and isinstance(_read(file)["done"], list)
    except (OSError, *_NO_PROGRESS):
        return False


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def join(course: Course, project: Path, file: Path) -> tuple[str, ...]:
    """Note as done what is done in `file`, too. Nothing that is done here is undone.

    Returns the slugs that are new here. Raises WorkshopError when it is no progress of this course.
    """
    try:
        given = _read(file)
        slugs = [slug for slug in given["done"] if isinstance(slug, str)]
        title, steps = given.get("course"), given.get("steps") or {}
    except OSError as error:
        fact = f"this file can't be read: {error.strerror}"
        remedy = "Make it on the other machine: workshop progress export FILE"
        raise WorkshopError(fact, remedy, path=file) from error
    except _NO_PROGRESS as error:
        remedy = "Make it anew on the other machine: workshop progress export FILE"
        raise WorkshopError("this file holds no progress", remedy, path=file) from error
    if title != course.title and not _any_known(course, slugs):
        raise WorkshopError(
            f"this is progress in another course: {title}",
            "Name that course: workshop progress import FILE --course DIR",
            path=file,
        )
    here = learner.known(project)
    done = list(here.get("done", ()))
    added = tuple(slug for slug in dict.fromkeys(slugs) if slug not in done)
    fresh = {step.slug: learner.digest(step) for step in course.steps}
    known = here.get("steps") or (dict(steps) if isinstance(steps, dict) and steps else fresh)
    noted = {"course": course.title, **here, "done": [*done, *added], "steps": known}
    learner.write(project, noted)
    return added


def _any_known(course: Course, slugs: Iterable[str]) -> bool:
    return bool({step.slug for step in course.steps}.intersection(slugs))
