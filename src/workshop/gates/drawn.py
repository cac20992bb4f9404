"""A tree as a page draws it, read line by line and held against the files of a stage."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

from workshop.model import View

_LINE = re.compile(r"((?:│   |    )*)(?:├── |└── )(\S.*)")


def visible(files: set[str]) -> set[str]:
    """The files without a dot before any of their names."""
    return {file for file in files if not re.search(r"(^|/)\.", file)}


def of_view(files: set[str], view: View) -> tuple[set[str], set[str]]:
    """What a layer's tree has to hold: files, and closed folders. Raises ValueError."""
    shows, closed = set(view.shows), set(view.closed)
    folders = {folder for file in files for folder in _above(file)}
    lacking = shows - files - folders | closed - folders
    if lacking:
        raise ValueError(f"a file or folder {', '.join(sorted(lacking))}")
    held = {file for file in files if {file, *_above(file)} & shows}
    return {file for file in held if not _above(file) & closed}, closed


def wrong(text: str, files: set[str], closed: Collection[str] = ()) -> str:
    """What is not right with a drawing of these files and closed folders; empty when it is."""
    top, *lines = text.split("\n")
    if top != "." or len(lines) < 4 or lines[-1] or lines[-3]:
        return "it is no tree: a dot, its lines, an empty line, a count"
    *lines, _, count, _ = lines
    paths, odd = _read(lines)
    if odd:
        return f"no line of a tree: {odd!r}"
    opened = {folder for path in paths for folder in _above(path)}
    twice = {path for path in paths if paths.count(path) > 1}
    differ = (set(paths) - opened) ^ {*files, *closed} | twice
    if differ:
        return f"the tree and the stage differ in: {', '.join(sorted(differ))}"
    numbers = len(opened | set(closed)), len(files)
    said = f"{_many(numbers[0], 'directory', 'directories')}, {_many(numbers[1], 'file', 'files')}"
    if count != said:
        return f"it counts {count!r}, and should say {said!r}"
    for number, (path, line) in enumerate(zip(paths, lines, strict=True), 1):
        if line != _drawn(path, paths[number:]):
            return f"not as `tree` draws it: {line!r}"
    return _unsorted(paths)


def _read(lines: Sequence[str]) -> tuple[list[str], str]:
    """The paths of the drawn lines, in their order; or else the first line that is none."""
    open_at: list[str] = []
    paths: list[str] = []
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or len(match[1]) // 4 > len(open_at):
            return [], line
        open_at = [*open_at[: len(match[1]) // 4], match[2]]
        paths.append("/".join(open_at))
    return paths, ""


def _drawn(path: str, behind: Sequence[str]) -> str:
    """How a path's line looks when these paths come behind it: a branch goes on, or it ends."""

    def goes_on(each: PurePosixPath) -> bool:
        return any(PurePosixPath(other).parent == each.parent for other in behind)

    here = PurePosixPath(path)
    above = [each for each in reversed(here.parents) if each.name]
    indent = "".join("│   " if goes_on(each) else "    " for each in above)
    return f"{indent}{'├── ' if goes_on(here) else '└── '}{here.name}"


def _unsorted(paths: Sequence[str]) -> str:
    """The first name that stands behind one that it should stand before, in the same folder."""
    before: dict[PurePosixPath, str] = {}
    for path in map(PurePosixPath, paths):
        letters = re.sub(r"[\W_]", "", path.name).lower()
        if letters < before.get(path.parent, ""):
            return f"not in the order of `tree`: {path}"
        before[path.parent] = letters
    return ""


def _above(path: str) -> set[str]:
    """The folders that a path stands in."""
    return {str(each) for each in PurePosixPath(path).parents if each.name}


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
