"""The files of a working tree: what is there, what a move would change, and the change itself.

Paths are relative to the top, with forward slashes; a name that is no UTF-8 keeps its bytes
(`os.fsdecode`). Links are never followed, nested repositories are never entered.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from workshop.errors import WorkshopError


class Found(NamedTuple):
    """A file or a link as it is now. `mode` is its permission bits, `seen` its signature."""

    link: bool
    mode: int
    seen: tuple[int, ...]


class Wanted(NamedTuple):
    """A file or a link as it shall be: `mode` its permission bits, or what the umask gives.

    `blob` is git's hash of its bytes, with no filter.
    """

    blob: str
    link: bool = False
    executable: bool = False
    mode: int | None = None


class Goal(NamedTuple):
    """What a move is after: these files here, nothing at `gone`, and everything else as it is.

    `folders` are those that shall be there even when empty, with their permission bits.
    """

    files: Mapping[str, Wanted]
    gone: Collection[str]
    folders: Mapping[str, int]


class Change(NamedTuple):
    """What must be done: files and folders to remove, files to write, in that order."""

    remove: tuple[str, ...]
    clear: tuple[str, ...]
    write: tuple[str, ...]


class Survey(NamedTuple):
    """All that must be saved before a move (`found`, `folders`), and the change it makes."""

    found: Mapping[str, Found]
    folders: Mapping[str, int]
    change: Change


def blob(data: bytes, hashing: str) -> str:
    """git's name for these bytes, with no filter and no change of line ends."""
    return hashlib.new(hashing, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def signature(found: os.stat_result) -> tuple[int, ...]:
    """What changes whenever a file is written or replaced: kind, mode, size, times, identity."""
    return (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def read(top: Path, path: str, link: bool) -> bytes:
    """The bytes of a file, or where a link leads. Raises WorkshopError when they can't be read."""
    file = top / path
    try:
        # as it is written: a Path would tidy up `./real/`
        return os.fsencode(os.readlink(file)) if link else file.read_bytes()  # noqa: PTH115
    except OSError as error:
        raise WorkshopError(
            f"this file can't be read, so it can't be saved: {error.strerror}",
            "Make it readable, or move it out of the project.",
            path=file,
        ) from error


def above(path: str) -> Iterator[str]:
    """The folders that a path lies in, from the top down, without the top itself."""
    at = path.find("/")
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)


class Eyes:
    """Looks at a working tree, at each folder once."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.folders: dict[str, int] = {}
        self._kinds: dict[str, str] = {}

    def kind(self, path: str) -> str:
        """What is at a path: a `folder`, a `file` (or link), `nothing`, or something `odd`."""
        if path not in self._kinds:
            for each in (*above(path), path):  # from the top: however deep it is
                if each not in self._kinds:
                    self._kinds[each] = self._look(each)
        return self._kinds[path]

    def _look(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        if folder and self._kinds[folder] != "folder":  # what is behind a link is not here
            return "nothing"
        try:
            mode = (self.top / path).lstat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return "nothing"
        if stat.S_ISDIR(mode):
            self.folders[path] = stat.S_IMODE(mode)
            return "folder"
        return "file" if stat.S_ISREG(mode) or stat.S_ISLNK(mode) else "odd"

    def barrier(self, path: str) -> str | None:
        """The first path above this one that exists and is no folder (a link is none)."""
        for folder in above(path):
            kind = self.kind(folder)
            if kind == "nothing":
                return None
            if kind != "folder":
                return folder
        return None

    def find(self, path: str) -> Found | None:
        """The file or link at a path, None when there is neither."""
        folder = path.rpartition("/")[0]
        if folder and self.kind(folder) != "folder":
            return None
        try:
            seen = (self.top / path).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        link = stat.S_ISLNK(seen.st_mode)
        if not link and not stat.S_ISREG(seen.st_mode):
            return None
        return Found(link, 0 if link else stat.S_IMODE(seen.st_mode), signature(seen))

    def within(self, folder: str) -> Iterator[tuple[str, bool]]:
        """All below a folder, what lies deeper first: the path, and whether it is a folder."""
        found: list[tuple[str, bool]] = []
        left = [folder]
        while left:
            at = left.pop()
            for entry in sorted(os.listdir(self.top / at)):  # noqa: PTH208  (names, not paths)
                path = f"{at}/{entry}"
                if entry == ".git":
                    raise _nested(self.top / at)
                kind = self.kind(path)
                if kind == "odd":
                    raise _odd(self.top / path)
                if kind == "folder":
                    left.append(path)
                found.append((path, kind == "folder"))
        return reversed(found)


def survey(top: Path, mine: Iterable[str], goal: Goal, hashing: str) -> Survey:
    """Compare the working tree with the goal, and list what must be saved before.

    `mine` are the paths that git knows or would add; what is at the goal's own paths, or in their
    way, is added to it. Raises WorkshopError when the change can't be made safely.
    """
    eyes = Eyes(top)
    remove: set[str] = set()
    clear: list[str] = []
    for path in goal.files:
        barrier = eyes.barrier(path)
        if barrier is not None:
            remove.add(barrier)
        elif eyes.kind(path) == "folder":
            for inner, folder in eyes.within(path):
                if folder:
                    clear.append(inner)
                else:
                    remove.add(inner)
            clear.append(path)
        elif eyes.kind(path) == "odd":
            remove.add(path)
    remove |= {path for path in goal.gone if eyes.find(path) is not None}
    for path in remove:
        if eyes.kind(path) == "odd":
            raise _odd(top / path)
    found = {}
    for path in {*mine, *remove, *goal.files}:
        one = eyes.find(path)
        if one is not None:
            found[path] = one
    write = [
        path
        for path, wanted in goal.files.items()
        if not _same(top, path, found.get(path), wanted, hashing)
    ]
    folders = {folder for path in found for folder in above(path)} | set(clear)
    change = Change(tuple(sorted(remove)), tuple(dict.fromkeys(clear)), tuple(write))
    _must_be_ours(eyes, change)
    kept = {folder: eyes.folders[folder] for folder in sorted(folders | _above_all(eyes, goal))}
    return Survey(found, kept, change)


def _above_all(eyes: Eyes, goal: Goal) -> set[str]:
    """The folders that a move could empty, and then remove."""
    paths = [*goal.files, *goal.gone]
    return {
        each for path in paths for each in (*above(path), path) if eyes.kind(each) == "folder"
    } & eyes.folders.keys()


def _same(top: Path, path: str, found: Found | None, wanted: Wanted, hashing: str) -> bool:
    if found is None or found.link != wanted.link:
        return False
    if not found.link:
        if wanted.mode is not None and found.mode != wanted.mode:
            return False
        if wanted.mode is None and bool(found.mode & 0o100) != wanted.executable:
            return False
    return blob(read(top, path, found.link), hashing) == wanted.blob


def _must_be_ours(eyes: Eyes, change: Change) -> None:
    """Refuse to change what lies in a repository of its own, or in a folder that is read-only."""
    checked: set[str] = set()
    for path in (*change.remove, *change.clear, *change.write):
        last = ""
        for folder in above(path):
            if eyes.kind(folder) != "folder":
                break
            last = folder
            if folder not in checked and os.path.lexists(eyes.top / folder / ".git"):
                raise _nested(eyes.top / folder)
            checked.add(folder)
        if not os.access(eyes.top / last, os.W_OK | os.X_OK):
            raise WorkshopError(
                "this folder is read-only, and a file in it must change",
                f"Make it writable: chmod u+wx {last or '.'}",
                path=eyes.top / last,
            )


def _nested(folder: Path) -> WorkshopError:
    return WorkshopError(
        "this folder is a git repository of its own, and a file in it would have to change",
        "Move it out of the project, then try again.",
        path=folder,
    )


def _odd(path: Path) -> WorkshopError:
    return WorkshopError(
        "this is neither a file nor a folder nor a link, and it is in the way",
        "Remove it, then try again.",
        path=path,
    )


def clash(paths: Iterable[str], goal: Goal, top: Path) -> None:
    """Where case does not count: refuse a file that differs in case alone from one that the move
    writes, or removes. Two that are both wanted were there together before, so they can be."""
    files = {part for path in goal.files for part in (*above(path), path)}
    wanted = {part.casefold(): part for part in (*goal.gone, *files)}
    for path in paths:
        for part in (*above(path), path):
            other = wanted.get(part.casefold(), part)
            if other != part and part not in files:
                raise WorkshopError(
                    f"this differs from {other} in case alone, and your disk takes both for one",
                    f"Give it another name than {other}, then try again.",
                    path=top / part,
                )
