"""How a kata begins: a repository with what its start holds, and a clock that runs."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from workshop import __version__, git
from workshop.course import kata as find
from workshop.errors import WorkshopError
from workshop.kata import record
from workshop.model import Course, Kata


class Begun(NamedTuple):
    """A kata that began: the folder the team works in, and which kata it is."""

    project: Path
    kata: Kata


def katas(course: Course) -> tuple[Kata, ...]:
    """The katas of the course, in the order of their names."""
    return course.katas


def start(course: Course, slug: str, target: Path) -> Begun:
    """Begin the kata `slug` at `target`: a git repository without a commit, and the clock.

    It holds the files of the kata's folder `start`; a kata without one starts from nothing.
    Raises WorkshopError when there is no such kata, or when `target` is not free.
    """
    kata = find(course, slug)
    _must_be_free(target)
    made = not target.exists()
    target.mkdir(parents=True, exist_ok=True)
    # Made aside and moved in whole, `.git` last: an interrupt leaves nothing behind.
    aside = Path(tempfile.mkdtemp(prefix=".kata-", dir=target))
    try:
        if (kata.folder / "start").is_dir():
            shutil.copytree(kata.folder / "start", aside, dirs_exist_ok=True)
        git.run("init", "--quiet", "--initial-branch=main", cwd=aside, sealed=False)
        now = datetime.now(UTC)
        record.write(aside, record.Record(kata.slug, now, __version__))
        for entry in sorted(aside.iterdir(), key=lambda path: path.name == ".git"):
            entry.rename(target / entry.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if made and not any(target.iterdir()):
            target.rmdir()
    return Begun(target.resolve(), kata)


def _must_be_free(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise WorkshopError(
            "this is not a folder", "Name a folder that does not exist yet.", path=target
        )
    if target.is_dir() and any(target.iterdir()):
        raise WorkshopError(
            "this folder is not empty",
            "Name a folder that does not exist yet, or an empty one.",
            path=target,
        )
