"""The learner's project: how it begins, and how far it has come.

Progress lives in `.git/workshop/progress.json`, by the step's slug: it survives a renumbering,
and no commit ever holds it. Beside it stands a digest of each step as it was then: that shows
later what a newer course has changed (see `progress`). And of the step that turned green last, with
files that no commit has, it keeps where HEAD was: that step is at hand until HEAD moves.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from workshop import git, kept
from workshop.errors import WorkshopError
from workshop.model import Course, Step, Verdict

_GREEN = "green"  # the step that turned green last, and the commit that HEAD was at
_UNBORN = "unborn"  # HEAD before the first commit
_KINDS = {"done": list, "passed": list, "steps": dict}


class Started(NamedTuple):
    """A learner's project, new or found again; `named` is whether git knows who commits."""

    project: Path
    again: bool
    named: bool


def start(course: Course, target: Path) -> Started:
    """Make the learner's project at `target`: an empty repository, since commit #1 is theirs.

    Started twice in the same place, it goes on where it was. Raises WorkshopError when the folder
    holds something else.
    """
    again = (target / ".git" / "workshop" / "progress.json").is_file()
    if not again:
        if target.exists() and not target.is_dir():
            raise WorkshopError(
                "this is not a folder", "Name a folder that does not exist yet.", path=target
            )
        if target.is_dir() and any(target.iterdir()):
            raise WorkshopError(
                "this folder is not empty, and not a project of this workshop",
                "Name a folder that does not exist yet, or an empty one.",
                path=target,
            )
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not target.is_absolute():
                raise  # where we are is gone
            raise WorkshopError(
                f"this folder can't be made: {error.strerror}", "Name another one.", path=target
            ) from error
        git.run("init", "--quiet", "--initial-branch=main", cwd=target, sealed=False)
        _write(target, course, ())
    return Started(target.resolve(), again, _named(target))


def done(project: Path) -> tuple[str, ...]:
    """The slugs of the steps whose checks were all green once, in that order."""
    return tuple(map(str, known(project).get("done", ())))


def known(project: Path) -> dict[str, Any]:
    """All that is noted: the `course`'s title, the slugs `done` and `passed`, the digests of its
    `steps`, and what is `green` and not committed; nothing when there is no note.
    Raises WorkshopError when it can't be read."""
    file = _file(project)
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
        if (
            isinstance(noted, dict)
            and "done" in noted
            and all(isinstance(noted.get(name, kind()), kind) for name, kind in _KINDS.items())
        ):
            return noted
    except FileNotFoundError:
        return {}
    except (ValueError, IsADirectoryError, RecursionError):
        pass
    raise WorkshopError(
        "this file is damaged: the workshop can't read your progress in it",
        "Delete it. `workshop check STEP` makes it new, and your work is not in it.",
        path=file,
    )


def current(course: Course, project: Path) -> Step | None:
    """The first step that is not done yet, or None at the end of the course.

    A step that came with a newer course, before where the learner stood, comes last.
    """
    noted = known(project)
    left = [step for step in course.steps if step.slug not in noted.get("done", ())]
    ahead = [step for step in left if step.slug not in noted.get("passed", ())]
    return next(iter(ahead or left), None)


def uncommitted(course: Course, project: Path) -> Step | None:
    """The step that turned green last, until it is committed: HEAD is where it was then, and the
    tree is not clean. Else None. An older note does not know, and then it is None, too."""
    green = known(project).get(_GREEN)
    if not isinstance(green, dict):
        return None
    step = next((each for each in course.steps if each.slug == green.get("step")), None)
    if step is None:
        return None
    head, changed = git.state(project)
    return step if changed and (head or _UNBORN) == green.get("head") else None


def at_hand(course: Course, project: Path) -> Step | None:
    """The step to judge when nobody names one: what is green and not committed yet comes before
    what is `current`."""
    return uncommitted(course, project) or current(course, project)


def digest(step: Step) -> str:
    """A hash over what a learner could have done otherwise: the step's checks and its solution."""
    import hashlib  # with all of OpenSSL: not for who has nothing to compare

    found = hashlib.sha256()
    solution = sorted(file for file in step.solution.rglob("*") if file.is_file())
    for file in (*step.tests, *solution):
        if file.parent.name != "__pycache__":
            found.update(file.name.encode() + b"\0" + file.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()[:16]


def record(course: Course, project: Path, step: Step, verdicts: tuple[Verdict, ...]) -> bool:
    """Note the step as done if nothing in it is red. Returns whether it is. Where nothing at all
    could be judged, it is done when its new files are there: see `written`.

    When it is done for the first time, and not all is committed, HEAD is noted, too: see
    `uncommitted`.
    """
    outcomes = {each.outcome for each in verdicts}
    green = "green" in outcomes and outcomes <= {"green", "skipped"}
    green = green or (outcomes == {"skipped"} and written(course, project, step))
    finished = done(project)
    if green and step.slug not in finished:
        _write(project, course, (*finished, step.slug))
        noted = known(project)
        head, changed = git.state(project)
        noted.pop(_GREEN, None)
        green_at = {_GREEN: {"step": step.slug, "head": head or _UNBORN}} if changed else {}
        steps = {**noted["steps"], step.slug: digest(step)}
        write(project, noted | {"steps": steps} | green_at)
    return green


def written(course: Course, project: Path, step: Step) -> bool:
    """Whether the files that the step adds are in the project: what a machine without an engine, or
    without a cluster, can see of it."""
    from workshop import history  # not for who only asks where they are

    stages = [each.files for each in history.stages(course) if each.step.number <= step.number]
    before = stages[-2] if len(stages) > 1 else {}
    return all((project / path).is_file() for path in stages[-1] if path not in before)


def settle(course: Course, project: Path, slugs: tuple[str, ...]) -> None:
    """Note exactly these steps as done, and none as not committed yet."""
    _write(project, course, slugs)
    noted = known(project)
    if noted.pop(_GREEN, None) is not None:
        write(project, noted)


def progress(project: Path) -> str | None:
    """The progress file as it is, None when there is none: what a backup keeps."""
    try:
        return _file(project).read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None


def bring_back(project: Path, kept: str | None) -> None:
    """Make the progress file again what `progress` returned."""
    if kept is None:
        _file(project).unlink(missing_ok=True)
    else:
        _replace(_file(project), kept.encode(errors="surrogateescape"))


def _named(project: Path) -> bool:
    try:
        git.run("var", "GIT_COMMITTER_IDENT", cwd=project, sealed=False)
        return bool(git.text("config", "user.email", cwd=project, sealed=False))
    except git.GitError:
        return False


def write(project: Path, noted: dict[str, Any]) -> None:
    """Note all this, instead of what was noted before."""
    kept.write(project, "progress", noted)


def _file(project: Path) -> Path:
    return kept.folder(project) / "progress.json"


def _write(project: Path, course: Course, slugs: tuple[str, ...]) -> None:
    """Note what is done. Digests that are known stay: what has changed since is news."""
    try:
        noted = known(project) if _file(project).is_file() else {}
    except WorkshopError:  # damaged: what is done now is told, and the rest was lost before
        noted = {}
    steps = noted.get("steps") or {step.slug: digest(step) for step in course.steps}
    write(project, {"course": course.title, **noted, "done": list(slugs), "steps": steps})


def _replace(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(file)
