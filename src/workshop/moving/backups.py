"""List the backups, and bring one back: HEAD, branches, index, files, progress."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from workshop import git, kept, learner
from workshop.errors import WorkshopError
from workshop.moving import sequence, snapshot, stages
from workshop.moving.repository import Repository, alone, guard, guard_branches, open_
from workshop.moving.sequence import Moved, Report
from workshop.moving.snapshot import Backup
from workshop.moving.worktree import Goal, Wanted


def find(project: Path, name: str) -> Backup:
    """The backup of this name. Raises WorkshopError when there is none."""
    backups = snapshot.listing(project)
    for backup in backups:
        if backup.name == name:
            return backup
    known = f"The newest is {backups[-1].name}. " if backups else ""
    raise WorkshopError(
        f"there is no backup {name}", f"{known}List them all: workshop backups", path=project
    )


def restore(project: Path, name: str, *, report: Report) -> Moved:
    """Bring a backup back: HEAD, its branch, the index, every file and its mode, the progress.

    What is there now is saved first, so that a restore can be undone like any other move. Files
    that were made since, and that no stage of the course has, stay. Raises WorkshopError.
    """
    with alone(project):
        backup = find(project, name)
        state = json.loads(snapshot.blobs(project, [backup.state])[backup.state])
        refs: dict[str, str | None] = state["refs"]
        repository = open_(project, *refs)
        guard(repository)
        aims = {*refs, *([state["branch"]] if state["branch"] else [])}
        guard_branches(repository, aims - {repository.branch})
        goal = _goal(state)
        held = snapshot.index(repository)
        survey = sequence.look(repository, held.entries, goal)
        needed = [goal.files[path].blob for path in survey.change.write]
        contents = snapshot.blobs(project, [*needed, *([state["index"]] if state["index"] else [])])
        own, _ = snapshot.save(
            repository, survey, f"backups restore {name}", held,
            known=state["known"], progress=learner.progress(project), refs=refs,
        )  # fmt: skip
        report(own)
        part = None
        if state["index"]:
            part = sequence.new_part(repository)
            part.write_bytes(contents[state["index"]])
            # its own time, too: git compares it with those of the files (see stages)
            os.utime(part, ns=(time.time_ns(), state["index_time"]))
        sequence.carry_out(
            repository, held, survey, goal,
            # interrupted, this is still what would bring back the work from before the first move
            backup if name in kept.interruptions(project) else own,
            sequence.Rest(
                part,
                lambda: _move_refs(repository, state, name),
                lambda: learner.bring_back(project, state["progress"]),
            ),
            contents.__getitem__,
        )  # fmt: skip
        return Moved(own, state["commit"], state["branch"])


def _goal(state: dict[str, Any]) -> Goal:
    files = {
        path: Wanted(blob, link=link, executable=bool(mode & 0o100), mode=mode)
        for path, (blob, link, mode) in state["files"].items()
    }
    return Goal(files, {path for path in state["known"] if path not in files}, state["folders"])


def _move_refs(repository: Repository, state: dict[str, Any], name: str) -> None:
    """HEAD on its branch, or detached, then each branch where it was.

    Raises WorkshopError when nothing has changed, GitError when HEAD could not be put back.
    """
    log = f"workshop: backups restore {name}"
    nobody = repository.nobody
    lines = []
    for ref, then in state["refs"].items():
        now = repository.refs.get(ref)
        if now != then:
            lines.append(
                f"update {ref} {then} {now or nobody}\n" if then else f"delete {ref} {now}\n"
            )
    before = repository.branch, None if repository.branch else repository.commit
    aim = state["branch"], None if state["branch"] else state["commit"]
    try:
        if aim != before:
            _point(repository, *aim, log)
    except git.GitError as error:
        raise stages.refused(repository, error) from error
    try:
        if lines:  # all together, or none
            git.run(*git.CALM, "update-ref", "-m", log, "--stdin", cwd=repository.top,
                    sealed=False, stdin=os.fsencode("".join(lines)))  # fmt: skip
    except git.GitError as error:
        if aim != before:
            _point(repository, *before, log)
        raise stages.refused(repository, error) from error


def _point(repository: Repository, branch: str | None, commit: str | None, log: str) -> None:
    """Let HEAD name this branch, or, detached, this commit."""
    words = (
        ("symbolic-ref", "-m", log, "HEAD", branch) if branch
        else ("update-ref", "-m", log, "--no-deref", "HEAD", commit or repository.nobody)
    )  # fmt: skip
    git.run(*git.CALM, *words, cwd=repository.top, sealed=False)
