"""A fresh clone of the project, for an engine to build or to start."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from workshop import git

_OURS = r"-(\d+)-[0-9a-f]{6}(?![0-9a-z])"  # the number of the process, and some luck


def make(project: Path, home: Path, prefix: str = "workshop") -> tuple[str, Path]:
    """What a colleague would get: the files that git has, or would take, in a new folder below
    `home`. Returns a name that nobody else has, and the folder, which has a parent of its own."""
    name = f"{os.getpid()}-{secrets.token_hex(3)}"
    folder = home / name / "demo"
    folder.mkdir(parents=True)
    for file in _files(project):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / file, folder / file)
    return f"{prefix}-{name}", folder


def left(names: Iterable[str], prefix: str = "workshop") -> Iterator[str]:
    """The names that were made here, of those that any of `names` begins with, once a process that
    was killed can't use them any more."""
    ours = (re.match(prefix + _OURS, name) for name in names)
    yield from {each[0]: None for each in ours if each and _gone(each[1])}


def sweep(home: Path) -> None:
    """Remove the clones that a killed process left."""
    home.mkdir(parents=True, exist_ok=True)
    for each in home.iterdir():
        if _gone(each.name.partition("-")[0]):
            shutil.rmtree(each, ignore_errors=True)


def _gone(number: str) -> bool:
    import psutil

    return not psutil.pid_exists(int(number))


def _files(project: Path) -> Iterator[str]:
    said = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=project)
    for name in said.decode().split("\0"):
        if name and (project / name).is_file():
            yield name
