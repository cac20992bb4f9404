"""goto and reset: the project becomes a stage of the course, in one new commit."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from workshop import git, history, learner, own
from workshop.errors import WorkshopError
from workshop.history import File
from workshop.model import Course, Step
from workshop.moving import sequence, snapshot, worktree
from workshop.moving.repository import Repository, alone, guard, open_
from workshop.moving.sequence import Moved, Report
from workshop.moving.snapshot import Held
from workshop.moving.worktree import Goal, Wanted


def goto(course: Course, project: Path, step: Step, *, report: Report) -> Moved:
    """Make the project the stage of `step`: as the lesson leaves it, with every step before done.

    Everything is saved first, and `report` gets the backup before anything moves. The stage is one
    new commit on the branch that is checked out, after the person's own. What no stage of the
    course has stays as it is: in the commit, in the index and in the working tree. So does a file
    that is each project's own, once the person has made it. Raises
    WorkshopError when something is under way (merge, rebase, ...), or can't be done safely.
    """
    stages = history.stages(course)
    at = course.steps.index(step)
    return _become(
        course, project, stages, at + 1, f"goto {step.tag}",
        f"Go to stage {step.tag}", report,
    )  # fmt: skip


def reset(course: Course, project: Path, *, report: Report) -> Moved:
    """Begin the current step again: the project becomes the stage before it, step 01 is empty.

    The same promise as `goto`.
    """
    step = learner.current(course, project)
    if step is None:
        raise WorkshopError(
            "you have done every step: there is none to begin again",
            "Go to the stage of one: workshop goto STEP",
            path=project,
        )
    at = course.steps.index(step)
    return _become(
        course, project, history.stages(course), at, "reset", f"Begin step {step.tag} again", report
    )


def _become(
    course: Course,
    project: Path,
    stages: tuple[history.Stage, ...],
    done: int,
    verb: str,
    subject: str,
    report: Report,
) -> Moved:
    """Become the stage after `done` steps; 0 is the empty project."""
    files: Mapping[str, File] = stages[done - 1].files if done else {}
    mine = own.kept(course.steps, project, files)
    files = {path: file for path, file in files.items() if path not in mine}
    known = {path for stage in stages for path in stage.files} - mine
    with alone(project):
        repository = open_(project)
        guard(repository)
        names = {path: worktree.blob(file.data, repository.hashing) for path, file in files.items()}
        goal = Goal(
            {
                path: Wanted(names[path], executable=file.mode == "100755")
                for path, file in files.items()
            },
            known - files.keys(),
            {},
        )
        held = snapshot.index(repository)
        survey = sequence.look(repository, held.entries, goal)
        backup, made = snapshot.save(
            repository, survey, verb, held,
            known=known, progress=learner.progress(project),
            reached=snapshot.Reached(
                f"{subject}\n\nMade by `workshop {verb}`. What was there before is in a backup.\n",
                _author(repository), known & _committed(repository),
                {path: (file.mode, file.data) for path, file in files.items()},
            ),
        )  # fmt: skip
        assert made is not None
        report(backup)
        commit = made if _differs(repository, made) else None
        slugs = tuple(step.slug for step in course.steps[:done])
        by_name = {names[path]: file.data for path, file in files.items()}
        sequence.carry_out(
            repository, held, survey, goal, backup,
            sequence.Rest(
                _new_index(repository, held, goal, files),
                lambda: _move_head(repository, commit, verb),
                lambda: learner.settle(course, project, slugs),
            ),
            by_name.__getitem__,
        )  # fmt: skip
        return Moved(backup, commit, repository.branch)


def _author(repository: Repository) -> str:
    """Who commits: the person, when git knows them; a commit is not refused for a name."""
    name, email = (
        "".join(each for each in repository.config.get(key, "") if each.isprintable())
        .replace("<", "").replace(">", "").strip()
        for key in ("user.name", "user.email")
    )  # fmt: skip
    return f"{name} <{email}>" if name and email else "A learner <learner@example.org>"


def _committed(repository: Repository) -> set[str]:
    """The files of HEAD. A folder of the same name as a stage's file is none: it stays."""
    if repository.commit is None:
        return set()
    out = git.run(
        "ls-tree", "-r", "-z", "--name-only", "--full-tree", repository.commit,
        cwd=repository.top, sealed=False,
    )  # fmt: skip
    return {os.fsdecode(name) for name in out.split(b"\0") if name}


def _differs(repository: Repository, made: str) -> bool:
    """Whether the new commit would record anything: its tree differs from that of HEAD."""
    before = f"{repository.commit}^{{tree}}" if repository.commit else None
    out = git.text(
        "rev-parse", f"{made}^{{tree}}", *([before] if before else []),
        cwd=repository.top, sealed=False,
    ).splitlines()  # fmt: skip
    if before is None:
        return not _empty(repository, out[0])
    return out[0] != out[1]


def _empty(repository: Repository, tree: str) -> bool:
    import hashlib

    return tree == hashlib.new(repository.hashing, b"tree 0\0", usedforsecurity=False).hexdigest()


def _new_index(
    repository: Repository, held: Held, goal: Goal, files: Mapping[str, File]
) -> Path | None:
    """Prepare the index of the stage: the course's entries change, all others stay as they are."""
    data, index, _ = held
    part = sequence.new_part(repository)
    if data is not None:
        part.write_bytes(data)
        # git compares times with the index's own to see what may have changed in the same moment
        then = repository.index_file.stat().st_mtime_ns
        os.utime(part, ns=(time.time_ns(), then))
    has = {os.fsdecode(entry.path): entry for entry in index.entries}
    lines = [b"0 %s\t%s\0" % (repository.nobody.encode(), os.fsencode(path))
             for path in goal.gone if path in has]  # fmt: skip
    for path, wanted in goal.files.items():
        entry = has.get(path)
        mode = files[path].mode
        if entry is None or entry.intent or (f"{entry.mode:o}", entry.blob) != (mode, wanted.blob):
            lines.append(f"{mode} {wanted.blob}\t".encode() + os.fsencode(path) + b"\0")
    if lines:
        git.run(
            *git.CALM, "update-index", "-z", "--index-info", cwd=repository.top, sealed=False,
            stdin=b"".join(lines), variables={"GIT_INDEX_FILE": str(part.absolute())},
        )  # fmt: skip
    return part if part.is_file() else None


def _move_head(repository: Repository, commit: str | None, verb: str) -> None:
    if commit is None:
        return
    try:
        git.run(
            *git.CALM, "update-ref", "-m", f"workshop: {verb}",
            *([] if repository.branch else ["--no-deref"]),
            "HEAD", commit, repository.commit or repository.nobody,
            cwd=repository.top, sealed=False,
        )  # fmt: skip
    except git.GitError as error:
        raise refused(repository, error) from error


def refused(repository: Repository, error: git.GitError) -> WorkshopError:
    """What to tell when git does not let a branch move."""
    return WorkshopError(
        f"git did not move your branch: {error.said}",
        "Nothing has changed. See what git says of your project: git status",
        path=repository.top,
    )
