"""Paths to the text that the program `tree` prints. Pure: it knows no course, and opens no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from workshop.model import View

Folder = dict[str, "Folder | None"]  # a file is None


def shown(paths: Iterable[str], view: View) -> list[str]:
    """Those of the files that the view shows."""
    return [
        path
        for path in paths
        if any(_within(path, each) for each in view.shows)
        and not any(_within(path, each) for each in view.closed)
    ]


def lacking(paths: Collection[str], view: View) -> list[str]:
    """What the view shows, and these files have not. A folder that it has closed ends with `/`."""
    files = [each for each in view.shows if not any(_within(path, each) for path in paths)]
    folders = [f"{each}/" for each in view.closed]
    return files + [each for each in folders if not any(path.startswith(each) for path in paths)]


def draw(paths: Iterable[str], closed: Iterable[str] = ()) -> str:
    """What `tree` prints for these files and closed folders, the count included.

    The top folder is not counted. (The newest versions of `tree` count it, those before did not.)
    """
    top: Folder = {}
    for path in paths:
        folder, name = _open(top, path)
        folder[name] = None
    for path in closed:
        folder, name = _open(top, path)
        folder[name] = {}
    lines = list(_lines(top, ""))
    directories = sum(1 for _ in _folders(top))
    files = len(lines) - directories
    return "\n".join(
        [
            ".",
            *lines,
            "",
            f"{directories} {'directory' if directories == 1 else 'directories'}, "
            f"{files} {'file' if files == 1 else 'files'}",
            "",
        ]
    )


def _within(path: str, top: str) -> bool:
    return f"{path}/".startswith(f"{top}/")


def _open(top: Folder, path: str) -> tuple[Folder, str]:
    """The folder that this path stands in, made where there is none, and its name there."""
    *folders, name = path.split("/")
    for folder in folders:
        deeper = top.setdefault(folder, {})
        assert deeper is not None  # git has no file and folder of one name
        top = deeper
    return top, name


def _lines(folder: Folder, indent: str) -> Iterator[str]:
    names = sorted(folder, key=_order)
    for name in names:
        last = name == names[-1]
        yield f"{indent}{'└── ' if last else '├── '}{name}"
        inside = folder[name]
        if inside is not None:
            yield from _lines(inside, indent + ("    " if last else "│   "))


def _folders(folder: Folder) -> Iterator[Folder]:
    for inside in folder.values():
        if inside is not None:
            yield inside
            yield from _folders(inside)


def _order(name: str) -> tuple[str, str]:
    # as `tree` sorts in an English locale: capitals, dots and underscores count for nothing
    return "".join(each for each in name.casefold() if each.isalnum()), name
