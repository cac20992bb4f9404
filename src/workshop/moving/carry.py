"""Carry a change out, file by file. Each file is whole or absent at any moment.

Before a file goes, it is looked at once more: when it was written since the backup, the move stops.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.moving.worktree import Eyes, Goal, Survey, Wanted, above


def unchanged(top: Path, survey: Survey) -> None:
    """Raise WorkshopError when a file that is about to change was written since the survey."""
    eyes = Eyes(top)
    for path in (*survey.change.remove, *survey.change.write):
        _still(eyes, path, survey)


def carry_out(
    top: Path, survey: Survey, goal: Goal, contents: Callable[[str], bytes], part: Path
) -> None:
    """Remove, write, and leave no empty folder behind; `part` is where a file is prepared.

    `contents` gives the bytes of a blob. Raises OSError, WorkshopError: then half is done.
    """
    eyes = Eyes(top)
    for path in survey.change.remove:
        _still(eyes, path, survey)
        (top / path).unlink(missing_ok=True)
    for path in survey.change.clear:
        (top / path).rmdir()
    made: list[str] = []
    for path in survey.change.write:
        _folders(top, above(path), made)
        _still(Eyes(top), path, survey)
        _write(top / path, goal.files[path], contents(goal.files[path].blob), part)
    for folder in sorted(goal.folders):
        if not os.path.lexists(top / folder):
            _folders(top, [*above(folder), folder], made)
    for path in survey.change.remove:
        _prune(top, path, goal)
    for folder in reversed(made):  # at last: one of them may be read-only
        if folder in goal.folders:
            (top / folder).chmod(goal.folders[folder])


def _still(eyes: Eyes, path: str, survey: Survey) -> None:
    now, before = eyes.find(path), survey.found.get(path)
    if now is not None and (before is None or now.seen != before.seen):
        raise WorkshopError(
            "this file was written at this very moment: it is not in the backup",
            "Close the program that writes it, then try again.",
            path=eyes.top / path,
        )


def _folders(top: Path, folders: Iterable[str], made: list[str]) -> None:
    for folder in folders:
        with contextlib.suppress(FileExistsError):
            (top / folder).mkdir()
            made.append(folder)


def _write(target: Path, wanted: Wanted, data: bytes, part: Path) -> None:
    _prepare(part, wanted, data)
    try:
        part.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(".workshop.part")  # git's folder is on another disk
        _prepare(beside, wanted, data)
        beside.replace(target)
        part.unlink()


def _prepare(part: Path, wanted: Wanted, data: bytes) -> None:
    part.unlink(missing_ok=True)
    if wanted.link:
        part.symlink_to(os.fsdecode(data))
        return
    create = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(part, create, 0o777 if wanted.executable else 0o666), "wb") as file:
        file.write(data)
    if wanted.mode is not None:
        part.chmod(wanted.mode)


def _prune(top: Path, path: str, goal: Goal) -> None:
    for folder in reversed([*above(path)]):
        if folder in goal.folders:
            return
        try:
            (top / folder).rmdir()
        except OSError:  # something is in it
            return
